// Trees that are joined and cut, and can tell quickly whether a link would close a circle.
#ifndef RMAIL_STORE_SERVICE_REFERENCE_FOREST_H_
#define RMAIL_STORE_SERVICE_REFERENCE_FOREST_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rmail::service {

// A forest of nodes 0, 1, ... that have parents. Walking up from a node would take as long as its
// tree is deep, for each link anew: hostile mail makes that quadratic. So the paths are kept in
// splay trees (a link-cut tree: Sleator and Tarjan, 1983): each operation takes time log n,
// amortised. Not thread-safe.
class ReferenceForest {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  // A new node, alone.
  uint32_t Add();
  size_t size() const { return parents_.size(); }

  uint32_t parent(uint32_t node) const { return parents_[node]; }

  // Gives a node without a parent one. False, and nothing is done, when the node is among the
  // parent's ancestors, or is the parent.
  bool Link(uint32_t node, uint32_t parent);
  // Takes a node's parent away.
  void Cut(uint32_t node);

 private:
  // Nodes of one path from an ancestor to a descendant, in a binary tree ordered by depth. `up` of
  // a tree's root leads to the parent of the path's uppermost node.
  struct Splay {
    uint32_t up = kNone;
    uint32_t child[2] = {kNone, kNone};
  };

  bool IsSplayRoot(uint32_t node) const;
  void Rotate(uint32_t node);
  void SplayUp(uint32_t node);
  // Makes the path from the tree's root to `node` one splay tree, with `node` at its top.
  void Access(uint32_t node);
  uint32_t RootOf(uint32_t node);

  std::vector<uint32_t> parents_;
  std::vector<Splay> splay_;
  // Whether a node ever had children.
  std::vector<bool> has_children_;
};

}  // namespace rmail::service

#endif  // RMAIL_STORE_SERVICE_REFERENCE_FOREST_H_

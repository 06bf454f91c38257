#include "store/service/reference_forest.h"

namespace rmail::service {

uint32_t ReferenceForest::Add() {
  const auto node = static_cast<uint32_t>(parents_.size());
  parents_.push_back(kNone);
  splay_.emplace_back();
  has_children_.push_back(false);
  return node;
}

bool ReferenceForest::Link(uint32_t node, uint32_t parent) {
  if (node == parent) return false;
  // Usual cases first: a leaf closes no circle, and a node without a parent is its tree's root.
  if (has_children_[node] && parents_[parent] != kNone && RootOf(parent) == node) return false;
  Access(node);
  splay_[node].up = parent;
  parents_[node] = parent;
  has_children_[parent] = true;
  return true;
}

void ReferenceForest::Cut(uint32_t node) {
  if (parents_[node] == kNone) return;
  Access(node);
  const uint32_t above = splay_[node].child[0];
  splay_[above].up = kNone;
  splay_[node].child[0] = kNone;
  parents_[node] = kNone;
}

bool ReferenceForest::IsSplayRoot(uint32_t node) const {
  const uint32_t up = splay_[node].up;
  return up == kNone || (splay_[up].child[0] != node && splay_[up].child[1] != node);
}

void ReferenceForest::Rotate(uint32_t node) {
  const uint32_t up = splay_[node].up;
  const uint32_t upper = splay_[up].up;
  const int side = splay_[up].child[1] == node ? 1 : 0;
  const uint32_t inner = splay_[node].child[1 - side];
  if (!IsSplayRoot(up)) splay_[upper].child[splay_[upper].child[1] == up ? 1 : 0] = node;
  splay_[node].up = upper;
  splay_[node].child[1 - side] = up;
  splay_[up].up = node;
  splay_[up].child[side] = inner;
  if (inner != kNone) splay_[inner].up = up;
}

void ReferenceForest::SplayUp(uint32_t node) {
  while (!IsSplayRoot(node)) {
    const uint32_t up = splay_[node].up;
    if (!IsSplayRoot(up)) {
      const uint32_t upper = splay_[up].up;
      const bool straight = (splay_[up].child[0] == node) == (splay_[upper].child[0] == up);
      Rotate(straight ? up : node);
    }
    Rotate(node);
  }
}

void ReferenceForest::Access(uint32_t node) {
  uint32_t below = kNone;
  for (uint32_t at = node; at != kNone; at = splay_[at].up) {
    SplayUp(at);
    splay_[at].child[1] = below;
    below = at;
  }
  SplayUp(node);
}

uint32_t ReferenceForest::RootOf(uint32_t node) {
  Access(node);
  while (splay_[node].child[0] != kNone) node = splay_[node].child[0];
  // What is deep must come up, or the next search would be as long.
  SplayUp(node);
  return node;
}

}  // namespace rmail::service

// The parts that are open at a point of a message.
#ifndef RMAIL_STORE_MIME_PART_STACK_H_
#define RMAIL_STORE_MIME_PART_STACK_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rmail/store/v1/digest.pb.h"
#include "store/mime/digest_budget.h"

namespace rmail::mime {

// A longer boundary is taken for none (RFC 2046, 5.1.1 allows 70 characters).
inline constexpr size_t kMaxBoundary = 512;

// Where a line starts, and what came before it.
struct LinePosition {
  // Octets since the message's start.
  uint64_t offset = 0;
  // Line ends since then.
  uint64_t lines = 0;
  // Octets of the line end right before.
  uint64_t line_end = 0;
  // The line before is empty.
  bool after_empty_line = false;
};

// Builds the tree of parts from headers and boundaries, as a reader of the message comes upon them.
// Not thread-safe.
class PartStack {
 public:
  struct Boundary {
    // The multipart's place in the stack.
    size_t index;
    // The last one ("--" behind it).
    bool close;
  };

  // Starts with the message's own header. Both must outlive the stack.
  PartStack(DigestBudget* budget, store::v1::MessageDigest* digest);

  // The innermost part is still in its header.
  bool in_header() const { return open_.back().in_header; }
  // Some line could be a boundary.
  bool has_boundaries() const { return boundaries_ > 0; }
  // The innermost part.
  const store::v1::BodyPart& part() const { return *open_.back().part; }

  // The boundary that a line, which starts with "--", stands for.
  std::optional<Boundary> Match(std::string_view line) const;
  // Whether the boundary is the innermost part's own.
  bool IsInnermost(const Boundary& boundary) const { return boundary.index + 1 == open_.size(); }

  // The innermost part's header ends: its body starts at `body_offset`, after `lines` line ends.
  // An enclosed message's header may start right there.
  void EndHeader(std::string_view header, uint64_t body_offset, uint64_t lines);
  // The line at `position` is a boundary; what follows it starts at `next`. No header may be open.
  void Delimit(const Boundary& boundary, const LinePosition& position, uint64_t next);
  // The message ends. No header may be open.
  void Finish(const LinePosition& end);

 private:
  struct OpenPart {
    store::v1::BodyPart* part;
    // Where the envelope goes, if the part is a message's body.
    store::v1::Envelope* envelope;
    bool in_digest;
    bool in_header = true;
    // Line ends before the body.
    uint64_t lines = 0;
    // Empty once it has been closed.
    std::string boundary;
  };

  void ReadHeader(std::string_view header, OpenPart* open, std::string* boundary);
  bool HasRoom() const;
  void Push(store::v1::BodyPart* part, uint64_t offset, store::v1::Envelope* envelope,
            bool in_digest);
  void CloseTo(size_t size, const LinePosition& position);
  void ForgetBoundary(OpenPart* open);

  DigestBudget* const budget_;
  store::v1::MessageDigest* const digest_;
  // Never empty until Finish.
  std::vector<OpenPart> open_;
  size_t parts_ = 0;
  // Parts of open_ that have a boundary.
  size_t boundaries_ = 0;
};

}  // namespace rmail::mime

#endif  // RMAIL_STORE_MIME_PART_STACK_H_

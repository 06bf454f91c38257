#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "store/mime/digest.h"
#include "store/mime/digest_budget.h"
#include "store/mime/part_stack.h"
#include "store/mime/preview.h"

namespace rmail::mime {
namespace {

// A line that is longer is no boundary, even with white space behind it.
constexpr size_t kMaxBoundaryLine = 2 * kMaxBoundary;

// The size of the first line with its LF; npos when the LF is not there.
size_t LineSize(std::string_view data) {
  const void* const end = std::memchr(data.data(), '\n', data.size());
  if (end == nullptr) return std::string_view::npos;
  return static_cast<size_t>(static_cast<const char*>(end) - data.data()) + 1;
}

}  // namespace

// Cuts the message into lines and gives headers and boundaries to the stack, text to the preview.
// Only header lines and lines that start with "-" are looked at as a whole; of those only what is
// split between chunks is copied.
class DigestBuilder::Scanner {
 public:
  explicit Scanner(const DigestLimits& limits) : budget_(limits), stack_(&budget_, &digest_) {}

  void Update(std::string_view data) {
    while (!data.empty()) {
      const size_t used = passing_             ? Pass(data)
                          : !carry_.empty()    ? Carry(data)
                          : stack_.in_header() ? HeaderLine(data)
                                               : BodyLines(data);
      last_ = data[used - 1];
      data.remove_prefix(used);
      offset_ += used;
    }
  }

  store::v1::MessageDigest Finish() {
    if (!carry_.empty()) {
      const std::string line = std::exchange(carry_, {});
      TakeLine(line, 0);
    }
    EndHeaders(offset_);
    preview_.End();
    const bool unfinished = offset_ > 0 && last_ != '\n';
    stack_.Finish({.offset = offset_, .lines = lines_ + (unfinished ? 1 : 0)});
    digest_.set_preview(preview_.Take());
    return std::move(digest_);
  }

 private:
  // The rest of a line that is nothing but text.
  size_t Pass(std::string_view data) {
    const size_t size = LineSize(data);
    if (size == std::string_view::npos) {
      Append(data);
      return data.size();
    }
    Append(data.substr(0, size));
    const bool crlf = (size > 1 ? data[size - 2] : last_) == '\r';
    passing_ = false;
    EndLine(offset_ + size, crlf ? 2 : 1);
    return size;
  }

  // The rest of a line that may be a boundary or end a header.
  size_t Carry(std::string_view data) {
    const size_t size = LineSize(data.substr(0, kMaxBoundaryLine - carry_.size()));
    if (size != std::string_view::npos) {
      carry_.append(data.substr(0, size));
      const std::string line = std::exchange(carry_, {});
      TakeLine(line, size);
      return size;
    }
    const size_t taken = std::min(data.size(), kMaxBoundaryLine - carry_.size());
    carry_.append(data.substr(0, taken));
    if (carry_.size() == kMaxBoundaryLine) {
      Append(carry_);
      carry_.clear();
      passing_ = true;
    }
    return taken;
  }

  size_t HeaderLine(std::string_view data) {
    const size_t size = LineSize(data);
    if (size == std::string_view::npos) return Carry(data);
    TakeLine(data.substr(0, size), size);
    return size;
  }

  // Lines of a body up to one that may be a boundary.
  size_t BodyLines(std::string_view data) {
    if (!stack_.has_boundaries()) {
      // Nothing can end this part but the message's end.
      lines_ += static_cast<uint64_t>(std::count(data.begin(), data.end(), '\n'));
      preview_.Append(data);
      return data.size();
    }
    size_t pos = 0;
    size_t last_line = 0;
    size_t size = 0;
    uint64_t lines = 0;
    while (pos < data.size() && data[pos] != '-') {
      size = LineSize(data.substr(pos));
      if (size == std::string_view::npos) break;
      last_line = pos;
      pos += size;
      ++lines;
    }
    preview_.Append(data.substr(0, pos));
    if (pos > 0) {
      lines_ += lines - 1;
      line_start_ = offset_ + last_line;
      EndLine(offset_ + pos, pos - last_line > 1 && data[pos - 2] == '\r' ? 2 : 1);
      if (pos == data.size() || size != std::string_view::npos) return pos;
    }
    if (data[pos] != '-') {
      preview_.Append(data.substr(pos));
      passing_ = true;
      return data.size();
    }
    return HeaderLine(data);
  }

  // Takes a line with its LF, if it has one. `size` octets of it are at offset_.
  void TakeLine(std::string_view line, size_t size) {
    const uint64_t end = offset_ + size;
    if (line.size() <= kMaxBoundaryLine && line.starts_with("--")) {
      if (const auto boundary = stack_.Match(line)) {
        TakeBoundary(*boundary, end);
        if (line.back() == '\n') EndLine(end, line.ends_with("\r\n") ? 2 : 1);
        return;
      }
    }
    Append(line);
    if (line.back() != '\n') return;
    EndLine(end, line.ends_with("\r\n") ? 2 : 1);
    if (line_start_ - previous_start_ == previous_end_ && stack_.in_header()) {
      EndHeader(line_start_);
    }
  }

  void TakeBoundary(const PartStack::Boundary& boundary, uint64_t next) {
    EndHeaders(line_start_);
    if (stack_.IsInnermost(boundary)) {
      preview_.Discard();
    } else {
      preview_.End();
    }
    const bool after_empty_line = line_start_ - previous_start_ == previous_end_;
    stack_.Delimit(boundary,
                   {.offset = line_start_,
                    .lines = lines_,
                    .line_end = previous_end_,
                    .after_empty_line = after_empty_line},
                   next);
  }

  // Ends the header under way, and those of enclosed messages that come to nothing.
  void EndHeaders(uint64_t offset) {
    while (stack_.in_header()) EndHeader(offset);
  }

  void EndHeader(uint64_t body_offset) {
    stack_.EndHeader(header_, body_offset, lines_);
    header_.clear();
    if (!stack_.in_header()) preview_.Begin(stack_.part());
  }

  // The line under way ends before `next`, in a line end of `end` octets.
  void EndLine(uint64_t next, uint64_t end) {
    previous_start_ = line_start_;
    previous_end_ = end;
    line_start_ = next;
    ++lines_;
  }

  // Text of a header or a body.
  void Append(std::string_view text) {
    if (stack_.in_header()) {
      header_.append(text.substr(0, budget_.limits().max_header_bytes - header_.size()));
    } else {
      preview_.Append(text);
    }
  }

  store::v1::MessageDigest digest_;
  DigestBudget budget_;
  PartStack stack_;
  PreviewCollector preview_;

  // Where the bytes that come next stand, and the octet before them.
  uint64_t offset_ = 0;
  char last_ = '\0';
  // Line ends so far; where the line under way starts.
  uint64_t lines_ = 0;
  uint64_t line_start_ = 0;
  // Where the line before starts, and how many octets its line end has.
  uint64_t previous_start_ = 0;
  uint64_t previous_end_ = 0;
  // The start of the line under way, if it has to be seen as a whole.
  std::string carry_;
  // The line under way need not be.
  bool passing_ = false;
  // The header under way.
  std::string header_;
};

DigestBuilder::DigestBuilder(DigestLimits limits) : scanner_(std::make_unique<Scanner>(limits)) {}

DigestBuilder::~DigestBuilder() = default;

void DigestBuilder::Update(std::string_view chunk) { scanner_->Update(chunk); }

store::v1::MessageDigest DigestBuilder::Finish() { return scanner_->Finish(); }

store::v1::MessageDigest DigestOf(std::string_view message) {
  DigestBuilder builder;
  builder.Update(message);
  return builder.Finish();
}

}  // namespace rmail::mime

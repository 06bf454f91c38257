#include "store/mime/part_stack.h"

#include <algorithm>
#include <utility>

#include "store/mime/chars.h"
#include "store/mime/envelope.h"
#include "store/mime/header.h"
#include "store/mime/part_header.h"
#include "store/mime/part_kind.h"

namespace rmail::mime {
namespace {

using store::v1::BodyPart;
using store::v1::Envelope;

constexpr size_t kMaxReferences = 100;

// A multipart that can't be taken apart is shown as the text it is (as if RFC 2045, 5.2's default
// applied).
void MakeText(BodyPart* part) {
  part->set_type("text");
  part->set_subtype("plain");
  part->clear_parameters();
}

// What would go beyond the limits is shown as one opaque part.
void MakeOpaque(BodyPart* part) {
  part->set_type("application");
  part->set_subtype("octet-stream");
}

}  // namespace

PartStack::PartStack(DigestBudget* budget, store::v1::MessageDigest* digest)
    : budget_(budget), digest_(digest) {
  Push(digest_->mutable_body(), 0, digest_->mutable_envelope(), false);
}

std::optional<PartStack::Boundary> PartStack::Match(std::string_view line) const {
  // White space may follow (RFC 2046, 5.1.1). Anything else may not: so a boundary that starts with
  // another one is told from it.
  while (!line.empty() && IsSpace(line.back())) line.remove_suffix(1);
  if (line.size() < 3) return std::nullopt;
  line.remove_prefix(2);
  for (size_t i = open_.size(); i-- > 0;) {
    const std::string_view boundary = open_[i].boundary;
    if (boundary.empty() || !line.starts_with(boundary)) continue;
    const std::string_view rest = line.substr(boundary.size());
    if (rest == "--") return Boundary{i, true};
    // Past the limit boundaries are text of the last part.
    if (rest.empty() && parts_ < budget_->limits().max_parts) return Boundary{i, false};
  }
  return std::nullopt;
}

void PartStack::EndHeader(std::string_view header, uint64_t body_offset, uint64_t lines) {
  OpenPart& open = open_.back();
  BodyPart* const part = open.part;
  open.in_header = false;
  open.lines = lines;
  part->set_body_offset(body_offset);
  std::string boundary;
  ReadHeader(header, &open, &boundary);
  if (IsMultipart(*part)) {
    if (boundary.empty() || boundary.size() > kMaxBoundary) {
      MakeText(part);
    } else if (!HasRoom()) {
      MakeOpaque(part);
    } else {
      open.boundary = std::move(boundary);
      ++boundaries_;
    }
  } else if (IsMessage(*part)) {
    if (HasRoom()) {
      Push(part->add_parts(), body_offset, part->mutable_envelope(), false);
    } else {
      MakeOpaque(part);
    }
  }
}

void PartStack::ReadHeader(std::string_view header, OpenPart* open, std::string* boundary) {
  PartHeaderReader part(budget_, open->part);
  HeaderReader fields(header);
  if (open->envelope == nullptr) {
    while (const std::optional<HeaderField> field = fields.Next()) part.Add(*field);
  } else {
    EnvelopeReader envelope(budget_, open->envelope);
    const bool root = open_.size() == 1;
    std::string_view references;
    while (const std::optional<HeaderField> field = fields.Next()) {
      part.Add(*field);
      envelope.Add(*field);
      if (root && references.empty() && EqualsIgnoreCase(field->name, "references")) {
        references = field->value;
      }
    }
    envelope.Finish();
    if (root) {
      std::vector<std::string> ids = ParseMessageIds(references, kMaxReferences);
      if (ids.empty()) ids = ParseMessageIds(open->envelope->in_reply_to(), kMaxReferences);
      for (std::string& id : ids) {
        if (budget_->Take(id.size())) digest_->add_references(std::move(id));
      }
    }
  }
  part.Finish(open->in_digest);
  *boundary = part.boundary();
}

bool PartStack::HasRoom() const {
  return open_.size() < budget_->limits().max_depth && parts_ < budget_->limits().max_parts;
}

void PartStack::Push(BodyPart* part, uint64_t offset, Envelope* envelope, bool in_digest) {
  part->set_header_offset(offset);
  open_.push_back({.part = part, .envelope = envelope, .in_digest = in_digest, .boundary = {}});
  ++parts_;
}

void PartStack::Delimit(const Boundary& boundary, const LinePosition& position, uint64_t next) {
  CloseTo(boundary.index + 1, position);
  OpenPart& multipart = open_.back();
  if (boundary.close) {
    ForgetBoundary(&multipart);
  } else {
    BodyPart* const part = multipart.part;
    Push(part->add_parts(), next, nullptr, part->subtype() == "digest");
  }
}

void PartStack::Finish(const LinePosition& end) { CloseTo(0, end); }

// Closes parts until `size` are left. Their bodies end at the position, without the line end before
// it, which belongs to the boundary (RFC 2046, 5.1.1).
void PartStack::CloseTo(size_t size, const LinePosition& position) {
  for (; open_.size() > size; open_.pop_back()) {
    OpenPart& open = open_.back();
    BodyPart* const part = open.part;
    const uint64_t start = part->body_offset();
    const uint64_t end = std::max(start, position.offset - position.line_end);
    part->set_body_size(end - start);
    if (end > start) {
      part->set_lines(position.lines - open.lines - (position.after_empty_line ? 1 : 0));
    }
    ForgetBoundary(&open);
    if (IsMultipart(*part) && part->parts().empty()) MakeText(part);
  }
}

void PartStack::ForgetBoundary(OpenPart* open) {
  if (open->boundary.empty()) return;
  open->boundary.clear();
  --boundaries_;
}

}  // namespace rmail::mime

// How much text a digest may still take.
#ifndef RMAIL_STORE_MIME_DIGEST_BUDGET_H_
#define RMAIL_STORE_MIME_DIGEST_BUDGET_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "store/mime/header.h"
#include "store/mime/limits.h"
#include "store/mime/utf8.h"

namespace rmail::mime {

class DigestBudget {
 public:
  explicit DigestBudget(const DigestLimits& limits)
      : limits_(limits), left_(limits.max_digest_bytes) {}

  const DigestLimits& limits() const { return limits_; }

  // Nothing fits any more, so nothing need be read.
  bool exhausted() const { return left_ == 0; }

  // Takes an object with that many octets of text; false when there is no room for it. Once
  // something did not fit nothing does: hostile mail costs no more time then.
  bool Take(size_t octets) {
    constexpr size_t kOverhead = 16;
    const bool fits = octets + kOverhead <= left_;
    left_ = fits ? left_ - octets - kOverhead : 0;
    return fits;
  }

  // A field's value as the digest keeps it: unfolded, valid UTF-8, cut to what a field may have.
  // Nothing when there is no room for it.
  std::optional<std::string> Keep(std::string_view value) {
    if (exhausted()) return std::nullopt;
    std::string text = ToValidUtf8(Unfold(value));
    text.resize(TruncateUtf8(text, limits_.max_field_bytes).size());
    if (!Take(text.size())) return std::nullopt;
    return text;
  }

 private:
  const DigestLimits limits_;
  size_t left_;
};

}  // namespace rmail::mime

#endif  // RMAIL_STORE_MIME_DIGEST_BUDGET_H_

#include "gateway/relay/idn.h"

#include <unicode/uidna.h>

#include <memory>

#include "gateway/smtp/syntax/utf8.h"

namespace rmail::gateway::relay {
namespace {

constexpr int32_t kMaxDomain = 255;

}  // namespace

std::optional<std::string> ToAsciiDomain(std::string_view domain) {
  if (smtp::IsAscii(domain)) return std::string(domain);
  if (domain.size() > 4 * kMaxDomain) return std::nullopt;
  UErrorCode error = U_ZERO_ERROR;
  const std::unique_ptr<UIDNA, decltype(&uidna_close)> idna(
      uidna_openUTS46(UIDNA_NONTRANSITIONAL_TO_ASCII | UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ,
                      &error),
      &uidna_close);
  if (U_FAILURE(error)) return std::nullopt;
  UIDNAInfo info = UIDNA_INFO_INITIALIZER;
  char ascii[kMaxDomain + 1];
  const int32_t size =
      uidna_nameToASCII_UTF8(idna.get(), domain.data(), static_cast<int32_t>(domain.size()), ascii,
                             sizeof(ascii), &info, &error);
  if (U_FAILURE(error) || info.errors != 0 || size <= 0 || size > kMaxDomain) return std::nullopt;
  return std::string(ascii, static_cast<size_t>(size));
}

}  // namespace rmail::gateway::relay

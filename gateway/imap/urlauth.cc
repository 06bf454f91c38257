#include "gateway/imap/urlauth.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <utility>

#include "absl/time/clock.h"
#include "gateway/imap/mailbox_lookup.h"
#include "gateway/imap/syntax/characters.h"
#include "store/base/error.h"
#include "store/base/status.h"
#include "store/base/token.h"

namespace rmail::gateway::imap {

namespace {

constexpr std::string_view kAccounts = "accounts/";
constexpr std::string_view kKeyEntry = "/internal/urlauth-key";

// What a token begins with, so that another algorithm may follow: HMAC-SHA-256.
constexpr std::string_view kAlgorithm = "02";

absl::Status NoSuchUrl() { return absl::NotFoundError("no such URL"); }

// In hexadecimal.
std::string MakeToken(std::string_view key, std::string_view rump) {
  unsigned char code[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(rump.data()), rump.size(), code, &size);
  std::string token(kAlgorithm);
  for (unsigned int i = 0; i < size; ++i) token += fmt::format("{:02x}", code[i]);
  return token;
}

// Takes the same time wherever they differ.
bool SameToken(std::string_view expected, std::string_view given) {
  std::string lower(given);
  for (char& c : lower) c = ToLower(c);
  return lower.size() == expected.size() &&
         CRYPTO_memcmp(lower.data(), expected.data(), expected.size()) == 0;
}

// The mailbox's key; empty when it has none.
boost::asio::awaitable<absl::StatusOr<std::string>> ReadKey(const StoreSession& store,
                                                            const std::string& mailbox) {
  store::v1::GetMetadataRequest request;
  request.set_name(mailbox);
  const auto response = co_await store.Call(std::move(request));
  if (!response.ok()) co_return response.status();
  for (const store::v1::MetadataEntry& entry : response->entries()) {
    if (entry.name() == kKeyEntry) co_return entry.value();
  }
  co_return std::string();
}

boost::asio::awaitable<absl::Status> WriteKey(const StoreSession& store, const std::string& mailbox,
                                              std::optional<std::string> key) {
  store::v1::SetMetadataRequest request;
  request.set_name(mailbox);
  store::v1::MetadataEntry& entry = *request.add_entries();
  entry.set_name(std::string(kKeyEntry));
  if (key) entry.set_value(*std::move(key));
  const auto response = co_await store.Call(std::move(request));
  co_return response.status();
}

// RFC 4467, 3: whether this account may fetch what the URL names, if its token is right. There is
// no submission service that would act for users.
bool MayFetch(std::string_view account, const ImapUrl& url) {
  if (url.expires && *url.expires <= absl::Now()) return false;
  switch (url.auth->access) {
    case UrlAccess::kUser:
      return IsUser(account, url.auth->user);
    case UrlAccess::kSubmit:
      return false;
    case UrlAccess::kAuthUser:
    case UrlAccess::kAnonymous:
      return true;
  }
  return false;
}

// What is not there, for the client, is a URL that is wrong.
absl::Status HideMissing(absl::Status status) {
  switch (ReasonOf(status)) {
    case store::v1::ERROR_REASON_MAILBOX_NOT_FOUND:
    case store::v1::ERROR_REASON_ACCOUNT_NOT_FOUND:
    case store::v1::ERROR_REASON_ACCOUNT_DISABLED:
    case store::v1::ERROR_REASON_INVALID_PATH:
    case store::v1::ERROR_REASON_INVALID_REQUEST:
    case store::v1::ERROR_REASON_NOT_PERMITTED:
    case store::v1::ERROR_REASON_BAD_TOKEN:
      return NoSuchUrl();
    default:
      return status;
  }
}

}  // namespace

bool IsUser(std::string_view account, std::string_view user) {
  return account.starts_with(kAccounts) && EqualsIgnoreCase(account.substr(kAccounts.size()), user);
}

boost::asio::awaitable<absl::StatusOr<std::string>> FindUrlMailbox(const StoreSession& store,
                                                                   const ImapUrl& url) {
  const auto mailbox = co_await FindMailbox(store, url.mailbox.value_or(""));
  if (!mailbox.ok()) co_return HideMissing(mailbox.status());
  if (url.uid_validity && *url.uid_validity != mailbox->counts().uid_validity()) {
    co_return NoSuchUrl();
  }
  co_return mailbox->name();
}

boost::asio::awaitable<absl::StatusOr<std::string>> SignUrl(const StoreSession& store,
                                                            const std::string& mailbox,
                                                            std::string rump) {
  absl::StatusOr<std::string> key = co_await ReadKey(store, mailbox);
  if (!key.ok()) co_return HideMissing(key.status());
  if (key->empty()) {
    RMAIL_CO_RETURN_IF_ERROR(co_await WriteKey(store, mailbox, NewTokenSecret()));
    // Another session may have done the same: the one that stays counts.
    key = co_await ReadKey(store, mailbox);
    if (!key.ok()) co_return key.status();
    if (key->empty()) co_return absl::InternalError("the mailbox's key is gone");
  }
  co_return fmt::format("{}:{}:{}", rump, kUrlMechanism, MakeToken(*key, rump));
}

boost::asio::awaitable<absl::Status> ResetUrlKey(const StoreSession& store,
                                                 const std::string& mailbox) {
  const absl::StatusOr<std::string> key = co_await ReadKey(store, mailbox);
  if (!key.ok()) co_return key.status();
  if (key->empty()) co_return absl::OkStatus();
  // The next URL makes a new one.
  co_return co_await WriteKey(store, mailbox, std::nullopt);
}

boost::asio::awaitable<absl::StatusOr<MailboxAccess>> OpenSignedUrl(StoreAccess& access,
                                                                    const StoreSession& reader,
                                                                    const ImapUrl& url) {
  if (!url.auth || url.auth->mechanism != kUrlMechanism || url.user.empty() || !url.mailbox ||
      !MayFetch(reader.account(), url)) {
    co_return NoSuchUrl();
  }
  // Nothing but the key is read with the owner's rights until the token has proved to be right.
  StoreSession owner = access.ActFor(url.user);
  absl::StatusOr<std::string> mailbox = co_await FindUrlMailbox(owner, url);
  if (!mailbox.ok()) co_return mailbox.status();
  const absl::StatusOr<std::string> key = co_await ReadKey(owner, *mailbox);
  if (!key.ok()) co_return HideMissing(key.status());
  if (key->empty() || !SameToken(MakeToken(*key, url.auth->rump), url.auth->token)) {
    co_return NoSuchUrl();
  }
  co_return MailboxAccess{std::move(owner), *std::move(mailbox)};
}

}  // namespace rmail::gateway::imap

// SCRAM logins. Nothing here tells whether an address has an account.
#include <optional>

#include "absl/strings/ascii.h"
#include "store/base/error.h"
#include "store/base/status.h"
#include "store/engine/engine.h"
#include "store/engine/scram.h"

namespace rmail::engine {

namespace {

// What stands in for the password of an address that can't log in, so that its check does the same
// work.
const StoredPassword& NobodysPassword() {
  static const auto* const password = new StoredPassword{
      kPasswordRounds, std::string(kPasswordSaltSize, '\0'), std::string(32, '\0')};
  return *password;
}

bool IsNobody(const absl::Status& status) {
  const ErrorReason reason = ReasonOf(status);
  return reason == store::v1::ERROR_REASON_ACCOUNT_NOT_FOUND ||
         reason == store::v1::ERROR_REASON_INVALID_ADDRESS;
}

}  // namespace

absl::StatusOr<ScramParameters> Engine::ScramParametersOf(std::string_view text,
                                                          std::string_view fake_key) {
  const std::optional<Address> address = ParseAddress(text);
  const ScramParameters fake = FakeScramParameters(
      fake_key, address ? address->ToString() : absl::AsciiStrToLower(ToAbsl(text)));
  const absl::StatusOr<std::shared_ptr<Account>> account = FindAccount(text);
  if (IsNobody(account.status())) return fake;
  RMAIL_RETURN_IF_ERROR(account.status());
  RMAIL_ASSIGN_OR_RETURN(const UserSettings settings, (*account)->Settings());
  const std::optional<StoredPassword> password = ScramPassword(settings.hash);
  if (!password) return fake;
  return ScramParameters{password->salt, password->rounds};
}

absl::StatusOr<Engine::ScramLogin> Engine::AuthenticateScram(std::string_view text,
                                                             std::string_view auth_message,
                                                             std::string_view proof) {
  const absl::Status refused =
      Error(store::v1::ERROR_REASON_BAD_CREDENTIALS, "unknown address or wrong password");
  const absl::StatusOr<std::shared_ptr<Account>> account = FindAccount(text);
  if (IsNobody(account.status())) {
    static_cast<void>(VerifyScramProof(NobodysPassword(), auth_message, proof));
    return refused;
  }
  RMAIL_RETURN_IF_ERROR(account.status());
  RMAIL_ASSIGN_OR_RETURN(const UserSettings settings, (*account)->Settings());
  const std::optional<StoredPassword> password = ScramPassword(settings.hash);
  const std::optional<std::string> signature =
      VerifyScramProof(password ? *password : NobodysPassword(), auth_message, proof);
  if (!password || !signature) return refused;
  if (settings.disabled) {
    return Error(store::v1::ERROR_REASON_ACCOUNT_DISABLED, "the account is disabled");
  }
  return ScramLogin{*account, settings, *signature};
}

}  // namespace rmail::engine

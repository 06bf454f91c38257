#include "tools/rmail/user.h"

#include <termios.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>

#include "absl/strings/ascii.h"
#include "rmail/store/v1/directory.pb.h"
#include "store/base/status.h"
#include "tools/rmail/store_connection.h"

namespace rmail::tools {
namespace {

namespace pb = ::rmail::store::v1;

std::string AccountName(const std::string& address) {
  return "accounts/" + absl::AsciiStrToLower(address);
}

std::string AddressOf(const pb::Account& account) {
  return account.name().substr(std::string("accounts/").size());
}

// A line of standard input without its end.
std::string ReadLine() {
  std::string line;
  std::getline(std::cin, line);
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return line;
}

// A password that is not shown while it is typed.
std::string Ask(const char* prompt) {
  std::fprintf(stderr, "%s", prompt);
  termios before{};
  const bool terminal = tcgetattr(STDIN_FILENO, &before) == 0;
  if (terminal) {
    termios silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  std::string password = ReadLine();
  if (terminal) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
  std::fprintf(stderr, "\n");
  return password;
}

absl::StatusOr<std::string> ReadPassword(bool from_stdin) {
  std::string password;
  if (from_stdin) {
    password = ReadLine();
  } else if (isatty(STDIN_FILENO)) {
    password = Ask("Password: ");
    if (password != Ask("Again: ")) {
      return MakeStatus(absl::StatusCode::kInvalidArgument, "the passwords differ");
    }
  } else {
    return MakeStatus(absl::StatusCode::kInvalidArgument,
                      "no terminal to ask for a password: use --password-stdin");
  }
  if (password.empty()) {
    return MakeStatus(absl::StatusCode::kInvalidArgument, "the password is empty");
  }
  return password;
}

}  // namespace

UserCommands::UserCommands(CLI::App* user, const std::function<void(CLI::App*)>& add_config) {
  user->require_subcommand(1);
  const auto command = [&](const char* name, const char* help) {
    CLI::App* const made = user->add_subcommand(name, help);
    add_config(made);
    return made;
  };
  const auto with_address = [&](CLI::App* made) {
    made->add_option("address", address_, "user@domain")->required();
    return made;
  };
  const auto with_password = [&](CLI::App* made) {
    made->add_flag("--password-stdin", password_stdin_,
                   "read the password from the first line of standard input");
    return made;
  };
  add_ = with_password(with_address(command("add", "make an account")));
  add_->add_flag("--admin", admin_, "it may administer the server");
  add_->add_option("--quota-mb", quota_mb_, "MiB it may store; 0: no limit")
      ->capture_default_str()
      ->check(CLI::Range(uint64_t{0}, uint64_t{1} << 40));
  list_ = command("list", "list accounts");
  list_->add_option("--domain", domain_, "only of this domain");
  delete_ = with_address(command("delete", "delete an account and all its mail"));
  passwd_ = with_password(with_address(command("passwd", "set a password")));
  disable_ = with_address(command("disable", "no login, no delivery; the mail stays"));
  enable_ = with_address(command("enable", "undo disable"));
}

int UserCommands::Run(const std::string& config_path) {
  absl::StatusOr<std::unique_ptr<StoreConnection>> store = StoreConnection::Open(config_path);
  const absl::Status status = store.ok() ? Dispatch(**store) : store.status();
  if (status.ok()) return 0;
  std::fprintf(stderr, "rmail user: %s\n", std::string(status.message()).c_str());
  return 1;
}

absl::Status UserCommands::Dispatch(StoreConnection& store) {
  if (add_->parsed()) return Add(store);
  if (list_->parsed()) return List(store);
  if (delete_->parsed()) return Delete(store);
  if (passwd_->parsed()) return SetPassword(store);
  return SetDisabled(store, disable_->parsed());
}

absl::Status UserCommands::Add(StoreConnection& store) {
  pb::CreateAccountRequest request;
  RMAIL_ASSIGN_OR_RETURN(*request.mutable_password(), ReadPassword(password_stdin_));
  request.mutable_account()->set_name(AccountName(address_));
  request.mutable_account()->set_admin(admin_);
  request.mutable_account()->set_quota_mb(quota_mb_);
  RMAIL_ASSIGN_OR_RETURN(const pb::CreateAccountResponse response, store.Call(request));
  std::printf("made %s\n", AddressOf(response.account()).c_str());
  return absl::OkStatus();
}

absl::Status UserCommands::List(StoreConnection& store) {
  pb::ListAccountsRequest request;
  request.set_domain(absl::AsciiStrToLower(domain_));
  RMAIL_ASSIGN_OR_RETURN(const pb::ListAccountsResponse response, store.Call(request));
  for (const pb::Account& account : response.accounts()) {
    const std::string quota =
        account.quota_mb() == 0 ? "no quota" : std::to_string(account.quota_mb()) + " MiB";
    std::printf("%s\t%s%s%s\n", AddressOf(account).c_str(), quota.c_str(),
                account.admin() ? "\tadmin" : "", account.disabled() ? "\tdisabled" : "");
  }
  return absl::OkStatus();
}

absl::Status UserCommands::Delete(StoreConnection& store) {
  pb::DeleteAccountRequest request;
  request.set_name(AccountName(address_));
  return store.Call(request).status();
}

absl::Status UserCommands::SetPassword(StoreConnection& store) {
  pb::UpdateAccountRequest request;
  request.set_name(AccountName(address_));
  std::string password;
  RMAIL_ASSIGN_OR_RETURN(password, ReadPassword(password_stdin_));
  request.set_password(password);
  return store.Call(request).status();
}

absl::Status UserCommands::SetDisabled(StoreConnection& store, bool disabled) {
  pb::UpdateAccountRequest request;
  request.set_name(AccountName(address_));
  request.set_disabled(disabled);
  return store.Call(request).status();
}

}  // namespace rmail::tools

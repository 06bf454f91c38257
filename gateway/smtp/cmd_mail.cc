// MAIL: who sends a message, and how it comes.
#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <utility>

#include "gateway/smtp/command_table.h"
#include "gateway/smtp/rate_check.h"
#include "gateway/smtp/recipient.h"
#include "gateway/smtp/syntax/command.h"
#include "store/base/logging.h"

namespace rmail::gateway::smtp {
namespace {

// Unique, not secret.
std::string NewId() {
  static thread_local std::mt19937_64 random = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }();
  return fmt::format("{:016x}", random());
}

// A session outlives what its account may: the account may have been disabled or deleted since it
// logged in. nullopt: it may still send.
boost::asio::awaitable<std::optional<Reply>> CheckAccount(Session& session) {
  const std::string account = session.state().login->account;
  const auto resolved = co_await session.addresses().Resolve(account.substr(account.find('/') + 1));
  if (resolved.ok()) {
    // Where it is gone an alias may have its address.
    const auto& found = resolved->accounts();
    if (std::find(found.begin(), found.end(), account) != found.end()) co_return std::nullopt;
  } else if (Reply reply = ReplyFor(resolved.status()); IsTransient(reply)) {
    co_return reply;
  }
  LogInfo("smtp: account={} may no longer send, peer={}", account, session.connection().peer());
  co_return Reply{550, "5.7.1", "This account may not send"};
}

// RFC 6409, 6.1: a user sends under an address whose mail is theirs. nullopt: they do.
boost::asio::awaitable<std::optional<Reply>> CheckOwnSender(Session& session, std::string address) {
  const std::string account = session.state().login->account;
  if (EqualsIgnoreCase(AccountOf(address), account)) co_return co_await CheckAccount(session);
  // An address leads to no account that is disabled or gone: that it is ours tells both.
  const absl::StatusOr<bool> owns = co_await session.addresses().Owns(account, address);
  if (!owns.ok()) co_return ReplyFor(owns.status());
  if (*owns) co_return std::nullopt;
  LogInfo("smtp: account={} may not send as <{}>, peer={}", account, address,
          session.connection().peer());
  co_return Reply{553, "5.7.1", "This sender address is not yours"};
}

// Nobody else's server has mail from one of our addresses, but for what is forged or forwarded.
boost::asio::awaitable<std::optional<Reply>> CheckForeignSender(Session& session,
                                                                std::string address) {
  const absl::StatusOr<bool> local = co_await session.addresses().IsLocal(address);
  if (!local.ok()) co_return ReplyFor(local.status());
  if (!*local) co_return std::nullopt;
  LogInfo("smtp: from=<{}> without authentication refused, peer={}", address,
          session.connection().peer());
  co_return Reply{550, "5.7.1", "Senders of this domain authenticate on the submission port"};
}

boost::asio::awaitable<std::optional<Reply>> CheckSender(Session& session, const Path& path) {
  // RFC 5321, 4.5.5: anybody may send with the null reverse-path.
  if (session.state().login.has_value()) {
    if (path.null()) co_return co_await CheckAccount(session);
    co_return co_await CheckOwnSender(session, path.Address());
  }
  if (path.null()) co_return std::nullopt;
  if (session.receiving() && session.options().reject_local_senders) {
    co_return co_await CheckForeignSender(session, path.Address());
  }
  co_return std::nullopt;
}

}  // namespace

boost::asio::awaitable<Outcome> CmdMail(Session& session, std::string argument) {
  const SmtpOptions& options = session.options();
  SessionState& state = session.state();
  if (state.transactions >= options.max_messages_per_connection) {
    co_return Reply{421, "4.7.0", options.hostname + " Too many messages on this connection"};
  }
  const MailExtensions offered{.auth = session.submission(),
                               .require_tls = session.connection().secure()};
  Parsed<MailCommand> parsed = ParseMail(argument, offered);
  if (auto* refusal = std::get_if<Reply>(&parsed)) co_return std::move(*refusal);
  MailCommand& mail = std::get<MailCommand>(parsed);
  // RFC 1870, 6.1.
  if (mail.size > options.max_message_size) {
    co_return Reply{552, "5.3.4", "The message is too big"};
  }
  std::optional<Reply> refusal = co_await CheckSender(session, mail.reverse_path);
  if (!refusal.has_value()) refusal = co_await CheckRate(session, RateKind::kMessage);
  if (refusal.has_value()) co_return *std::move(refusal);
  ++state.transactions;
  state.transaction.emplace();
  state.transaction->id = NewId();
  state.transaction->mail = std::move(mail);
  co_return Reply{250, "2.1.0", "Sender OK"};
}

}  // namespace rmail::gateway::smtp

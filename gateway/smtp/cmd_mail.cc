// The commands that make the envelope.
#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <utility>

#include "gateway/smtp/command_table.h"
#include "gateway/smtp/syntax/command.h"
#include "store/base/error.h"
#include "store/base/logging.h"

namespace rmail::gateway::smtp {
namespace {

using store::v1::ResolveRecipientRequest;
using store::v1::ResolveRecipientResponse;

// DeliverMessage takes no more.
constexpr size_t kMaxAccounts = 1000;

// RCPTs beyond max_recipients that a client with a long list may send in a transaction.
constexpr uint32_t kMaxSurplus = 1000;

// Unique, not secret.
std::string NewId() {
  static thread_local std::mt19937_64 random = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }();
  return fmt::format("{:016x}", random());
}

boost::asio::awaitable<absl::StatusOr<ResolveRecipientResponse>> Resolve(Session& session,
                                                                         std::string address) {
  const gateway::StoreSession store = session.store().Deliverer(AccountOf(address));
  ResolveRecipientRequest request;
  request.set_address(std::move(address));
  co_return co_await store.Call(std::move(request));
}

// RFC 6409, 6.1: a user sends under an address whose mail is theirs. nullopt: they do.
boost::asio::awaitable<std::optional<Reply>> CheckSender(Session& session, std::string address) {
  const std::string account = session.state().login->account;
  if (EqualsIgnoreCase("accounts/" + address, account)) co_return std::nullopt;
  const auto resolved = co_await Resolve(session, std::move(address));
  if (resolved.ok()) {
    const auto& accounts = resolved->accounts();
    if (std::find(accounts.begin(), accounts.end(), account) != accounts.end()) {
      co_return std::nullopt;
    }
  } else if (IsTransient(ReplyFor(resolved.status()))) {
    co_return ReplyFor(resolved.status());
  }
  co_return Reply{553, "5.7.1", "This sender address is not yours"};
}

// nullopt: its accounts, one at least, are all who get its mail.
std::optional<Reply> CheckRecipient(Session& session, std::string_view address,
                                    const ResolveRecipientResponse& resolved, bool no_domain) {
  const std::string& id = session.state().transaction->id;
  if (!resolved.local() && !no_domain) {
    LogInfo("smtp: {} relaying to <{}> refused, peer={}", id, address, session.connection().peer());
    return Reply{550, "5.7.1", "Relaying not available"};
  }
  if (!resolved.external().empty()) {
    LogWarning(
        "smtp: {} <{}> leads elsewhere, to {} addresses: mail for it waits, nothing is relayed", id,
        address, resolved.external_size());
    // Somebody meant this alias to work, and it will once mail is relayed: until then the sender
    // keeps the mail. Nor do its accounts get any: the sender could not tell who has it.
    return Reply{451, "4.3.5", "Mail for this address leaves this server, which is not set up"};
  }
  if (resolved.accounts().empty()) return ReplyFor(store::v1::ERROR_REASON_ACCOUNT_NOT_FOUND);
  return std::nullopt;
}

// A recipient's refusal. Whoever guesses addresses is slowed down.
boost::asio::awaitable<Reply> Refuse(Session& session, Reply reply) {
  const SmtpOptions& options = session.options();
  if (reply.code == 550 && ++session.state().refused_recipients > options.free_refusals) {
    co_await session.Pause(options.refusal_delay);
  }
  co_return reply;
}

}  // namespace

boost::asio::awaitable<Outcome> CmdMail(Session& session, std::string argument) {
  const SmtpOptions& options = session.options();
  SessionState& state = session.state();
  if (state.transactions >= options.max_messages_per_connection) {
    co_return Reply{421, "4.7.0", options.hostname + " Too many messages on this connection"};
  }
  Parsed<MailCommand> parsed = ParseMail(argument, /*auth_parameter=*/session.submission());
  if (auto* refusal = std::get_if<Reply>(&parsed)) co_return std::move(*refusal);
  MailCommand& mail = std::get<MailCommand>(parsed);
  // RFC 1870, 6.1.
  if (mail.size > options.max_message_size) {
    co_return Reply{552, "5.3.4", "The message is too big"};
  }
  if (state.login.has_value() && !mail.reverse_path.null()) {
    std::optional<Reply> refusal = co_await CheckSender(session, mail.reverse_path.Address());
    if (refusal.has_value()) co_return *std::move(refusal);
  }
  ++state.transactions;
  state.transaction.emplace();
  state.transaction->id = NewId();
  state.transaction->mail = std::move(mail);
  co_return Reply{250, "2.1.0", "Sender OK"};
}

boost::asio::awaitable<Outcome> CmdRcpt(Session& session, std::string argument) {
  const SmtpOptions& options = session.options();
  Transaction& transaction = *session.state().transaction;
  if (transaction.delivery != nullptr) {
    co_return Reply{503, "5.5.1", "The message has begun already"};
  }
  Parsed<RcptCommand> parsed = ParseRcpt(argument, transaction.mail.utf8);
  if (auto* refusal = std::get_if<Reply>(&parsed)) co_return std::move(*refusal);
  // RFC 5321, 4.5.3.1.10: the client sends to the rest later.
  const Reply too_many{452, "4.5.3", "Too many recipients"};
  if (transaction.recipients.size() >= options.max_recipients) {
    if (++transaction.surplus <= kMaxSurplus) session.CountProgress();
    co_return too_many;
  }

  Path path = std::get<RcptCommand>(std::move(parsed)).forward_path;
  const bool no_domain = path.domain.empty();
  if (no_domain) {
    path.domain = options.postmaster_domain.empty() ? options.hostname : options.postmaster_domain;
  }
  Recipient recipient;
  recipient.address = path.Address();
  const auto resolved = co_await Resolve(session, recipient.address);
  if (!resolved.ok()) co_return co_await Refuse(session, ReplyFor(resolved.status()));
  std::optional<Reply> refusal = CheckRecipient(session, recipient.address, *resolved, no_domain);
  if (refusal.has_value()) co_return co_await Refuse(session, *std::move(refusal));

  recipient.accounts.assign(resolved->accounts().begin(), resolved->accounts().end());
  transaction.recipients.push_back(std::move(recipient));
  if (AccountsOf(transaction.recipients).size() > kMaxAccounts) {
    transaction.recipients.pop_back();
    co_return too_many;
  }
  session.CountProgress();
  co_return Reply{250, "2.1.5", "Recipient OK"};
}

}  // namespace rmail::gateway::smtp

// RCPT: who gets a message.
#include <utility>

#include "gateway/smtp/command_table.h"
#include "gateway/smtp/rate_check.h"
#include "store/base/error.h"
#include "store/base/logging.h"

namespace rmail::gateway::smtp {
namespace {

using store::v1::ResolveRecipientResponse;

// DeliverMessage takes no more, and the queue neither.
constexpr size_t kMaxCopies = 1000;

// RCPTs beyond max_recipients that a client with a long list may send in a transaction.
constexpr uint32_t kMaxSurplus = 1000;

Reply TooManyRecipients() { return {452, "4.5.3", "Too many recipients"}; }

// nullopt: whoever the address leads to can be given the mail.
std::optional<Reply> CheckRecipient(Session& session, std::string_view address,
                                    const ResolveRecipientResponse& resolved, bool no_domain) {
  const std::string& id = session.state().transaction->id;
  const bool relay = session.options().relay;
  // RFC 5321, 3.6.2 and 7.8: others may not send through this server.
  const bool may_relay = relay && session.state().login.has_value();
  if (!resolved.local() && !no_domain && !may_relay) {
    LogInfo("smtp: {} relaying to <{}> refused, peer={}", id, address, session.connection().peer());
    return Reply{550, "5.7.1", "Relaying not available"};
  }
  if (!resolved.external().empty() && !relay) {
    LogWarning(
        "smtp: {} <{}> leads elsewhere, to {} addresses: mail for it waits, nothing is relayed", id,
        address, resolved.external_size());
    // Somebody meant this alias to work, and it will once mail is relayed: until then the sender
    // keeps the mail. Nor do its accounts get any: the sender could not tell who has it.
    return Reply{451, "4.3.5", "Mail for this address leaves this server, which is not set up"};
  }
  const bool nowhere = resolved.accounts().empty() && resolved.external().empty();
  if (nowhere && (resolved.local() || no_domain)) {
    return ReplyFor(store::v1::ERROR_REASON_ACCOUNT_NOT_FOUND);
  }
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

bool TooManyCopies(const std::vector<Recipient>& recipients) {
  size_t external = 0;
  for (const Recipient& recipient : recipients) external += recipient.external.size();
  return external > kMaxCopies || AccountsOf(recipients).size() > kMaxCopies;
}

}  // namespace

boost::asio::awaitable<Outcome> CmdRcpt(Session& session, std::string argument) {
  const SmtpOptions& options = session.options();
  Transaction& transaction = *session.state().transaction;
  if (transaction.delivery != nullptr) {
    co_return Reply{503, "5.5.1", "The message has begun already"};
  }
  Parsed<RcptCommand> parsed = ParseRcpt(argument, transaction.mail.utf8);
  if (auto* refusal = std::get_if<Reply>(&parsed)) co_return std::move(*refusal);
  // RFC 5321, 4.5.3.1.10: the client sends to the rest later.
  if (transaction.recipients.size() >= options.max_recipients) {
    if (++transaction.surplus <= kMaxSurplus) session.CountProgress();
    co_return TooManyRecipients();
  }

  RcptCommand& rcpt = std::get<RcptCommand>(parsed);
  const bool no_domain = rcpt.forward_path.domain.empty();
  if (no_domain) {
    rcpt.forward_path.domain =
        options.postmaster_domain.empty() ? options.hostname : options.postmaster_domain;
  }
  const std::string address = rcpt.forward_path.Address();
  // Before it is looked up: who guesses addresses is counted, too.
  std::optional<Reply> refusal = co_await CheckRate(session, RateKind::kRecipient);
  if (refusal.has_value()) co_return *std::move(refusal);
  const auto resolved = co_await session.addresses().Resolve(address);
  if (!resolved.ok()) co_return co_await Refuse(session, ReplyFor(resolved.status()));
  refusal = CheckRecipient(session, address, *resolved, no_domain);
  if (refusal.has_value()) co_return co_await Refuse(session, *std::move(refusal));

  transaction.recipients.push_back(MakeRecipient(address, rcpt, *resolved));
  if (TooManyCopies(transaction.recipients)) {
    transaction.recipients.pop_back();
    co_return TooManyRecipients();
  }
  session.CountProgress();
  co_return Reply{250, "2.1.5", "Recipient OK"};
}

}  // namespace rmail::gateway::smtp

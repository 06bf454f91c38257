#include "gateway/smtp/commit.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "gateway/smtp/notices.h"
#include "gateway/smtp/syntax/trace.h"
#include "gateway/smtp/tell_sender.h"
#include "store/base/logging.h"

namespace rmail::gateway::smtp {
namespace {

using store::v1::DeliverMessageResponse;

// Octets of recipients' names in the log.
constexpr size_t kMaxLogged = 2000;

std::string AccountName(Session& session) {
  const auto& login = session.state().login;
  return login.has_value() ? login->account : std::string();
}

std::string TraceFields(Session& session) {
  const Transaction& transaction = *session.state().transaction;
  Trace trace;
  trace.hello = session.state().hello->name;
  trace.peer = session.connection().peer();
  trace.hostname = session.options().hostname;
  trace.extended = session.state().hello->extended;
  trace.lmtp = session.lmtp();
  trace.tls = session.connection().secure();
  trace.authenticated = session.state().login.has_value();
  trace.utf8 = transaction.mail.utf8;
  trace.tls_description = session.connection().TlsDescription();
  trace.id = transaction.id;
  if (transaction.recipients.size() == 1) trace.recipient = transaction.recipients.front().address;
  trace.time = transaction.arrived;
  return ReceivedField(trace);
}

MessageOrigin OriginOf(Session& session) {
  const Transaction& transaction = *session.state().transaction;
  MessageOrigin origin;
  origin.id = transaction.id;
  origin.peer = session.connection().peer();
  origin.hello = session.state().hello->name;
  origin.tls = session.connection().secure();
  origin.account = AccountName(session);
  origin.reverse_path = transaction.mail.reverse_path.Address();
  for (const Recipient& recipient : transaction.recipients) {
    origin.recipients.push_back(recipient.address);
  }
  return origin;
}

// The store that is asked: one that knows an account which has to do with the message.
gateway::StoreSession StoreFor(Session& session, const store::v1::DeliverHeader& header) {
  std::string account = AccountName(session);
  if (header.recipients_size() > 0) {
    account = header.recipients(0);
  } else if (account.empty()) {
    account = AccountOf(header.queue().sender());
  }
  return session.store().Deliverer(std::move(account));
}

Reply Stored(const std::string& id) { return {250, "2.0.0", "Stored as " + id}; }

// The same reply for each recipient, in LMTP; once, in SMTP.
Outcome ReplyToAll(Session& session, const Transaction& transaction, const Reply& reply) {
  if (session.lmtp()) {
    for (size_t i = 1; i < transaction.recipients.size(); ++i) session.Send(reply);
  }
  return reply;
}

// LMTP's replies. A refusal makes the client send again, or tell the sender, for this recipient.
void SendReplies(Session& session, const Transaction& transaction,
                 const std::vector<FailedRecipient>& failed) {
  auto next = failed.begin();
  for (size_t index = 0; index < transaction.recipients.size(); ++index) {
    if (next == failed.end() || next->index != index) {
      session.Send(Stored(transaction.id));
      continue;
    }
    // Sent again, those who have a copy would get a second one.
    session.Send(next->partial ? RefusalOfSome({*next}) : next->reply);
    ++next;
  }
}

bool WantsSuccess(const Transaction& transaction) {
  return std::any_of(transaction.recipients.begin(), transaction.recipients.end(),
                     [](const Recipient& recipient) { return recipient.wants_success(); });
}

ReportedMessage Reported(Session& session, const Transaction& transaction) {
  ReportedMessage message;
  message.hostname = session.options().hostname;
  message.id = transaction.id;
  message.mail = &transaction.mail;
  message.arrived = transaction.arrived;
  message.now = absl::Now();
  message.returned = transaction.delivery->TakeHeader();
  return message;
}

TellSender Tell(Session& session, const Transaction& transaction,
                std::vector<relay::DeliveryReport> reports) {
  const std::string sender = transaction.mail.reverse_path.Address();
  return TellSender(session.connection().Executor(), session.addresses(),
                    session.store().Deliverer(AccountOf(sender)),
                    {std::move(reports), session.options().relay, transaction.mail.require_tls});
}

std::string NamesOf(const std::vector<FailedRecipient>& failed) {
  std::string names;
  for (const FailedRecipient& recipient : failed) {
    if (names.size() > kMaxLogged) break;
    names += fmt::format(" <{}>:{}", recipient.address, recipient.reply.enhanced);
  }
  return names;
}

// Copies are stored; the reply does not wait for the sender to be told so.
boost::asio::awaitable<void> TellOfSuccess(Session& session, const Transaction& transaction,
                                           std::vector<relay::DeliveryReport> reports) {
  if (reports.empty()) co_return;
  // When the client is gone, the next read tells.
  static_cast<void>(co_await session.Flush());
  TellSender tell = Tell(session, transaction, std::move(reports));
  co_await tell.End();
}

// Some copies are stored. A transient refusal would make the client send again to those who have
// theirs. RFC 5321, 6.1: who fails after a 250 is owed a notice. When there is none, the client's
// own server makes it, from a permanent refusal.
boost::asio::awaitable<void> ReplyToPartialFailure(Session& session, const Transaction& transaction,
                                                   const std::vector<FailedRecipient>& failed,
                                                   std::vector<relay::DeliveryReport> reports) {
  TellSender tell = Tell(session, transaction, std::move(reports));
  const bool told = co_await tell.Told(session.options().timeouts.notice);
  session.Send(told ? Stored(transaction.id) : RefusalOfSome(failed));
  static_cast<void>(co_await session.Flush());
  co_await tell.End();
}

// Nobody is to be told, so the log alone knows.
void LogUntold(const Transaction& transaction, const std::vector<FailedRecipient>& failed) {
  if (failed.empty()) return;
  LogWarning("smtp: {} lost for {} and nobody is told: from=<{}>{}", transaction.id, failed.size(),
             transaction.mail.reverse_path.Address(), NamesOf(failed));
}

void LogStored(Session& session, const Transaction& transaction,
               const DeliverMessageResponse& response, const std::vector<FailedRecipient>& failed) {
  LogInfo("smtp: {} {}: from=<{}> account={} recipients={} queued={} failed={}{} size={} peer={}",
          transaction.id, AnyDelivered(response) ? "stored" : "not stored",
          transaction.mail.reverse_path.Address(), AccountName(session),
          transaction.recipients.size(), response.queued(), failed.size(), NamesOf(failed),
          transaction.delivery->size(), session.connection().peer());
}

}  // namespace

void BeginMessage(Session& session) {
  Transaction& transaction = *session.state().transaction;
  const SmtpOptions& options = session.options();
  transaction.arrived = absl::Now();
  DeliveryPlan plan;
  for (std::string& account : AccountsOf(transaction.recipients)) {
    plan.header.add_recipients(std::move(account));
  }
  // RFC 5321, 4.4: the final delivery adds it, so what is sent on has none.
  plan.header.set_mailbox_fields(ReturnPathField(transaction.mail.reverse_path.Address()));
  store::v1::QueueEnvelope envelope =
      EnvelopeFor(transaction.mail, transaction.recipients, transaction.id, AccountName(session));
  if (envelope.recipients_size() > 0) {
    *plan.header.mutable_queue() = std::move(envelope);
    plan.header.set_max_queued_messages(options.max_queued_messages);
  }
  plan.trace_fields = TraceFields(session);
  plan.policy = {options.max_message_size, options.max_text_line, options.max_hops,
                 transaction.mail.body == Body::kBinaryMime};
  plan.normalise_newlines = options.normalise_newlines && !plan.policy.binary;
  const MessageOrigin origin = OriginOf(session);
  for (MessageFilter* const filter : session.filters()) {
    plan.checks.push_back(filter->Begin(origin));
  }
  plan.slots = session.slots();
  gateway::StoreSession store = StoreFor(session, plan.header);
  transaction.delivery = std::make_unique<Delivery>(std::move(store), std::move(plan));
}

boost::asio::awaitable<Outcome> CommitMessage(Session& session) {
  const Transaction transaction = *std::exchange(session.state().transaction, std::nullopt);
  Parsed<DeliverMessageResponse> answer = co_await transaction.delivery->Finish();
  if (auto* refusal = std::get_if<Reply>(&answer)) {
    LogInfo("smtp: {} refused: from=<{}> account={} peer={} reply={} {} {}", transaction.id,
            transaction.mail.reverse_path.Address(), AccountName(session),
            session.connection().peer(), refusal->code, refusal->enhanced, refusal->text);
    co_return ReplyToAll(session, transaction, *refusal);
  }
  const auto& response = std::get<DeliverMessageResponse>(answer);
  const std::vector<FailedRecipient> failed = FailedRecipients(transaction.recipients, response);
  if (!AnyDelivered(response) && !session.lmtp()) {
    LogWarning("smtp: {} not stored: from=<{}> recipients={}", transaction.id,
               transaction.mail.reverse_path.Address(), failed.size());
    co_return RefusalOfAll(failed);
  }
  LogStored(session, transaction, response, failed);
  if (AnyDelivered(response)) session.state().idle_commands = 0;
  if (!session.lmtp() && failed.empty() && !WantsSuccess(transaction)) {
    co_return Stored(transaction.id);
  }
  session.state().bad_commands = 0;
  const ReportedMessage message = Reported(session, transaction);
  std::vector<relay::DeliveryReport> reports =
      SuccessReports(message, transaction.recipients, failed);
  const std::vector<FailedRecipient> owed =
      ToReport(transaction.mail, transaction.recipients, failed);
  if (session.lmtp()) {
    SendReplies(session, transaction, failed);
  } else if (owed.empty()) {
    LogUntold(transaction, failed);
    session.Send(Stored(transaction.id));
  } else {
    co_await ReplyToPartialFailure(session, transaction, owed,
                                   FailureReports(message, transaction.recipients, owed));
  }
  co_await TellOfSuccess(session, transaction, std::move(reports));
  co_return std::nullopt;
}

}  // namespace rmail::gateway::smtp

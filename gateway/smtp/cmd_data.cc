// The commands that carry the message: DATA (RFC 5321, 4.1.1.4) and BDAT (RFC 3030).
#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "gateway/smtp/command_table.h"
#include "gateway/smtp/syntax/command.h"
#include "gateway/smtp/syntax/dot_reader.h"
#include "gateway/smtp/syntax/trace.h"
#include "gateway/smtp/tell_sender.h"
#include "store/base/logging.h"

namespace rmail::gateway::smtp {
namespace {

using store::v1::DeliverMessageResponse;

// Octets read at a time.
constexpr size_t kBlock = 64 * 1024;

// Octets of a BDAT chunk that counts as progress.
constexpr uint64_t kSmallChunk = 1024;

std::string TraceFields(Session& session) {
  const Transaction& transaction = *session.state().transaction;
  Trace trace;
  trace.hello = session.state().hello->name;
  trace.peer = session.connection().peer();
  trace.hostname = session.options().hostname;
  trace.extended = session.state().hello->extended;
  trace.tls = session.connection().secure();
  trace.authenticated = session.state().login.has_value();
  trace.utf8 = transaction.mail.utf8;
  trace.tls_description = session.connection().TlsDescription();
  trace.id = transaction.id;
  if (transaction.recipients.size() == 1) trace.recipient = transaction.recipients.front().address;
  trace.time = absl::Now();
  // RFC 5321, 4.4: the reverse-path first, this being the final delivery.
  return ReturnPathField(transaction.mail.reverse_path.Address()) + ReceivedField(trace);
}

// Opens the transaction's sink.
void Begin(Session& session) {
  Transaction& transaction = *session.state().transaction;
  const SmtpOptions& options = session.options();
  const MessagePolicy policy{options.max_message_size, options.max_text_line, options.max_hops};
  const std::vector<std::string> accounts = AccountsOf(transaction.recipients);
  transaction.delivery = std::make_unique<Delivery>(session.store().Deliverer(accounts.front()),
                                                    accounts, TraceFields(session), policy);
}

// The next octets of a message that must be whole at `deadline`.
boost::asio::awaitable<absl::StatusOr<std::string>> ReadBlock(Session& session, size_t max,
                                                              absl::Time deadline) {
  if (session.input().buffered() == 0) {
    const absl::Status status = co_await session.Flush();
    if (!status.ok()) co_return status;
  }
  const absl::Duration left = std::max(deadline - absl::Now(), absl::ZeroDuration());
  session.connection().SetTimeout(std::min(session.options().timeouts.data_block, left));
  co_return co_await session.input().ReadSome(max);
}

// Reads to the end of data.
boost::asio::awaitable<absl::Status> ReceiveData(Session& session, Delivery& delivery) {
  const absl::Time deadline = absl::Now() + session.options().timeouts.data_total;
  DotReader reader;
  std::string content;
  while (!reader.done()) {
    const absl::StatusOr<std::string> block = co_await ReadBlock(session, kBlock, deadline);
    if (!block.ok()) co_return block.status();
    content.clear();
    const size_t used = reader.Feed(*block, content);
    session.input().GiveBack(std::string_view(*block).substr(used));
    co_await delivery.Add(content);
  }
  co_return absl::OkStatus();
}

// Reads a chunk, which must be read even when nobody wants it. `delivery` may be null.
boost::asio::awaitable<absl::Status> ReceiveChunk(Session& session, Delivery* delivery,
                                                  uint64_t size) {
  const absl::Time deadline = absl::Now() + session.options().timeouts.data_total;
  while (size > 0) {
    const size_t want = static_cast<size_t>(std::min<uint64_t>(size, kBlock));
    const absl::StatusOr<std::string> block = co_await ReadBlock(session, want, deadline);
    if (!block.ok()) co_return block.status();
    size -= block->size();
    if (delivery != nullptr) co_await delivery->Add(*block);
  }
  co_return absl::OkStatus();
}

Reply Stored(const std::string& id) { return {250, "2.0.0", "Stored as " + id}; }

// Some copies are stored. A transient refusal would make the client send again to those who have
// theirs.
boost::asio::awaitable<Outcome> ReplyToPartialFailure(Session& session, NonDelivery notice) {
  const std::string id = notice.id;
  // RFC 5321, 6.1: who fails after a 250 is owed a notice. When there is none, the client's own
  // server makes it, from this:
  const Reply refusal = RefusalOfSome(notice.failed);
  gateway::StoreSession store = session.store().Deliverer(AccountOf(notice.sender));
  TellSender tell(session.connection().Executor(), std::move(store), std::move(notice));
  if (co_await tell.Told(session.options().timeouts.notice)) co_return Stored(id);
  session.Send(refusal);
  // When the client is gone, the next read tells.
  static_cast<void>(co_await session.Flush());
  co_await tell.End();
  co_return std::nullopt;
}

// Ends the transaction: the store's answer makes the reply.
boost::asio::awaitable<Outcome> Commit(Session& session) {
  const Transaction transaction = *std::exchange(session.state().transaction, std::nullopt);
  const std::string from = transaction.mail.reverse_path.Address();
  Parsed<DeliverMessageResponse> answer = co_await transaction.delivery->Finish();
  if (auto* refusal = std::get_if<Reply>(&answer)) {
    LogInfo("smtp: {} refused: from=<{}> peer={} reply={} {}", transaction.id, from,
            session.connection().peer(), refusal->code, refusal->enhanced);
    co_return std::move(*refusal);
  }
  const auto& response = std::get<DeliverMessageResponse>(answer);
  const std::vector<FailedRecipient> failed = FailedRecipients(transaction.recipients, response);
  if (!AnyDelivered(response)) {
    LogWarning("smtp: {} not stored: from=<{}> recipients={}", transaction.id, from, failed.size());
    co_return RefusalOfAll(failed);
  }
  LogInfo("smtp: {} stored: from=<{}> recipients={} failed={} size={} peer={}", transaction.id,
          from, transaction.recipients.size(), failed.size(), transaction.delivery->size(),
          session.connection().peer());
  session.state().idle_commands = 0;
  if (!failed.empty()) {
    co_return co_await ReplyToPartialFailure(
        session, {session.options().hostname, from, transaction.id, failed, absl::Now()});
  }
  co_return Stored(transaction.id);
}

std::optional<Reply> CheckRecipients(const Transaction& transaction) {
  // RFC 5321, 3.3 and RFC 2920, 3.1: all RCPTs of a pipelined group were refused.
  if (transaction.recipients.empty()) return Reply{554, "5.5.1", "No valid recipients"};
  return std::nullopt;
}

}  // namespace

boost::asio::awaitable<Outcome> CmdData(Session& session, std::string) {
  Transaction& transaction = *session.state().transaction;
  // RFC 3030, 2: the two don't mix.
  if (transaction.delivery != nullptr) {
    co_return Reply{503, "5.5.1", "The message has begun with BDAT"};
  }
  std::optional<Reply> refusal = CheckRecipients(transaction);
  if (refusal.has_value()) co_return *std::move(refusal);
  Begin(session);
  session.Send({354, "", "End data with <CR><LF>.<CR><LF>"});
  const absl::Status status = co_await ReceiveData(session, *transaction.delivery);
  if (!status.ok()) co_return session.Lost(status);
  co_return co_await Commit(session);
}

boost::asio::awaitable<Outcome> CmdBdat(Session& session, std::string argument) {
  const Parsed<BdatCommand> parsed = ParseBdat(argument);
  if (const auto* refusal = std::get_if<Reply>(&parsed)) {
    // Where the chunk ends, and commands start again, is not known.
    session.Close();
    co_return *refusal;
  }
  const BdatCommand chunk = std::get<BdatCommand>(parsed);
  std::optional<Reply> refusal = session.Refusal(kNeedsHello | kNeedsAuth | kNeedsTransaction);
  Transaction* transaction = refusal.has_value() ? nullptr : &*session.state().transaction;
  if (transaction != nullptr && transaction->delivery == nullptr) {
    refusal = CheckRecipients(*transaction);
    if (!refusal.has_value()) Begin(session);
  }
  Delivery* delivery = refusal.has_value() ? nullptr : transaction->delivery.get();
  // RFC 3030, 4.2: the chunk is taken before the reply.
  const absl::Status status = co_await ReceiveChunk(session, delivery, chunk.size);
  if (!status.ok()) co_return session.Lost(status);
  if (refusal.has_value()) co_return *std::move(refusal);
  if (chunk.last) co_return co_await Commit(session);
  // A trickle of tiny chunks is not what carries a message on.
  if (chunk.size >= kSmallChunk) session.CountProgress();
  if (delivery->refusal().has_value()) {
    // RFC 3030, 4.2: the transaction is over; chunks in the pipe get 503.
    const Reply reply = *delivery->refusal();
    session.state().transaction.reset();
    co_return reply;
  }
  co_return Reply{250, "2.0.0", std::to_string(chunk.size) + " octets received"};
}

}  // namespace rmail::gateway::smtp

// The commands that carry the message: DATA (RFC 5321, 4.1.1.4) and BDAT (RFC 3030).
#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "gateway/smtp/command_table.h"
#include "gateway/smtp/commit.h"
#include "gateway/smtp/syntax/command.h"
#include "gateway/smtp/syntax/dot_reader.h"

namespace rmail::gateway::smtp {
namespace {

// Octets read at a time.
constexpr size_t kBlock = 64 * 1024;

// Octets of a BDAT chunk that counts as progress.
constexpr uint64_t kSmallChunk = 1024;

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

std::optional<Reply> CheckRecipients(const Session& session, const Transaction& transaction) {
  if (!transaction.recipients.empty()) return std::nullopt;
  // RFC 2033, 4.2.
  if (session.lmtp()) return Reply{503, "5.5.1", "No valid recipients"};
  // RFC 5321, 3.3 and RFC 2920, 3.1: all RCPTs of a pipelined group were refused.
  return Reply{554, "5.5.1", "No valid recipients"};
}

}  // namespace

boost::asio::awaitable<Outcome> CmdData(Session& session, std::string) {
  Transaction& transaction = *session.state().transaction;
  // RFC 3030, 2: the two don't mix.
  if (transaction.delivery != nullptr) {
    co_return Reply{503, "5.5.1", "The message has begun with BDAT"};
  }
  // RFC 3030, 3: such a message has no line of a single dot to find.
  if (transaction.mail.body == Body::kBinaryMime) {
    co_return Reply{503, "5.5.1", "BINARYMIME needs BDAT"};
  }
  std::optional<Reply> refusal = CheckRecipients(session, transaction);
  if (refusal.has_value()) co_return *std::move(refusal);
  BeginMessage(session);
  session.Send({354, "", "End data with <CR><LF>.<CR><LF>"});
  const absl::Status status = co_await ReceiveData(session, *transaction.delivery);
  if (!status.ok()) co_return session.Lost(status);
  co_return co_await CommitMessage(session);
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
    refusal = CheckRecipients(session, *transaction);
    if (!refusal.has_value()) BeginMessage(session);
  }
  Delivery* delivery = refusal.has_value() ? nullptr : transaction->delivery.get();
  // RFC 3030, 4.2: the chunk is taken before the reply.
  const absl::Status status = co_await ReceiveChunk(session, delivery, chunk.size);
  if (!status.ok()) co_return session.Lost(status);
  if (refusal.has_value()) co_return *std::move(refusal);
  if (chunk.last) co_return co_await CommitMessage(session);
  if (delivery->refusal().has_value()) {
    const Reply reply = *delivery->refusal();
    // RFC 3030, 4.2: the transaction is over; chunks in the pipe get 503. In LMTP it lasts until
    // the last chunk, which has a reply for each recipient (RFC 2033, 4.2).
    if (!session.lmtp()) session.state().transaction.reset();
    co_return reply;
  }
  // A trickle of tiny chunks is not what carries a message on.
  if (chunk.size >= kSmallChunk) session.CountProgress();
  co_return Reply{250, "2.0.0", std::to_string(chunk.size) + " octets received"};
}

}  // namespace rmail::gateway::smtp

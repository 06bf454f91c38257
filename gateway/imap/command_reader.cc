#include "gateway/imap/command_reader.h"

#include <algorithm>
#include <utility>

#include "gateway/imap/syntax/command_assembler.h"
#include "store/base/status.h"

namespace rmail::gateway::imap {

namespace {

constexpr size_t kChunk = 16 * 1024;

}  // namespace

boost::asio::awaitable<absl::StatusOr<RawCommand>> CommandReader::Read() {
  using Next = CommandAssembler::Next;
  CommandAssembler assembler({.literal = options_.max_literal,
                              .command = options_.max_command,
                              .line = options_.max_line});
  RawCommand command;
  Next next = Next::kLine;
  bool first = true;
  while (next != Next::kDone && next != Next::kMessage) {
    if (next == Next::kLine) {
      // With more input at hand, its answers go out together with those of this command. A line
      // that is too long is read nevertheless, up to a limit: its end says whether a literal
      // follows.
      if (!reader_.has_line()) co_await out_.Flush();
      RMAIL_CO_ASSIGN_OR_RETURN(const std::string line,
                                co_await reader_.ReadLine(options_.max_command, first));
      first = false;
      next = assembler.AddLine(line);
    } else {
      if (next == Next::kContinuation) co_await SendContinuation();
      next = Next::kLine;
      if (assembler.literal_left() == 0) continue;
      const auto wanted = static_cast<size_t>(std::min<uint64_t>(kChunk, assembler.literal_left()));
      if (reader_.buffered() == 0) co_await out_.Flush();
      RMAIL_CO_ASSIGN_OR_RETURN(const std::string octets, co_await reader_.ReadSome(wanted));
      next = assembler.AddLiteral(octets);
    }
  }
  command.text = assembler.text();
  command.oversized = assembler.oversized();
  if (next == Next::kMessage) command.message = AnnouncedLiteral(command.text);
  co_return command;
}

boost::asio::awaitable<void> CommandReader::SendContinuation() {
  out_.buffer() += "+ Ready for the literal\r\n";
  co_await out_.Flush();
}

boost::asio::awaitable<absl::Status> CommandReader::SkipMessage(LiteralSize message) {
  if (message.synchronizing) co_return absl::OkStatus();
  RMAIL_CO_RETURN_IF_ERROR(co_await Skip(message.octets));
  const absl::StatusOr<bool> end = co_await ReadEnd();
  co_return end.status();
}

boost::asio::awaitable<absl::StatusOr<bool>> CommandReader::ReadEnd() {
  bool empty = true;
  while (true) {
    RMAIL_CO_ASSIGN_OR_RETURN(const std::string line,
                              co_await reader_.ReadLine(options_.max_command));
    const std::string_view text = WithoutLineEnding(line);
    if (!text.empty()) empty = false;
    const std::optional<LiteralSize> literal = AnnouncedLiteral(text);
    if (!literal || literal->synchronizing) co_return empty;
    RMAIL_CO_RETURN_IF_ERROR(co_await Skip(literal->octets));
  }
}

boost::asio::awaitable<absl::Status> CommandReader::Skip(uint64_t octets) {
  while (octets > 0) {
    const auto wanted = static_cast<size_t>(std::min<uint64_t>(kChunk, octets));
    RMAIL_CO_ASSIGN_OR_RETURN(const std::string skipped, co_await reader_.ReadSome(wanted));
    octets -= skipped.size();
  }
  co_return absl::OkStatus();
}

}  // namespace rmail::gateway::imap

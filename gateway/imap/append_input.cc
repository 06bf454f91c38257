#include "gateway/imap/append_input.h"

#include <algorithm>
#include <utility>

#include "gateway/imap/session.h"
#include "gateway/imap/syntax/command_assembler.h"
#include "store/base/status.h"

namespace rmail::gateway::imap {

namespace {

constexpr size_t kChunk = 64 * 1024;

}  // namespace

AppendInput::AppendInput(Session& session, const AppendFragment& first)
    : session_(session), fragment_(first), literal_(session.TakeMessage()) {
  if (literal_) left_ = literal_->octets;
}

boost::asio::awaitable<absl::StatusOr<std::optional<AppendStep>>> AppendInput::Next() {
  while (next_step_ == fragment_.steps.size()) {
    if (fragment_.next == AppendPosition::kEnd) co_return std::nullopt;
    RMAIL_CO_RETURN_IF_ERROR(co_await NextFragment());
  }
  co_return std::move(fragment_.steps[next_step_++]);
}

boost::asio::awaitable<absl::Status> AppendInput::NextFragment() {
  // Nobody has read an empty literal.
  co_await Begin();
  RMAIL_CO_ASSIGN_OR_RETURN(const std::string line, co_await ReadLine());
  if (line.size() > session_.context().options.max_line) {
    co_return absl::InvalidArgumentError("The line is too long");
  }
  const AppendPosition position = fragment_.next;
  fragment_ = AppendFragment();
  next_step_ = 0;
  Lexer lexer(line);
  if (!ParseAppendFragment(lexer, position, fragment_)) {
    co_return absl::InvalidArgumentError(ToAbsl(lexer.error()));
  }
  co_return absl::OkStatus();
}

boost::asio::awaitable<absl::StatusOr<std::string>> AppendInput::Read() {
  co_await Begin();
  if (left_ == 0) co_return std::string();
  co_return co_await ReadOctets();
}

boost::asio::awaitable<absl::Status> AppendInput::SkipRest() {
  while (broken_.ok() && literal_) {
    // Instead of a continuation it will see the command's answer.
    if (literal_->synchronizing && !begun_) break;
    while (left_ > 0) {
      const absl::StatusOr<std::string> octets = co_await ReadOctets();
      if (!octets.ok()) co_return octets.status();
    }
    const absl::StatusOr<std::string> line = co_await ReadLine();
    if (!line.ok()) co_return line.status();
  }
  co_return broken_;
}

boost::asio::awaitable<void> AppendInput::Begin() {
  if (begun_ || !literal_) co_return;
  begun_ = true;
  if (literal_->synchronizing) co_await session_.commands().SendContinuation();
}

boost::asio::awaitable<absl::StatusOr<std::string>> AppendInput::ReadOctets() {
  Wait();
  const auto most = static_cast<size_t>(std::min<uint64_t>(left_, kChunk));
  absl::StatusOr<std::string> octets = co_await session_.reader().ReadSome(most);
  if (octets.ok()) {
    left_ -= octets->size();
  } else {
    broken_ = octets.status();
  }
  co_return octets;
}

boost::asio::awaitable<absl::StatusOr<std::string>> AppendInput::ReadLine() {
  Wait();
  absl::StatusOr<std::string> line =
      co_await session_.reader().ReadLine(session_.context().options.max_command);
  if (!line.ok()) {
    broken_ = line.status();
    co_return line;
  }
  line->resize(WithoutLineEnding(*line).size());
  literal_ = AnnouncedLiteral(*line);
  left_ = literal_ ? literal_->octets : 0;
  begun_ = false;
  co_return line;
}

// The client gets as long for each piece as for a command.
void AppendInput::Wait() {
  session_.connection()->SetTimeout(session_.context().options.idle_timeout);
}

}  // namespace rmail::gateway::imap

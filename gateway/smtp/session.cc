#include "gateway/smtp/session.h"

#include <fmt/format.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "gateway/smtp/command_table.h"
#include "gateway/smtp/rate_check.h"
#include "gateway/smtp/syntax/command.h"
#include "store/base/logging.h"

namespace rmail::gateway::smtp {
namespace {

// Replies that wait for the end of a pipelined group.
constexpr size_t kMaxOutput = 4096;

// The client does not speak SMTP well, or not at all. 503 is no sign of that: with PIPELINING, all
// that follows a refused MAIL gets it (RFC 2920, 3.1).
bool IsBadCommand(const Reply& reply) {
  return (reply.code >= 500 && reply.code <= 504 && reply.code != 503) || reply.code == 555;
}

}  // namespace

Session::Session(std::shared_ptr<gateway::Connection> connection, const SessionContext& context,
                 Service service)
    : connection_(std::move(connection)),
      context_(context),
      service_(service),
      input_(*connection_) {}

boost::asio::awaitable<void> Session::Run() {
  if (!co_await Greet()) co_return;
  while (!closing_) {
    Outcome outcome = co_await NextCommand();
    if (outcome.has_value()) {
      Send(*outcome);
      Count(*outcome);
    }
    if (output_.size() > kMaxOutput && !(co_await Flush()).ok()) co_return;
  }
  // The client may be gone; then there is nobody to tell.
  static_cast<void>(co_await Flush());
}

// RFC 5321, 3.1 and 4.3.1: the client waits for the greeting. Robots don't.
boost::asio::awaitable<bool> Session::Greet() {
  if (service_ == Service::kReceiving && options().greeting_delay > absl::ZeroDuration()) {
    connection_->SetTimeout(options().greeting_delay);
    const absl::Status status = co_await connection_->WaitReadable();
    if (status.ok()) {
      LogInfo("smtp: {} talked before the greeting", connection_->peer());
      Send({554, "5.5.0", "Wait for the greeting"});
      static_cast<void>(co_await Flush());
      co_return false;
    }
    if (!absl::IsDeadlineExceeded(status)) co_return false;
  }
  std::optional<Reply> refusal = co_await CheckRate(*this, RateKind::kConnection);
  if (refusal.has_value()) {
    Send(*refusal);
    static_cast<void>(co_await Flush());
    co_return false;
  }
  Send({220, "", options().hostname + (lmtp() ? " LMTP rmail" : " ESMTP rmail")});
  co_return (co_await Flush()).ok();
}

boost::asio::awaitable<Outcome> Session::NextCommand() {
  if (connection_->draining()) co_return Lost(absl::CancelledError(""));
  absl::StatusOr<std::string> line = co_await ReadLine(kMaxAuthLine);
  if (absl::IsResourceExhausted(line.status())) {
    // What it was is not known. If it was BDAT, what follows are no commands.
    Close();
    co_return Reply{500, "5.5.2", "Line too long"};
  }
  if (!line.ok()) co_return Lost(line.status());
  if (++state_.idle_commands > options().max_idle_commands) {
    LogInfo("smtp: {} sent too many commands without a message", connection_->peer());
    co_return Reply{421, "4.7.0", options().hostname + " Too many commands without a message"};
  }
  co_return co_await Dispatch(*std::move(line));
}

boost::asio::awaitable<Outcome> Session::Dispatch(std::string line) {
  Parsed<Chosen> parsed = Choose(line);
  if (auto* refusal = std::get_if<Reply>(&parsed)) {
    // The octets of a chunk whose BDAT was not understood must not run as commands.
    if (MayBeBdat(line)) Close();
    co_return std::move(*refusal);
  }
  Chosen& chosen = std::get<Chosen>(parsed);
  const Command& command = *chosen.command;
  if ((command.flags & kEndsGroup) != 0 && input_.buffered() > 0) {
    // What follows was written by somebody who does not read the replies.
    Close();
    co_return Reply{554, "5.5.0", fmt::format("Commands sent ahead of {}'s reply", command.verb)};
  }
  std::optional<Reply> refusal = Refusal(command.flags);
  if (refusal.has_value()) co_return *std::move(refusal);
  if ((command.flags & kNoArgument) != 0 && !chosen.argument.empty()) {
    co_return Reply{501, "5.5.4", fmt::format("{} takes no argument", command.verb)};
  }
  co_return co_await command.handler(*this, std::move(chosen.argument));
}

Parsed<Session::Chosen> Session::Choose(std::string_view line) const {
  Parsed<CommandLine> parsed = ParseCommandLine(line);
  if (auto* refusal = std::get_if<Reply>(&parsed)) return std::move(*refusal);
  CommandLine& command_line = std::get<CommandLine>(parsed);
  const Command* command = FindCommand(command_line.verb);
  // RFC 2033, 4.1.
  const unsigned elsewhere = lmtp() ? kNotLmtp : kOnlyLmtp;
  if (command != nullptr && (command->flags & elsewhere) != 0) command = nullptr;
  if (line.size() > (command == nullptr ? kMaxCommandLine : command->max_line)) {
    return Reply{500, "5.5.2", "Line too long"};
  }
  if (command == nullptr) return Reply{500, "5.5.1", "Command not recognised"};
  return Chosen{command, std::move(command_line.argument)};
}

std::optional<Reply> Session::Refusal(unsigned flags) const {
  if ((flags & kNeedsHello) != 0 && !state_.hello.has_value()) {
    return Reply{503, "5.5.1", lmtp() ? "Send LHLO first" : "Send EHLO first"};
  }
  if ((flags & kNeedsAuth) != 0 && submission() && !state_.login.has_value()) {
    // RFC 3207, 4 and RFC 4954, 6.
    return Reply{530, "5.7.0",
                 needs_tls() ? "Must issue a STARTTLS command first" : "Authentication required"};
  }
  if ((flags & kNeedsTransaction) != 0 && !state_.transaction.has_value()) {
    return Reply{503, "5.5.1", "Send MAIL first"};
  }
  if ((flags & kNoTransaction) != 0 && state_.transaction.has_value()) {
    return Reply{503, "5.5.1", "Not during a mail transaction"};
  }
  return std::nullopt;
}

void Session::Send(const Reply& reply) {
  output_ += FormatReply(reply);
  // RFC 5321, 4.2.3: both end the session.
  if (reply.code == 421 || reply.code == 221) Close();
}

boost::asio::awaitable<absl::Status> Session::Flush() {
  if (output_.empty()) co_return absl::OkStatus();
  connection_->SetTimeout(options().timeouts.command);
  const std::string data = std::exchange(output_, std::string());
  co_return co_await connection_->Write(data);
}

boost::asio::awaitable<absl::StatusOr<std::string>> Session::ReadLine(size_t max) {
  // Half a line is something to wait for, too.
  if (!input_.has_line()) {
    const absl::Status status = co_await Flush();
    if (!status.ok()) co_return status;
  }
  connection_->SetTimeout(options().timeouts.command);
  co_return co_await input_.ReadLine(max, /*interruptible=*/true);
}

boost::asio::awaitable<void> Session::Pause(absl::Duration duration) {
  if (duration <= absl::ZeroDuration()) co_return;
  boost::asio::steady_timer timer(connection_->Executor());
  timer.expires_after(absl::ToChronoNanoseconds(duration));
  co_await timer.async_wait(boost::asio::use_awaitable);
}

Outcome Session::Lost(const absl::Status& status) {
  Close();
  if (absl::IsDeadlineExceeded(status)) {
    return Reply{421, "4.4.2", options().hostname + " Timeout, closing the connection"};
  }
  if (absl::IsCancelled(status)) {
    return Reply{421, "4.3.2", options().hostname + " Service shutting down"};
  }
  return std::nullopt;
}

void Session::Count(const Reply& reply) {
  if (!IsFailure(reply)) state_.bad_commands = 0;
  if (!IsBadCommand(reply) || closing_) return;
  if (++state_.bad_commands < options().max_bad_commands) return;
  LogInfo("smtp: {} sent too many bad commands", connection_->peer());
  Send({421, "4.7.0", options().hostname + " Too many bad commands"});
}

}  // namespace rmail::gateway::smtp

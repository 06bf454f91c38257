#include "gateway/imap/session.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "gateway/imap/capabilities.h"
#include "gateway/imap/commands.h"
#include "gateway/imap/notifications.h"
#include "gateway/imap/search_updates.h"
#include "gateway/imap/syntax/parser.h"
#include "gateway/imap/syntax/writer.h"
#include "store/base/error.h"
#include "store/base/logging.h"
#include "store/base/status.h"

namespace rmail::gateway::imap {

namespace {

// How long a client may take to accept the last words.
constexpr absl::Duration kGoodbyeTimeout = absl::Seconds(5);
constexpr int kMaxDelayFactor = 16;
// A delay looks this often whether the server drains.
constexpr absl::Duration kDelayStep = absl::Milliseconds(100);

std::string_view WhyNotNow(const CommandEntry& entry, SessionState state) {
  if (state == kNotAuthenticated) return "Log in first";
  if ((entry.states & kLoggedIn) == 0) return "Not after login";
  return state == kAuthenticated ? "Select a mailbox first" : "Not while a mailbox is selected";
}

}  // namespace

Session::Session(std::shared_ptr<Connection> connection, const SessionContext& context)
    : context_(context),
      connection_(std::move(connection)),
      reader_(*connection_),
      out_(*connection_, context.options.login_timeout),
      commands_(reader_, out_, context.options) {}

Session::~Session() = default;

void Session::SetNotifications(std::unique_ptr<Notifications> notifications) {
  notifications_ = std::move(notifications);
}

SessionState Session::state() const {
  if (!store_) return kNotAuthenticated;
  return selection_ == nullptr ? kAuthenticated : kSelected;
}

std::string Session::Capabilities() const {
  return CapabilityList({
      .logged_in = state() != kNotAuthenticated,
      .can_start_tls = !connection_->secure() && context_.tls != nullptr,
      .private_enough = private_enough(),
      .secure = connection_->secure(),
      .scram = context_.access.scram(),
      .append_limit = context_.options.max_message_size,
  });
}

boost::asio::awaitable<void> Session::Run() {
  out_.SetTimeout(context_.options.login_timeout, absl::Now() + context_.options.login_timeout);
  out_.buffer() += "* OK [" + Capabilities() + "] " + context_.options.hostname + " ready\r\n";
  while (!ending_ && !aborted_ && !out_.failed()) {
    co_await PushNotifications(*this);
    if (ending_ || aborted_ || out_.failed()) break;
    const absl::Duration left = out_.time_left();
    // A client that sends all the time is never waited for.
    if (left <= absl::ZeroDuration()) {
      co_return co_await EndNow(absl::DeadlineExceededError("no login"));
    }
    connection_->SetTimeout(left);
    absl::StatusOr<RawCommand> raw = co_await commands_.Read();
    if (raw.ok()) {
      co_await Handle(*std::move(raw));
    } else if (!absl::IsAborted(raw.status())) {
      co_return co_await EndNow(raw.status());
    }
  }
  if (!aborted_) co_await out_.Flush();
}

boost::asio::awaitable<void> Session::Handle(RawCommand raw) {
  const ParseResult parsed = ParseCommand(raw.text, {.utf8_names = enabled_.utf8_names()});
  message_ = raw.message;
  Reply reply;
  if (raw.oversized) {
    reply = Bad("[TOOBIG] The command is too long");
  } else if (!parsed.command) {
    reply = Bad(parsed.error);
  } else {
    reply = co_await Dispatch(*parsed.command);
  }
  if (const std::optional<LiteralSize> message = TakeMessage()) {
    const absl::Status skipped = co_await commands_.SkipMessage(*message);
    if (!skipped.ok()) co_return co_await EndNow(skipped);
  }
  if (aborted_) co_return;
  Count(reply);
  if (reply.ends_session) EndAfterReply("The session has expired");
  out_.buffer() += parsed.tag.empty() ? "*" : parsed.tag;
  out_.buffer() += ' ';
  out_.buffer() += reply.text;
  out_.buffer() += "\r\n";
  if (out_.full()) co_await out_.Flush();
  if (std::exchange(upgrade_, false)) co_await Upgrade();
  if (std::exchange(compress_, false)) co_await StartCompression();
}

boost::asio::awaitable<Reply> Session::Dispatch(const Command& command) {
  const CommandEntry* entry = FindCommand(command.name);
  if (entry == nullptr) co_return Bad("Unknown command");
  if ((entry->states & state()) == 0) co_return Bad(WhyNotNow(*entry, state()));
  if ((entry->effects & kNeedsPrivacy) != 0 && !private_enough()) {
    co_return No("PRIVACYREQUIRED", "Use STARTTLS first");
  }
  co_return co_await Execute(*entry, command);
}

boost::asio::awaitable<Reply> Session::Execute(const CommandEntry& entry, const Command& command) {
  const bool keeps_mailbox = (entry.effects & kLeavesMailbox) == 0;
  if (selected() && keeps_mailbox && (entry.effects & kSyncsItself) == 0) {
    // A failure is not the command's: it goes on with what is known, and asks the store itself
    // where it must.
    const absl::Status synced = co_await selection_->SyncIfChanged();
    if (!synced.ok()) LogDebug("imap: sync failed: {}", ToText(synced));
    co_await SendChanges(false);
  }
  const Reply reply = co_await entry.run(*this, command);
  if (selected() && keeps_mailbox) {
    const bool expunges = command.uid || (entry.effects & kUsesSequence) == 0;
    if (!aborted_) co_await SendLastChanges(expunges);
    EndIfMailboxLost();
  }
  co_return reply;
}

boost::asio::awaitable<void> Session::SendChanges(bool expunges) {
  co_await BeginSearchUpdates(*this);
  while (!mailbox().TakeChanges(out_.buffer(), expunges)) {
    co_await out_.Flush();
    if (out_.failed()) co_return;
  }
  co_await FinishSearchUpdates(*this);
}

boost::asio::awaitable<void> Session::SendLastChanges(bool expunges) {
  if (mailbox().told_beyond_sync()) {
    // What happened before the modseq that the client has seen must reach it first, expunges among
    // it.
    const absl::Status synced = co_await selection_->Sync();
    if (!synced.ok()) LogDebug("imap: sync failed: {}", ToText(synced));
  }
  co_await SendChanges(expunges);
  mailbox().TakeHighestModseq(out_.buffer());
}

boost::asio::awaitable<absl::Status> Session::EnableCondstore() {
  if (enabled_.condstore) co_return absl::OkStatus();
  if (selected()) {
    mailbox().TrackModseqs();
    RMAIL_CO_RETURN_IF_ERROR(co_await selection_->Sync());
    out_.buffer() += "* OK [HIGHESTMODSEQ ";
    AppendNumber(out_.buffer(), mailbox().modseq());
    out_.buffer() += "] Highest\r\n";
  }
  enabled_.condstore = true;
  co_return absl::OkStatus();
}

void Session::EndIfMailboxLost() {
  if (selection_->lost()) EndAfterReply("The selected mailbox is not there any more");
}

void Session::Count(const Reply& reply) {
  bad_commands_ = reply.bad ? bad_commands_ + 1 : 0;
  if (!store_ && bad_commands_ >= context_.options.max_bad_commands) {
    EndAfterReply("Too many invalid commands");
  }
}

void Session::EndAfterReply(std::string_view bye) {
  if (ending_) return;
  ending_ = true;
  if (bye.empty()) return;
  out_.buffer() += "* BYE ";
  out_.buffer() += bye;
  out_.buffer() += "\r\n";
}

void Session::LogIn(StoreSession store) {
  store_ = std::move(store);
  out_.SetTimeout(context_.options.idle_timeout);
}

void Session::LogOut() {
  SetNotifications(nullptr);
  selection_ = nullptr;
  store_.reset();
  enabled_ = EnabledFeatures();
  const absl::Duration timeout = context_.options.login_timeout;
  out_.SetTimeout(timeout, absl::Now() + timeout);
}

boost::asio::awaitable<void> Session::LoginFailed() {
  const int factor = std::min(1 << std::min(login_failures_, 10), kMaxDelayFactor);
  ++login_failures_;
  boost::asio::steady_timer timer(connection_->Executor());
  absl::Duration left = context_.options.login_delay * factor;
  while (left > absl::ZeroDuration() && !connection_->draining()) {
    timer.expires_after(absl::ToChronoNanoseconds(std::min(left, kDelayStep)));
    co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    left -= kDelayStep;
  }
  if (login_failures_ >= context_.options.max_login_failures) {
    EndAfterReply("Too many failed logins");
  }
}

boost::asio::awaitable<void> Session::Upgrade() {
  co_await out_.Flush();
  // RFC 9051, 6.2.1: what a client, or somebody on the way, sent in clear behind STARTTLS must not
  // be taken for protected input.
  reader_.Discard();
  connection_->SetTimeout(out_.time_left());
  const absl::Status status = co_await connection_->StartTls(*context_.tls);
  if (status.ok()) co_return;
  LogDebug("imap: STARTTLS with {} failed: {}", connection_->peer(), ToText(status));
  Abort();
}

boost::asio::awaitable<void> Session::StartCompression() {
  co_await out_.Flush();
  const absl::Status status = connection_->StartCompression();
  if (status.ok()) co_return;
  LogWarning("imap: no compression for {}: {}", connection_->peer(), ToText(status));
  Abort();
}

boost::asio::awaitable<void> Session::EndNow(absl::Status why) {
  aborted_ = true;
  if (absl::IsCancelled(why)) {
    out_.buffer() += "* BYE The server is shutting down\r\n";
  } else if (absl::IsDeadlineExceeded(why)) {
    out_.buffer() += "* BYE Autologout, idle for too long\r\n";
  } else if (absl::IsResourceExhausted(why)) {
    out_.buffer() += "* BYE [TOOBIG] The line is too long\r\n";
  } else {
    co_return;
  }
  connection_->SetTimeout(kGoodbyeTimeout);
  const absl::Status written = co_await connection_->Write(out_.buffer());
  if (!written.ok()) LogDebug("imap: no goodbye for {}: {}", connection_->peer(), ToText(written));
}

}  // namespace rmail::gateway::imap

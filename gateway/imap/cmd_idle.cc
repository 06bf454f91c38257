// IDLE (RFC 2177): changes are pushed as the watcher hears of them.
#include "gateway/imap/commands.h"
#include "gateway/imap/session.h"
#include "gateway/imap/syntax/characters.h"
#include "gateway/imap/syntax/command_assembler.h"
#include "store/base/logging.h"
#include "store/base/status.h"

namespace rmail::gateway::imap {

namespace {

constexpr size_t kMaxDone = 1024;

// Wakes end with the scope, however it is left.
class IdleScope {
 public:
  explicit IdleScope(Session& session) : session_(session) {
    if (session_.selected()) session_.selection().SetIdling(true);
  }
  ~IdleScope() {
    if (session_.selected()) session_.selection().SetIdling(false);
  }
  IdleScope(const IdleScope&) = delete;
  IdleScope& operator=(const IdleScope&) = delete;

 private:
  Session& session_;
};

boost::asio::awaitable<void> PushChanges(Session& session) {
  if (session.selected()) {
    const absl::Status synced = co_await session.selection().SyncIfChanged();
    // The watcher tells again when the store is back.
    if (!synced.ok()) LogDebug("imap: sync while idling failed: {}", ToText(synced));
    co_await session.SendLastChanges(true);
  }
  co_await PushNotifications(session);
  co_await session.out().Flush();
}

bool Gone(Session& session) { return session.selected() && session.selection().lost(); }

}  // namespace

boost::asio::awaitable<Reply> Idle(Session& session, const Command&) {
  const IdleScope scope(session);
  session.out().buffer() += "+ idling\r\n";
  while (true) {
    co_await PushChanges(session);
    if (session.out().failed() || Gone(session)) co_return Ok("IDLE ended");
    session.connection()->SetTimeout(session.context().options.idle_timeout);
    const absl::StatusOr<std::string> line = co_await session.reader().ReadLine(kMaxDone, true);
    if (absl::IsAborted(line.status())) continue;
    if (line.ok()) {
      if (EqualsIgnoreCase(WithoutLineEnding(*line), "DONE")) co_return Ok("IDLE completed");
      co_return Bad("DONE expected");
    }
    if (absl::IsResourceExhausted(line.status())) co_return Bad("DONE expected");
    if (absl::IsDeadlineExceeded(line.status())) {
      session.EndAfterReply("Autologout, idle for too long");
    }
    // Whatever else it is, the next read meets it too.
    co_return Ok("IDLE ended");
  }
}

}  // namespace rmail::gateway::imap

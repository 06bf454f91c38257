// One client's session (RFC 9051, 3): reads commands, dispatches them by the command table, writes
// their answers.
//
// Invariants:
// - One command runs at a time; pipelined ones wait in the connection, so that none meets an
// ambiguity (RFC 9051, 5.5).
// - EXPUNGE goes out only at the end of commands that may have it (see CommandEffect), so a
// sequence number in a command
//   means what it meant to the client that sent it.
// - What was read in clear before STARTTLS is never executed after it.
#ifndef RMAIL_GATEWAY_IMAP_SESSION_H_
#define RMAIL_GATEWAY_IMAP_SESSION_H_

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "gateway/common/connection.h"
#include "gateway/common/line_reader.h"
#include "gateway/common/store_session.h"
#include "gateway/common/tls_context.h"
#include "gateway/imap/command_reader.h"
#include "gateway/imap/command_table.h"
#include "gateway/imap/enabled_features.h"
#include "gateway/imap/imap_options.h"
#include "gateway/imap/open_mailbox.h"
#include "gateway/imap/response_writer.h"

namespace rmail::gateway::imap {

class Notifications;

// What all sessions of a server share; outlives them. `tls` may be null.
struct SessionContext {
  StoreAccess& access;
  const TlsContext* tls;
  const ImapOptions& options;
};

// Not thread-safe: all of it happens on the connection's executor.
class Session {
 public:
  Session(std::shared_ptr<Connection> connection, const SessionContext& context);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  // From the greeting to the end.
  boost::asio::awaitable<void> Run();

  // What follows is for command handlers.

  const SessionContext& context() const { return context_; }
  const std::shared_ptr<Connection>& connection() { return connection_; }
  LineReader& reader() { return reader_; }
  CommandReader& commands() { return commands_; }
  ResponseWriter& out() { return out_; }
  SessionState state() const;
  // Whether a password may be sent: TLS is up, or the server has none.
  bool private_enough() const { return connection_->secure() || context_.tls == nullptr; }
  // "CAPABILITY IMAP4rev1 ...": what is possible now.
  std::string Capabilities() const;

  // Notes a successful login.
  void LogIn(StoreSession store);
  // Back to where a client is before its login, but for TLS and compression (RFC 8437).
  void LogOut();
  // Notes a failed one, and waits so that guessing is slow. After too many of them the session
  // ends.
  boost::asio::awaitable<void> LoginFailed();

  // What the client has switched on so far.
  EnabledFeatures& enabled() { return enabled_; }
  // For commands that switch CONDSTORE on by their use (RFC 7162, 3.1): the selected mailbox's
  // modseqs are known from now on, and go out with flags. On an error all is as before.
  boost::asio::awaitable<absl::Status> EnableCondstore();

  // Only after login.
  const StoreSession& store() const { return *store_; }

  // Only when a mailbox is selected.
  OpenMailbox& selection() { return *selection_; }
  SelectedMailbox& mailbox() { return selection_->view(); }
  bool selected() const { return selection_ != nullptr; }
  // Null deselects.
  void SetSelection(std::unique_ptr<OpenMailbox> selection) { selection_ = std::move(selection); }

  // What NOTIFY asked for; null for nothing.
  Notifications* notifications() { return notifications_.get(); }
  void SetNotifications(std::unique_ptr<Notifications> notifications);

  // Only when a mailbox is selected: tells the client what it does not know yet, EXPUNGE only if
  // they may be sent now. What does not fill a write is left to the next one.
  boost::asio::awaitable<void> SendChanges(bool expunges);
  // The same at the end of a command. With QRESYNC the client learns here too up to which modseq it
  // knows everything.
  boost::asio::awaitable<void> SendLastChanges(bool expunges);

  // APPEND's message: whoever takes it reads it.
  std::optional<LiteralSize> TakeMessage() { return std::exchange(message_, std::nullopt); }

  // Does STARTTLS's handshake once its OK is sent.
  void UpgradeAfterReply() { upgrade_ = true; }
  // Compresses (RFC 4978) all behind the command's OK.
  void CompressAfterReply() { compress_ = true; }
  // Ends the session once the command's answers are sent. `bye` is the text after "* BYE "; empty
  // for none.
  void EndAfterReply(std::string_view bye);
  // Ends the session at once when reading has failed, and tells the client why, where it may be
  // told.
  boost::asio::awaitable<void> EndNow(absl::Status why);
  // The same in silence: what was sent last can't be completed.
  void Abort() { aborted_ = true; }

 private:
  boost::asio::awaitable<void> Handle(RawCommand raw);
  boost::asio::awaitable<Reply> Dispatch(const Command& command);
  boost::asio::awaitable<Reply> Execute(const CommandEntry& entry, const Command& command);
  boost::asio::awaitable<void> Upgrade();
  boost::asio::awaitable<void> StartCompression();
  void Count(const Reply& reply);
  void EndIfMailboxLost();

  const SessionContext context_;
  const std::shared_ptr<Connection> connection_;
  LineReader reader_;
  ResponseWriter out_;
  CommandReader commands_;
  std::optional<StoreSession> store_;
  std::unique_ptr<OpenMailbox> selection_;
  std::unique_ptr<Notifications> notifications_;
  std::optional<LiteralSize> message_;
  EnabledFeatures enabled_;
  int login_failures_ = 0;
  int bad_commands_ = 0;
  bool upgrade_ = false;
  bool compress_ = false;
  bool ending_ = false;
  bool aborted_ = false;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SESSION_H_

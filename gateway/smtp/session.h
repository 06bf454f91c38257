// One client's session: its state, the dispatcher and what the commands share.
//
// Invariants. A command runs only when the dispatcher has checked what its row in the command table
// asks for. A reply goes out when the client has nothing more in the pipe (RFC 2920, 3.2), so
// before any wait for it. Nothing that came in the clear is used after STARTTLS.
#ifndef RMAIL_GATEWAY_SMTP_SESSION_H_
#define RMAIL_GATEWAY_SMTP_SESSION_H_

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/common/connection.h"
#include "gateway/common/line_reader.h"
#include "gateway/common/store_session.h"
#include "gateway/common/tls_context.h"
#include "gateway/smtp/address_lookup.h"
#include "gateway/smtp/delivery.h"
#include "gateway/smtp/delivery_slots.h"
#include "gateway/smtp/message_filter.h"
#include "gateway/smtp/options.h"
#include "gateway/smtp/outcome.h"
#include "gateway/smtp/recipient.h"
#include "gateway/smtp/syntax/envelope.h"
#include "gateway/smtp/syntax/reply.h"

namespace rmail::gateway::smtp {

// What a listener is for.
enum class Service {
  // Port 25: mail from other servers, for local recipients.
  kReceiving,
  // Port 587 and 465: mail from our users (RFC 6409, RFC 8314).
  kSubmission,
  // Mail from a server that has taken it already, with a reply for each recipient (RFC 2033).
  kLmtp,
};

// What a server's sessions share; outlives them.
struct SessionContext {
  SmtpOptions options;
  gateway::StoreAccess* store = nullptr;
  // Null: TLS is off.
  const gateway::TlsContext* tls = nullptr;
  AddressLookup* addresses = nullptr;
  DeliverySlots* slots = nullptr;
  // In their order.
  std::vector<MessageFilter*> filters;
};

// command_table.h.
struct Command;

// A command's reply; nullopt when it has written all that there is to say.
using Outcome = std::optional<Reply>;

struct Hello {
  // IsHelloName holds; "unknown" when the client has said something else.
  std::string name;
  // EHLO or LHLO.
  bool extended = false;
};

// From MAIL to the end of data, RSET or EHLO.
struct Transaction {
  // This server's name of the message.
  std::string id;
  MailCommand mail;
  std::vector<Recipient> recipients;
  // When the message began.
  absl::Time arrived;
  // RCPTs beyond the limit.
  uint32_t surplus = 0;
  // Set from the first octet of the message on: RCPT is over.
  std::unique_ptr<Delivery> delivery;
};

// What the commands change.
struct SessionState {
  std::optional<Hello> hello;
  std::optional<gateway::StoreAccess::Login> login;
  std::optional<Transaction> transaction;
  uint32_t transactions = 0;
  uint32_t auth_failures = 0;
  // In a row.
  uint32_t bad_commands = 0;
  // See SmtpOptions::max_idle_commands.
  uint32_t idle_commands = 0;
  // RCPTs refused for good, in the whole session.
  uint32_t refused_recipients = 0;
};

// Not thread-safe: it runs on its connection's executor.
class Session {
 public:
  Session(std::shared_ptr<gateway::Connection> connection, const SessionContext& context,
          Service service);

  // Greets the client and serves it to the end.
  boost::asio::awaitable<void> Run();

  SessionState& state() { return state_; }
  const SmtpOptions& options() const { return context_.options; }
  gateway::StoreAccess& store() { return *context_.store; }
  AddressLookup& addresses() { return *context_.addresses; }
  DeliverySlots* slots() { return context_.slots; }
  const std::vector<MessageFilter*>& filters() const { return context_.filters; }
  const gateway::TlsContext* tls() const { return context_.tls; }
  gateway::Connection& connection() { return *connection_; }
  gateway::LineReader& input() { return input_; }

  bool receiving() const { return service_ == Service::kReceiving; }
  bool submission() const { return service_ == Service::kSubmission; }
  bool lmtp() const { return service_ == Service::kLmtp; }
  // TLS is on and this connection has none yet.
  bool needs_tls() const { return context_.tls != nullptr && !connection_->secure(); }

  // Why a command with these flags (CommandFlags) may not run now.
  std::optional<Reply> Refusal(unsigned flags) const;

  // Puts a reply into the pipe.
  void Send(const Reply& reply);
  // Writes what is in the pipe.
  boost::asio::awaitable<absl::Status> Flush();
  // Flushes and reads a line that is no command.
  boost::asio::awaitable<absl::StatusOr<std::string>> ReadLine(size_t max);

  boost::asio::awaitable<void> Pause(absl::Duration duration);

  // This command has carried a message on: it is none of the idle ones.
  void CountProgress() { --state_.idle_commands; }

  // The session ends when the command's reply is written.
  void Close() { closing_ = true; }
  // The outcome of a command whose input failed: 421 for a timeout or a drain, else nothing. Ends
  // the session.
  Outcome Lost(const absl::Status& status);

 private:
  boost::asio::awaitable<bool> Greet();
  boost::asio::awaitable<Outcome> Dispatch(std::string line);
  // The command of a line, or the reply that refuses it.
  struct Chosen {
    const Command* command = nullptr;
    std::string argument;
  };
  Parsed<Chosen> Choose(std::string_view line) const;
  boost::asio::awaitable<Outcome> NextCommand();
  void Count(const Reply& reply);

  std::shared_ptr<gateway::Connection> connection_;
  const SessionContext& context_;
  const Service service_;
  gateway::LineReader input_;
  SessionState state_;
  std::string output_;
  bool closing_ = false;
};

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_SESSION_H_

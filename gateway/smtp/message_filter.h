// The verdict on a message between its end and its delivery: where what looks into messages plugs
// in (who may send, SPF, DKIM, DMARC, a spam filter).
#ifndef RMAIL_GATEWAY_SMTP_MESSAGE_FILTER_H_
#define RMAIL_GATEWAY_SMTP_MESSAGE_FILTER_H_

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/smtp/syntax/reply.h"

namespace rmail::gateway::smtp {

// What is known of a message before its first octet.
struct MessageOrigin {
  // This server's name for it.
  std::string id;
  // The client's address: "192.0.2.1", "2001:db8::1".
  std::string peer;
  // What the client called itself.
  std::string hello;
  bool tls = false;
  // `accounts/{user@domain}` of a client that has authenticated; else empty.
  std::string account;
  // `user@domain`, empty for the null reverse-path.
  std::string reverse_path;
  // `user@domain`, as the client wrote them.
  std::vector<std::string> recipients;
};

struct Verdict {
  enum class Action {
    kAccept,
    // Delivered, marked as junk: "X-Spam-Flag: YES".
    kJunk,
    // Refused for now, with a 4yz reply.
    kDefer,
    // Refused, with a 5yz reply.
    kReject,
  };
  Action action = Action::kAccept;
  // For kDefer and kReject.
  Reply reply;
  // Header fields to put before the message, each whole and with CRLF.
  std::string fields;
};

// A filter's look at one message. Not thread-safe: it runs on the session's executor.
class MessageCheck {
 public:
  virtual ~MessageCheck() = default;
  // The next octets, as the client means them (dots undone). It must not block, and holds no more
  // than it has to: messages are large.
  virtual void Feed(std::string_view data) = 0;
  // After the last octet; once. Fields and the mark of junk reach messages up to 128 KiB: larger
  // ones are on their way into the store by then, and can only be refused.
  virtual boost::asio::awaitable<Verdict> End() = 0;
};

// Thread-safe; outlives its checks.
class MessageFilter {
 public:
  virtual ~MessageFilter() = default;
  // Null: it has nothing to say about this message.
  virtual std::unique_ptr<MessageCheck> Begin(const MessageOrigin& origin) = 0;
};

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_MESSAGE_FILTER_H_

// A scriptable SMTP server for tests.
#ifndef RMAIL_GATEWAY_RELAY_TESTING_FAKE_SMTP_SERVER_H_
#define RMAIL_GATEWAY_RELAY_TESTING_FAKE_SMTP_SERVER_H_

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "gateway/common/server.h"
#include "gateway/common/tls_context.h"
#include "store/base/mutex.h"

namespace rmail::testing {

// In place of a reply.
inline constexpr std::string_view kHang = "(hang)";  // never answers
inline constexpr std::string_view kDrop = "(drop)";  // closes the connection

// What FakeSmtpServer has taken over.
struct ReceivedMail {
  // The commands' lines, without CRLF.
  std::string mail;
  std::vector<std::string> rcpt;
  // Without dot-stuffing.
  std::string text;
  // It came by BDAT.
  bool chunked = false;
  bool tls = false;
  // Who logged in; empty: nobody.
  std::string user;
  // Which connection it came over, counted from 1.
  int connection = 0;
};

struct FakeSmtpOptions {
  std::string name = "mx.example.test";
  std::string host = "127.0.0.1";
  // 0: any.
  uint16_t port = 0;
  // EHLO's lines, but for STARTTLS, which goes with `tls`.
  std::vector<std::string> features = {"PIPELINING", "8BITMIME", "SIZE 10000000",
                                       "ENHANCEDSTATUSCODES"};
  // Offers STARTTLS; outlives the server.
  const gateway::TlsContext* tls = nullptr;
  bool implicit_tls = false;
  // The handshake of STARTTLS goes wrong.
  bool broken_tls = false;
  // For AUTH.
  std::string user = {};
  std::string password = {};
  // Before each reply.
  absl::Duration delay = absl::ZeroDuration();
};

// Thread-safe.
class FakeSmtpServer {
 public:
  static constexpr int kAlways = 1'000'000'000;

  explicit FakeSmtpServer(FakeSmtpOptions options = {});
  ~FakeSmtpServer();
  FakeSmtpServer(const FakeSmtpServer&) = delete;
  FakeSmtpServer& operator=(const FakeSmtpServer&) = delete;

  uint16_t port() const { return port_; }

  // Answers the next `times` command lines that start with `prefix` ("RCPT TO:<bob@") with a reply,
  // kHang or kDrop. The first line that fits wins. Besides commands there are:
  //   GREETING  a new connection
  //   TEXT      the first octets after DATA's 354: the reply is sent and the connection closed
  //   .         the end of the text
  void Script(std::string prefix, std::string_view reply, int times = kAlways);

  std::vector<ReceivedMail> mails();
  // All command lines, of all connections.
  std::vector<std::string> commands();
  int connections();

 private:
  struct Session;
  struct Line {
    std::string prefix;
    std::string reply;
    int times = 0;
  };

  boost::asio::awaitable<void> Serve(std::shared_ptr<gateway::Connection> connection);
  // Each returns false when the connection has ended.
  boost::asio::awaitable<bool> Reply(Session& session, std::string reply);
  boost::asio::awaitable<bool> Obey(Session& session, const std::string& line);
  boost::asio::awaitable<bool> Hello(Session& session, bool extended);
  boost::asio::awaitable<bool> StartTls(Session& session, std::string reply);
  boost::asio::awaitable<bool> Auth(Session& session, const std::string& line);
  boost::asio::awaitable<bool> Data(Session& session);
  boost::asio::awaitable<bool> Chunk(Session& session, const std::string& line);
  // The script's reply, or `otherwise`.
  std::string Scripted(std::string_view event, std::string_view otherwise);
  void Take(Session& session);

  const FakeSmtpOptions options_;
  Mutex mutex_;
  std::deque<Line> script_ ABSL_GUARDED_BY(mutex_);
  std::vector<ReceivedMail> mails_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> commands_ ABSL_GUARDED_BY(mutex_);
  int connections_ ABSL_GUARDED_BY(mutex_) = 0;
  gateway::IoThreads threads_{1};
  gateway::Server server_;
  uint16_t port_ = 0;
};

}  // namespace rmail::testing

#endif  // RMAIL_GATEWAY_RELAY_TESTING_FAKE_SMTP_SERVER_H_

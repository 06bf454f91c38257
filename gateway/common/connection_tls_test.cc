#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/common/connection.h"
#include "gateway/common/line_reader.h"
#include "gateway/common/session_fixture.h"

namespace rmail::gateway {
namespace {

using boost::asio::awaitable;
using testing::LineClient;
using Tls = LineClient::Tls;
using ConnectionPtr = std::shared_ptr<Connection>;

awaitable<void> EchoLines(ConnectionPtr connection) {
  LineReader reader(*connection);
  while (true) {
    const auto line = co_await reader.ReadLine(1000, true);
    if (!line.ok() || !(co_await connection->Write(*line)).ok()) co_return;
  }
}

// A TLS client whose records are sent by hand over a plain connection.
class RecordClient {
 public:
  explicit RecordClient(LineClient& wire)
      : wire_(wire), context_(SSL_CTX_new(TLS_client_method())) {
    ssl_ = SSL_new(context_);
    SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl_);
    while (SSL_do_handshake(ssl_) != 1) {
      wire_.Send(TakeOutput());
      if (!GiveInput()) return;
    }
    wire_.Send(TakeOutput());
  }
  ~RecordClient() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  RecordClient(const RecordClient&) = delete;
  RecordClient& operator=(const RecordClient&) = delete;

  std::string Encrypt(std::string_view text) {
    EXPECT_EQ(SSL_write(ssl_, text.data(), static_cast<int>(text.size())),
              static_cast<int>(text.size()));
    return TakeOutput();
  }

  std::string Read(size_t count) {
    std::string text(count, '\0');
    size_t done = 0;
    while (done < count) {
      const int some = SSL_read(ssl_, text.data() + done, static_cast<int>(count - done));
      if (some > 0) done += static_cast<size_t>(some);
      if (some <= 0 && !GiveInput()) return "";
    }
    return text;
  }

 private:
  std::string TakeOutput() {
    std::string output(BIO_ctrl_pending(SSL_get_wbio(ssl_)), '\0');
    BIO_read(SSL_get_wbio(ssl_), output.data(), static_cast<int>(output.size()));
    return output;
  }
  bool GiveInput() {
    char octet;
    if (recv(wire_.fd(), &octet, 1, 0) != 1) {
      ADD_FAILURE() << "the server sent nothing";
      return false;
    }
    BIO_write(SSL_get_rbio(ssl_), &octet, 1);
    return true;
  }

  LineClient& wire_;
  SSL_CTX* context_;
  SSL* ssl_;
};

TEST(ConnectionTlsTest, RecordsMayComeInPieces) {
  SessionFixture fixture;
  const uint16_t port = fixture.Listen(&EchoLines, Tls::kOn);
  LineClient wire(port);
  RecordClient client(wire);
  const std::string record = client.Encrypt("hello\r\n");
  for (const char octet : record) wire.Send(std::string_view(&octet, 1));
  EXPECT_EQ(client.Read(7), "hello\r\n");
  // Several records in one packet, the last one cut.
  const std::string records =
      client.Encrypt("a\r\n") + client.Encrypt("b") + client.Encrypt("\r\nc\r\n");
  wire.Send(records.substr(0, records.size() - 1));
  EXPECT_EQ(client.Read(3), "a\r\n");
  wire.Send(records.substr(records.size() - 1));
  EXPECT_EQ(client.Read(6), "b\r\nc\r\n");
}

TEST(ConnectionTlsTest, PartOfARecordIsNoInputYet) {
  SessionFixture fixture;
  Handover<ConnectionPtr> first;
  Handover<absl::StatusCode> code;
  Handover<absl::StatusCode> readable;
  const uint16_t port = fixture.Listen(
      [&](ConnectionPtr connection) -> awaitable<void> {
        char octet;
        EXPECT_TRUE((co_await connection->ReadSome(&octet, 1)).ok());
        first.Set(connection);
        code.Set((co_await connection->WaitReadable(true)).code());
        readable.Set((co_await connection->WaitReadable(true)).code());
      },
      Tls::kOn);
  LineClient wire(port);
  RecordClient client(wire);
  const std::string record = client.Encrypt("x");
  const std::string second = client.Encrypt("y");
  // The second record's begin comes with the first one, so OpenSSL holds it while the session
  // waits.
  wire.Send(record + second.substr(0, 9));
  const ConnectionPtr connection = first.Get();
  OnExecutor(*connection, [&] { connection->Wake(); });
  EXPECT_EQ(code.Get(), absl::StatusCode::kAborted);
  wire.Send(second.substr(9));
  EXPECT_EQ(readable.Get(), absl::StatusCode::kOk);
}

TEST(ConnectionTlsTest, OneRecordMayHoldMoreThanOneRead) {
  SessionFixture fixture;
  Handover<std::string> all;
  auto client = fixture.Connect(
      [&](ConnectionPtr connection) -> awaitable<void> {
        std::string seen;
        while (seen.size() < 4000) {
          // What OpenSSL has decrypted is readable although the socket is not.
          if (!(co_await connection->WaitReadable(true)).ok()) break;
          char octets[7];
          const auto count = co_await connection->ReadSome(octets, sizeof(octets));
          if (!count.ok()) break;
          seen.append(octets, *count);
        }
        all.Set(seen);
      },
      Tls::kOn);
  const std::string sent(4000, 'z');
  client->Send(sent);
  EXPECT_EQ(all.Get(), sent);
}

TEST(ConnectionTlsTest, StartTlsOnARunningSession) {
  SessionFixture fixture;
  auto client = fixture.Connect([&](ConnectionPtr connection) -> awaitable<void> {
    LineReader reader(*connection);
    const auto line = co_await reader.ReadLine(100);
    EXPECT_TRUE(line.ok() && *line == "STARTTLS\r\n");
    EXPECT_FALSE(connection->secure());
    EXPECT_TRUE((co_await connection->Write("220 go\r\n")).ok());
    reader.Discard();
    EXPECT_TRUE((co_await connection->StartTls(testing::TestTls())).ok());
    EXPECT_TRUE(connection->secure());
    EXPECT_EQ((co_await connection->StartTls(testing::TestTls())).code(),
              absl::StatusCode::kFailedPrecondition);
    co_await EchoLines(connection);
  });
  client->SendLine("STARTTLS");
  EXPECT_EQ(client->ReadLine(), "220 go");
  ASSERT_TRUE(client->StartTls());
  client->SendLine("hello");
  EXPECT_EQ(client->ReadLine(), "hello");
}

TEST(ConnectionTlsTest, GarbageInsteadOfAHandshakeEndsTheConnection) {
  SessionFixture fixture;
  Handover<std::vector<absl::StatusCode>> codes;
  auto client = fixture.Connect([&](ConnectionPtr connection) -> awaitable<void> {
    std::vector<absl::StatusCode> seen;
    char octet;
    seen.push_back((co_await connection->StartTls(testing::TestTls())).code());
    seen.push_back((co_await connection->Write("secret")).code());
    seen.push_back((co_await connection->ReadSome(&octet, 1)).status().code());
    EXPECT_FALSE(connection->secure());
    codes.Set(seen);
  });
  client->Send("EHLO client.example.com\r\nQUIT\r\n");
  EXPECT_EQ(codes.Get(), std::vector<absl::StatusCode>(3, absl::StatusCode::kUnavailable));
}

TEST(ConnectionTlsTest, ASilentHandshakeTimesOut) {
  SessionFixture fixture;
  Handover<absl::StatusCode> code;
  auto client = fixture.Connect([&](ConnectionPtr connection) -> awaitable<void> {
    connection->SetTimeout(absl::Milliseconds(50));
    code.Set((co_await connection->StartTls(testing::TestTls())).code());
  });
  EXPECT_EQ(code.Get(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(client->AtEof());
}

TEST(ConnectionTlsTest, ADrainEndsAHandshake) {
  SessionFixture fixture;
  Handover<ConnectionPtr> started;
  Handover<absl::StatusCode> code;
  auto client = fixture.Connect([&](ConnectionPtr connection) -> awaitable<void> {
    started.Set(connection);
    code.Set((co_await connection->StartTls(testing::TestTls())).code());
  });
  const ConnectionPtr connection = started.Get();
  OnExecutor(*connection, [&] { connection->Drain(); });
  EXPECT_EQ(code.Get(), absl::StatusCode::kCancelled);
}

TEST(ConnectionTlsTest, KeysMayBeUpdated) {
  SessionFixture fixture;
  auto client = fixture.Connect(&EchoLines, Tls::kOn);
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(SSL_key_update(client->ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
    client->SendLine("hello");
    EXPECT_EQ(client->ReadLine(), "hello");
  }
}

// Does a handshake with a client of at most that version; its version, or "" when the server
// refused.
std::string HandshakeWith(uint16_t port, int version, bool renegotiate) {
  LineClient wire(port);
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  &SSL_CTX_free);
  SSL_CTX_set_security_level(context.get(), 0);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context.get(), version);
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), &SSL_free);
  SSL_set_fd(ssl.get(), wire.fd());
  if (SSL_connect(ssl.get()) != 1) return "";
  EXPECT_EQ(std::string_view(SSL_get_cipher_name(ssl.get())).substr(0, 6), "ECDHE-");
  if (renegotiate) {
    SSL_renegotiate(ssl.get());
    EXPECT_NE(SSL_do_handshake(ssl.get()), 1);
  }
  return SSL_get_version(ssl.get());
}

TEST(ConnectionTlsTest, OldVersionsAndRenegotiationAreRefused) {
  SessionFixture fixture;
  const uint16_t port = fixture.Listen(&EchoLines, Tls::kOn);
  EXPECT_EQ(HandshakeWith(port, TLS1_1_VERSION, false), "");
  EXPECT_EQ(HandshakeWith(port, TLS1_2_VERSION, false), "TLSv1.2");
  EXPECT_EQ(HandshakeWith(port, TLS1_2_VERSION, true), "TLSv1.2");
}

std::string PeerName(const LineClient& client) {
  const std::unique_ptr<X509, decltype(&X509_free)> cert(SSL_get1_peer_certificate(client.ssl()),
                                                         &X509_free);
  char name[100] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(cert.get()), NID_commonName, name, sizeof(name));
  return name;
}

TEST(ConnectionTlsTest, ACertificateIsReplacedUnderRunningSessions) {
  const std::string base = ::testing::TempDir() + "/reload." + std::to_string(getpid());
  const std::string cert_file = base + ".cert";
  const std::string key_file = base + ".key";
  testing::WriteTestCertificate("one", cert_file, key_file);
  auto context = TlsContext::Load(cert_file, key_file);
  ASSERT_TRUE(context.ok()) << context.status();

  SessionFixture fixture;
  ListenerOptions options;
  options.host = "127.0.0.1";
  options.implicit_tls = context->get();
  const auto port = fixture.server.Listen(options, &EchoLines);
  ASSERT_TRUE(port.ok());
  LineClient before(*port, Tls::kOn);
  EXPECT_EQ(PeerName(before), "one");

  testing::WriteTestCertificate("two", cert_file, key_file);
  ASSERT_TRUE((*context)->Reload(cert_file, key_file).ok());
  LineClient after(*port, Tls::kOn);
  EXPECT_EQ(PeerName(after), "two");
  before.SendLine("still here");
  EXPECT_EQ(before.ReadLine(), "still here");

  // What can't be used changes nothing: no file, or a key of another certificate.
  EXPECT_FALSE((*context)->Reload(base + ".none", key_file).ok());
  testing::WriteTestCertificate("three", cert_file, base + ".other");
  const absl::Status mismatch = (*context)->Reload(cert_file, key_file);
  EXPECT_EQ(mismatch.code(), absl::StatusCode::kInvalidArgument);
  LineClient last(*port, Tls::kOn);
  EXPECT_EQ(PeerName(last), "two");
}

}  // namespace
}  // namespace rmail::gateway

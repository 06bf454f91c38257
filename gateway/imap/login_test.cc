// Logins that a script can't speak, and what lies below a session: TLS and compression.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <zlib.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/time/clock.h"
#include "gateway/imap/imap_fixture.h"
#include "store/base/token.h"
#include "tests/support/line_client.h"
#include "tests/support/scram_client.h"

namespace rmail::gateway::imap {

namespace {

using testing::LineClient;
using testing::ScramClient;

std::string Encode(const std::string& octets) { return absl::Base64Escape(octets); }

// What "+ base64" says.
std::string Challenge(const std::string& line) {
  std::string octets;
  EXPECT_TRUE(line.starts_with("+ ") && absl::Base64Unescape(line.substr(2), &octets)) << line;
  return octets;
}

std::string Exporter(const LineClient& client) {
  std::string data(32, '\0');
  EXPECT_EQ(SSL_export_keying_material(client.ssl(), reinterpret_cast<unsigned char*>(data.data()),
                                       data.size(), "EXPORTER-Channel-Binding", 24, nullptr, 0, 1),
            1);
  return data;
}

std::string EndPoint(const LineClient& client) {
  const std::unique_ptr<X509, decltype(&X509_free)> cert(SSL_get1_peer_certificate(client.ssl()),
                                                         &X509_free);
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EXPECT_EQ(X509_digest(cert.get(), EVP_sha256(), hash, &size), 1);
  return std::string(reinterpret_cast<char*>(hash), size);
}

class LoginTest : public ImapFixture {
 protected:
  std::unique_ptr<LineClient> Connect() {
    auto client = std::make_unique<LineClient>(server().port());
    greeting_ = client->ReadLine();
    return client;
  }
  std::unique_ptr<LineClient> ConnectTls() {
    StartServer(FastOptions(), true);
    auto client = std::make_unique<LineClient>(server().imaps_port(), LineClient::Tls::kOn);
    greeting_ = client->ReadLine();
    return client;
  }

  // The tagged answer to a whole exchange.
  static std::string LogIn(LineClient& client, ScramClient& scram, const std::string& mechanism,
                           bool initial_response = true) {
    if (initial_response) {
      client.SendLine("s AUTHENTICATE " + mechanism + " " + Encode(scram.First()));
    } else {
      client.SendLine("s AUTHENTICATE " + mechanism);
      EXPECT_EQ(client.ReadLine(), "+ ");
      client.SendLine(Encode(scram.First()));
    }
    std::string line = client.ReadLine();
    if (!line.starts_with("+ ")) return line;
    client.SendLine(Encode(scram.Final(Challenge(line))));
    line = client.ReadLine();
    if (!line.starts_with("+ ")) return line;
    EXPECT_TRUE(scram.Trusts(Challenge(line)));
    client.SendLine("");
    return client.ReadLine();
  }

  static std::string TokenOf(const std::string& address, absl::Duration life = absl::Hours(1),
                             TokenScope scope = TokenScope::kAccount) {
    Token token;
    token.subject = address;
    token.scope = scope;
    token.expires = absl::Now() + life;
    return SignToken(testing::kTokenSecret, token);
  }
  static std::string Bearer(const std::string& user, const std::string& token) {
    return Encode("n," + user + ",\x01" + "auth=Bearer " + token + "\x01\x01");
  }

  std::string greeting_;
};

constexpr char kRefused[] = "s NO [AUTHENTICATIONFAILED] Invalid address or password";

TEST_F(LoginTest, ScramSha256) {
  for (const bool initial_response : {true, false}) {
    auto client = Connect();
    ScramClient scram("alice@example.com", "secret");
    EXPECT_TRUE(LogIn(*client, scram, "SCRAM-SHA-256", initial_response).starts_with("s OK ["));
    client->SendLine("a STATUS INBOX (MESSAGES)");
    EXPECT_EQ(client->ReadLine(), "* STATUS INBOX (MESSAGES 0)");
  }
}

TEST_F(LoginTest, ScramRefusals) {
  auto client = Connect();
  for (ScramClient scram :
       {ScramClient("alice@example.com", "wrong"), ScramClient("nobody@example.com", "secret"),
        ScramClient("alice@example.com", "secret", "n,a=bob@example.com,")}) {
    EXPECT_EQ(LogIn(*client, scram, "SCRAM-SHA-256"), kRefused);
  }
  ScramClient own("alice@example.com", "secret", "y,a=ALICE@example.com,");
  EXPECT_TRUE(LogIn(*client, own, "SCRAM-SHA-256").starts_with("s OK ["));
}

TEST_F(LoginTest, ScramSaysADisabledAccountOnlyToItsOwner) {
  store().SetDisabled("alice@example.com", true);
  auto client = Connect();
  ScramClient wrong("alice@example.com", "wrong");
  EXPECT_EQ(LogIn(*client, wrong, "SCRAM-SHA-256"), kRefused);
  ScramClient right("alice@example.com", "secret");
  EXPECT_TRUE(LogIn(*client, right, "SCRAM-SHA-256").starts_with("s NO [AUTHORIZATIONFAILED]"));
}

TEST_F(LoginTest, TheLastScramMessageIsNeeded) {
  auto client = Connect();
  for (const std::string& answer : {std::string("*"), Encode("x")}) {
    ScramClient scram("alice@example.com", "secret");
    client->SendLine("s AUTHENTICATE SCRAM-SHA-256 " + Encode(scram.First()));
    client->SendLine(Encode(scram.Final(Challenge(client->ReadLine()))));
    EXPECT_TRUE(scram.Trusts(Challenge(client->ReadLine())));
    client->SendLine(answer);
    EXPECT_FALSE(client->ReadLine().starts_with("s OK"));
    client->SendLine("a LIST \"\" *");
    EXPECT_EQ(client->ReadLine(), "a BAD Log in first");
  }
}

TEST_F(LoginTest, ScramPlusBindsToTheConnection) {
  auto client = ConnectTls();
  EXPECT_NE(greeting_.find(" AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256 "), std::string::npos);
  const std::string user = "alice@example.com";
  const std::string plus = "SCRAM-SHA-256-PLUS";
  // Somebody who stands between has another connection; a client that believes there is no -PLUS
  // was lied to.
  auto other = std::make_unique<LineClient>(server().imaps_port(), LineClient::Tls::kOn);
  ScramClient replayed(user, "secret", "p=tls-exporter,,", Exporter(*other));
  EXPECT_EQ(LogIn(*client, replayed, plus), kRefused);
  ScramClient deceived(user, "secret", "y,,");
  EXPECT_EQ(LogIn(*client, deceived, "SCRAM-SHA-256"), kRefused);
  ScramClient unbound(user, "secret", "n,,");
  EXPECT_EQ(LogIn(*client, unbound, plus), kRefused);
  ScramClient bound(user, "secret", "p=tls-exporter,,", Exporter(*client));
  EXPECT_TRUE(LogIn(*client, bound, plus).starts_with("s OK ["));
}

TEST_F(LoginTest, ScramPlusWithTheCertificate) {
  auto client = ConnectTls();
  // TLS 1.3 has no tls-unique.
  ScramClient unique("alice@example.com", "secret", "p=tls-unique,,", std::string(12, 'x'));
  EXPECT_EQ(LogIn(*client, unique, "SCRAM-SHA-256-PLUS"), kRefused);
  ScramClient bound("alice@example.com", "secret", "p=tls-server-end-point,,", EndPoint(*client));
  EXPECT_TRUE(LogIn(*client, bound, "SCRAM-SHA-256-PLUS").starts_with("s OK ["));
}

TEST_F(LoginTest, ScramIsHiddenWithoutTls) {
  StartServer(FastOptions(), true);
  auto client = Connect();
  EXPECT_EQ(greeting_.find("AUTH="), std::string::npos);
  ScramClient scram("alice@example.com", "secret");
  EXPECT_TRUE(LogIn(*client, scram, "SCRAM-SHA-256").starts_with("s NO [PRIVACYREQUIRED]"));
}

TEST_F(LoginTest, BearerTokens) {
  const std::string token = TokenOf("alice@example.com");
  for (const std::string& command :
       {"OAUTHBEARER " + Bearer("a=Alice@Example.com", token), "OAUTHBEARER " + Bearer("", token),
        "XOAUTH2 " + Encode("user=alice@example.com\x01"
                            "auth=Bearer " +
                            token + "\x01\x01")}) {
    auto client = Connect();
    client->SendLine("s AUTHENTICATE " + command);
    EXPECT_TRUE(client->ReadLine().starts_with("s OK [")) << command;
    client->SendLine("a STATUS INBOX (MESSAGES)");
    EXPECT_EQ(client->ReadLine(), "* STATUS INBOX (MESSAGES 0)");
  }
}

TEST_F(LoginTest, BearerRefusals) {
  const std::string good = TokenOf("alice@example.com");
  for (const std::string& message : {Bearer("a=bob@example.com", good), Bearer("", good + "x"),
                                     Bearer("", TokenOf("alice@example.com", -absl::Seconds(1))),
                                     Bearer("", TokenOf("nobody@example.com")),
                                     Bearer("", TokenOf("", absl::Hours(1), TokenScope::kGateway)),
                                     Bearer("", TokenOf("", absl::Hours(1), TokenScope::kAdmin)),
                                     Encode("n,,\x01"
                                            "auth=\x01\x01")}) {
    auto client = Connect();
    client->SendLine("s AUTHENTICATE OAUTHBEARER " + message);
    EXPECT_EQ(Challenge(client->ReadLine()), R"({"status":"invalid_token"})");
    client->SendLine(Encode("\x01"));
    EXPECT_EQ(client->ReadLine(), kRefused);
  }
  store().SetDisabled("alice@example.com", true);
  auto client = Connect();
  client->SendLine("s AUTHENTICATE OAUTHBEARER " + Bearer("", good));
  EXPECT_TRUE(client->ReadLine().starts_with("s NO [AUTHORIZATIONFAILED]"));
}

// A client's compressed side of a connection.
class CompressedClient {
 public:
  explicit CompressedClient(LineClient& wire) : wire_(wire) {
    EXPECT_EQ(deflateInit2(&deflate_, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    EXPECT_EQ(inflateInit2(&inflate_, -15), Z_OK);
  }
  ~CompressedClient() {
    deflateEnd(&deflate_);
    inflateEnd(&inflate_);
  }
  CompressedClient(const CompressedClient&) = delete;
  CompressedClient& operator=(const CompressedClient&) = delete;

  void SendLine(std::string line) {
    line += "\r\n";
    std::string packed(deflateBound(&deflate_, line.size()) + 64, '\0');
    deflate_.next_in = reinterpret_cast<Bytef*>(line.data());
    deflate_.avail_in = static_cast<uInt>(line.size());
    deflate_.next_out = reinterpret_cast<Bytef*>(packed.data());
    deflate_.avail_out = static_cast<uInt>(packed.size());
    EXPECT_EQ(deflate(&deflate_, Z_SYNC_FLUSH), Z_OK);
    packed.resize(packed.size() - deflate_.avail_out);
    wire_.Send(packed);
  }
  std::string ReadLine() {
    std::string line;
    while (!line.ends_with("\r\n")) {
      char out = 0;
      inflate_.next_out = reinterpret_cast<Bytef*>(&out);
      inflate_.avail_out = 1;
      inflate(&inflate_, Z_SYNC_FLUSH);
      if (inflate_.avail_out == 0) {
        line += out;
        continue;
      }
      if (!Fill()) return "";
      inflate_.next_in = reinterpret_cast<Bytef*>(octet_.data());
      inflate_.avail_in = 1;
    }
    return line.substr(0, line.size() - 2);
  }
  // Takes what a flush ends with, and waits for the end of the stream.
  bool AtEof() {
    while (!tail_.ends_with(std::string("\x00\x00\xff\xff", 4))) {
      if (!Fill()) return false;
    }
    return wire_.AtEof();
  }

 private:
  bool Fill() {
    octet_ = wire_.ReadExact(1);
    tail_ += octet_;
    return !octet_.empty();
  }

  LineClient& wire_;
  z_stream deflate_ = {};
  z_stream inflate_ = {};
  std::string octet_;
  std::string tail_;
};

void Compress(LineClient& client) {
  client.SendLine("z COMPRESS DEFLATE");
  EXPECT_EQ(client.ReadLine(), "z OK DEFLATE active");
}

TEST_F(LoginTest, ACompressedSessionWithinTls) {
  auto wire = ConnectTls();
  wire->SendLine("l LOGIN alice@example.com secret");
  EXPECT_TRUE(wire->ReadLine().starts_with("l OK ["));
  Compress(*wire);
  CompressedClient client(*wire);
  client.SendLine("a COMPRESS DEFLATE");
  EXPECT_EQ(client.ReadLine(), "a NO [COMPRESSIONACTIVE] DEFLATE is active already");
  client.SendLine("b APPEND INBOX {20+}\r\nSubject: x\r\n\r\nbody\r\n");
  EXPECT_TRUE(client.ReadLine().starts_with("b OK [APPENDUID "));
  client.SendLine("c SELECT INBOX");
  std::string line;
  while (!line.starts_with("c ")) {
    line = client.ReadLine();
    ASSERT_FALSE(line.empty());
  }
  client.SendLine("d FETCH 1 BODY.PEEK[TEXT]");
  EXPECT_EQ(client.ReadLine(), "* 1 FETCH (BODY[TEXT] {6}");
  EXPECT_EQ(client.ReadLine(), "body");
  EXPECT_EQ(client.ReadLine(), ")");
  EXPECT_TRUE(client.ReadLine().starts_with("d OK"));
  // RFC 8437: what lies below the session stays.
  client.SendLine("e UNAUTHENTICATE");
  EXPECT_TRUE(client.ReadLine().starts_with("e OK [CAPABILITY "));
  client.SendLine("f STARTTLS");
  EXPECT_TRUE(client.ReadLine().starts_with("f BAD"));
  client.SendLine("g LOGIN alice@example.com secret");
  EXPECT_TRUE(client.ReadLine().starts_with("g OK ["));
  client.SendLine("h LOGOUT");
  EXPECT_TRUE(client.ReadLine().starts_with("* BYE"));
  EXPECT_TRUE(client.ReadLine().starts_with("h OK"));
  EXPECT_TRUE(client.AtEof());
}

TEST_F(LoginTest, AnIdleCompressedSessionIsWoken) {
  auto wire = Connect();
  wire->SendLine("l LOGIN alice@example.com secret");
  EXPECT_TRUE(wire->ReadLine().starts_with("l OK ["));
  wire->SendLine("s SELECT INBOX");
  wire->ReadUntil("s OK");
  Compress(*wire);
  CompressedClient client(*wire);
  client.SendLine("i IDLE");
  EXPECT_EQ(client.ReadLine(), "+ idling");
  Append("Subject: new\r\n\r\nbody\r\n");
  std::string line;
  while (line != "* 1 EXISTS") {
    line = client.ReadLine();
    ASSERT_FALSE(line.empty());
  }
  client.SendLine("DONE");
  while (!line.starts_with("i OK")) {
    line = client.ReadLine();
    ASSERT_FALSE(line.empty());
  }
}

// A mail program opens all its connections together, and the store does not know the password yet.
TEST_F(LoginTest, ManyConnectionsLogInTogether) {
  std::vector<std::unique_ptr<LineClient>> clients;
  for (int i = 0; i < 12; ++i) clients.push_back(Connect());
  for (const auto& client : clients) client->SendLine("l LOGIN alice@example.com secret");
  for (const auto& client : clients) {
    const std::string answer = client->ReadLine();
    EXPECT_TRUE(answer.starts_with("l OK [")) << answer;
  }
}

TEST_F(LoginTest, NothingMayFollowCompressBeforeItsAnswer) {
  auto wire = Connect();
  wire->SendLine("l LOGIN alice@example.com secret");
  EXPECT_TRUE(wire->ReadLine().starts_with("l OK ["));
  wire->Send("a COMPRESS DEFLATE\r\nb NOOP\r\n");
  EXPECT_TRUE(wire->ReadLine().starts_with("a BAD"));
  EXPECT_TRUE(wire->ReadLine().starts_with("b OK"));
}

TEST_F(LoginTest, StartTlsAfterCompressAndLogout) {
  StartServer(FastOptions(), true);
  auto wire = Connect();
  wire->SendLine("a STARTTLS");
  EXPECT_TRUE(wire->ReadLine().starts_with("a OK"));
  ASSERT_TRUE(wire->StartTls());
  wire->SendLine("l LOGIN alice@example.com secret");
  EXPECT_TRUE(wire->ReadLine().starts_with("l OK ["));
  wire->SendLine("u UNAUTHENTICATE");
  const std::string answer = wire->ReadLine();
  EXPECT_TRUE(answer.starts_with("u OK [CAPABILITY ")) << answer;
  EXPECT_EQ(answer.find("STARTTLS"), std::string::npos);
  EXPECT_NE(answer.find("AUTH=SCRAM-SHA-256-PLUS"), std::string::npos);
}

}  // namespace

}  // namespace rmail::gateway::imap

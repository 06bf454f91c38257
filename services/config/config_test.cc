#include "services/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace rmail::config {
namespace {

using ::testing::HasSubstr;

std::string ErrorOf(std::string_view text) {
  const absl::StatusOr<Config> config = Parse(text, "/etc/rmail");
  return config.ok() ? "none" : std::string(config.status().message());
}

TEST(ConfigTest, EmptyObjectHasAllDefaults) {
  const absl::StatusOr<Config> config = Parse("{}", "/etc/rmail");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->hostname, "mail.example.com");
  EXPECT_EQ(config->mail_root, "/etc/rmail/mailstore");
  EXPECT_EQ(config->smtp.port, 25);
  EXPECT_EQ(config->smtp.max_message_size, 52428800u);
  EXPECT_EQ(config->imap.imaps_port, 993);
  EXPECT_EQ(config->login.max_failures, 10u);
  EXPECT_EQ(config->login.trusted, (std::vector<std::string>{"127.0.0.0/8", "::1"}));
  EXPECT_EQ(config->exchange_api.secure_port, 9003);
  EXPECT_EQ(config->store.listen, "127.0.0.1:9010");
  EXPECT_EQ(config->store.sync, "fsync");
  EXPECT_TRUE(config->tls.enabled);
  EXPECT_EQ(config->tls.cert_file, "");
}

TEST(ConfigTest, FileNamesAreRelativeToTheFile) {
  const absl::StatusOr<Config> config =
      Parse(R"({"mail_root": "../mail", "tls": {"cert_file": "c.pem", "key_file": "/keys/k.pem"}})",
            "/etc/rmail");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->mail_root, "/etc/mail");
  EXPECT_EQ(config->tls.cert_file, "/etc/rmail/c.pem");
  EXPECT_EQ(config->tls.key_file, "/keys/k.pem");
}

TEST(ConfigTest, KeysOfEarlierVersionsStayValid) {
  EXPECT_EQ(ErrorOf(R"({"delivery": {"workers": 4, "max_queue_size": 1000},
                        "relay": {"enabled": true, "smarthost": "", "smarthost_port": 587,
                                  "smarthost_username": "", "smarthost_password": ""},
                        "rate_limit": {"enabled": true},
                        "exchange_api": {"token_secret": null}})"),
            "none");
}

TEST(ConfigTest, SmtpAndDelivery) {
  const absl::StatusOr<Config> config = Parse(R"({
      "smtp": {"lmtp_host": "::1", "lmtp_port": 24, "reject_local_senders": false,
               "bare_newlines": "normalise"},
      "delivery": {"workers": 3, "max_queue_size": 0}})",
                                              "/");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->smtp.lmtp_host, "::1");
  EXPECT_EQ(config->smtp.lmtp_port, 24);
  EXPECT_FALSE(config->smtp.reject_local_senders);
  EXPECT_EQ(config->smtp.bare_newlines, "normalise");
  EXPECT_EQ(config->delivery.workers, 3u);
  EXPECT_EQ(config->delivery.max_queue_size, 0u);
  const Config defaults;
  EXPECT_EQ(defaults.smtp.lmtp_port, std::nullopt);
  EXPECT_TRUE(defaults.smtp.reject_local_senders);
}

TEST(ConfigTest, RateLimits) {
  const absl::StatusOr<Config> config = Parse(R"({
      "login": {"max_network_failures": 0, "max_account_failures": 7,
                "max_account_lockout_seconds": 8},
      "rate_limit": {"enabled": false, "connections_per_minute": 1, "messages_per_hour": 2,
                     "recipients_per_hour": 3, "network_factor": 4, "account_messages_per_hour": 5,
                     "account_recipients_per_hour": 0}})",
                                              "/");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->login.max_network_failures, 0u);
  EXPECT_EQ(config->login.max_account_failures, 7u);
  EXPECT_EQ(config->login.max_account_lockout_seconds, 8u);
  const RateLimitConfig& limit = config->rate_limit;
  EXPECT_FALSE(limit.enabled);
  EXPECT_EQ(limit.connections_per_minute, 1u);
  EXPECT_EQ(limit.messages_per_hour, 2u);
  EXPECT_EQ(limit.recipients_per_hour, 3u);
  EXPECT_EQ(limit.network_factor, 4u);
  EXPECT_EQ(limit.account_messages_per_hour, 5u);
  EXPECT_EQ(limit.account_recipients_per_hour, 0u);
}

TEST(ConfigTest, Relay) {
  absl::StatusOr<Config> config = Parse("{}", "/etc/rmail");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_TRUE(config->relay.enabled);
  EXPECT_EQ(config->relay.tls, "may");
  EXPECT_EQ(config->relay.retry.size(), 8u);
  config = Parse(R"({"relay": {"enabled": false, "smarthost": "smtp.example.net",
      "smarthost_port": 465, "smarthost_username": "me", "smarthost_password": "secret",
      "tls": "verify", "ca_file": "ca.pem", "workers": 7, "max_per_destination": 3,
      "retry": [10, 20], "max_age_hours": 48, "delay_notice_hours": 0,
      "source_address": "192.0.2.1",
      "dns_servers": ["192.0.2.53", "127.0.0.1:5353", "2001:db8::1", "[2001:db8::1]:53"]}})",
                 "/etc/rmail");
  ASSERT_TRUE(config.ok()) << config.status();
  const RelayConfig& relay = config->relay;
  EXPECT_FALSE(relay.enabled);
  EXPECT_EQ(relay.smarthost, "smtp.example.net");
  EXPECT_EQ(relay.smarthost_port, 465);
  EXPECT_EQ(relay.smarthost_username, "me");
  EXPECT_EQ(relay.smarthost_password, "secret");
  EXPECT_EQ(relay.tls, "verify");
  EXPECT_EQ(relay.ca_file, "/etc/rmail/ca.pem");
  EXPECT_EQ(relay.workers, 7u);
  EXPECT_EQ(relay.max_per_destination, 3u);
  EXPECT_EQ(relay.retry, (std::vector<uint32_t>{10, 20}));
  EXPECT_EQ(relay.max_age_hours, 48u);
  EXPECT_EQ(relay.delay_notice_hours, 0u);
  EXPECT_EQ(relay.source_address, "192.0.2.1");
  EXPECT_EQ(relay.dns_servers.size(), 4u);
}

TEST(ConfigTest, ErrorsNameTheKeyAndTheReason) {
  const struct {
    const char* text;
    const char* error;
  } cases[] = {
      {"", "not JSON"},
      {"[]", "must be an object"},
      {R"({"hostnam": "x"})", "\"hostnam\" is not a key of rmail"},
      {R"({"smtp": {"prot": 1}})", "\"smtp.prot\" is not a key of rmail"},
      {R"({"smtp": {"port": "25"}})", "\"smtp.port\" must be a whole number from 0 to 65535"},
      {R"({"smtp": {"port": 70000}})", "\"smtp.port\" must be a whole number from 0 to 65535"},
      {R"({"smtp": {"port": -1}})", "\"smtp.port\" must be a whole number from 0 to 65535"},
      {R"({"smtp": {"port": 1.5}})", "\"smtp.port\" must be a whole number from 0 to 65535"},
      {R"({"smtp": []})", "\"smtp\" must be an object"},
      {R"({"smtp": {"bare_newlines": "keep"}})", "\"smtp.bare_newlines\" must be"},
      {R"({"delivery": {"workers": 0}})", "\"delivery.workers\" must be a whole number from 1"},
      {R"({"rate_limit": {"anything": 1}})", "\"rate_limit.anything\" is not a key of rmail"},
      {R"({"rate_limit": {"network_factor": 1001}})",
       "\"rate_limit.network_factor\" must be a whole number from 0 to 1000"},
      {R"({"login": {"max_account_lockout_seconds": 0}})",
       "\"login.max_account_lockout_seconds\" must be a whole number from 1 to 86400"},
      {R"({"smtp": {"max_recipients": 0}})", "\"smtp.max_recipients\" must be a whole number"},
      {R"({"domains": "example.com"})", "\"domains\" must be a list of strings"},
      {R"({"domains": [1]})", "\"domains\" must be a list of strings"},
      {R"({"log_level": "LOUD"})", "\"log_level\" must be one of DEBUG, INFO, WARNING, ERROR"},
      {R"({"login": {"max_failures": 1001}})",
       "\"login.max_failures\" must be a whole number from 0 to 1000"},
      {R"({"login": {"trusted": ["localhost"]}})", "\"login.trusted\" has \"localhost\""},
      {R"({"tls": {"enabled": 1}})", "\"tls.enabled\" must be true or false"},
      {R"({"tls": {"cert_file": "a"}})", "\"tls\" needs both"},
      {R"({"store": {"tls": {"ca_file": "a"}}})", "\"store.tls\" needs cert_file"},
      {R"({"store": {"sync": "none"}})", "\"store.sync\" must be one of fsync, syncfs"},
      {R"({"exchange_api": {"token_secret": "short"}})", "\"exchange_api.token_secret\" must have"},
      {R"({"mail_root": ""})", "\"mail_root\" must not be empty"},
      {R"({"relay": {"smarthost_port": "x"}})", "\"relay.smarthost_port\" must be"},
      {R"({"relay": {"smarthost_port": 0}})", "\"relay.smarthost_port\" must be"},
      {R"({"relay": {"tls": "maybe"}})", "\"relay.tls\" must be one of none, may, encrypt, verify"},
      {R"({"relay": {"workers": 0}})", "\"relay.workers\" must be a whole number from 1 to 10000"},
      {R"({"relay": {"retry": []}})", "\"relay.retry\" must be a list of 1 to 100 whole numbers"},
      {R"({"relay": {"retry": 60}})", "\"relay.retry\" must be a list"},
      {R"({"relay": {"retry": [60, 0]}})", "\"relay.retry\" must be a list"},
      {R"({"relay": {"retry": [1.5]}})", "\"relay.retry\" must be a list"},
      {R"({"relay": {"max_age_hours": 0}})", "\"relay.max_age_hours\" must be"},
      {R"({"relay": {"source_address": "10.0.0.0/8"}})", "\"relay.source_address\" must be an IP"},
      {R"({"relay": {"dns_servers": ["dns.test"]}})", "\"relay.dns_servers\" has \"dns.test\""},
      {R"({"relay": {"dns_servers": ["[192.0.2.1]:53"]}})", "\"relay.dns_servers\" has"},
      {R"({"relay": {"dns_servers": ["192.0.2.1:0"]}})", "\"relay.dns_servers\" has"},
      {R"({"relay": {"smarthost_username": "me"}})", "\"relay.smarthost_username\" and"},
  };
  for (const auto& test : cases) EXPECT_THAT(ErrorOf(test.text), HasSubstr(test.error));
}

class ConfigFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::string(std::getenv("TEST_TMPDIR")) + "/config.XXXXXX";
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    path_ = folder_ + "/config.json";
  }
  void Write(const std::string& text) { std::ofstream(path_) << text; }
  std::string Read() {
    std::ostringstream text;
    text << std::ifstream(path_).rdbuf();
    return text.str();
  }
  std::string folder_;
  std::string path_;
};

TEST_F(ConfigFileTest, DefaultCanBeReadBackAndIsPrivate) {
  ASSERT_TRUE(WriteDefault(path_).ok());
  const absl::StatusOr<Config> config = Load(path_);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->exchange_api.token_secret.size(), 64u);
  EXPECT_EQ(config->mail_root, folder_ + "/mailstore");
  struct stat st;
  ASSERT_EQ(stat(path_.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600u);
  EXPECT_TRUE(absl::IsAlreadyExists(WriteDefault(path_)));
}

TEST_F(ConfigFileTest, TokenSecretIsMadeOnceAndTheRestStays) {
  Write(R"({"hostname": "mx.test", "imap": {"port": 1143}})");
  const absl::StatusOr<Config> first = LoadWithTokenSecret(path_);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->exchange_api.token_secret.size(), 64u);
  const std::string written = Read();
  EXPECT_THAT(written, HasSubstr("\"hostname\": \"mx.test\""));
  EXPECT_THAT(written, HasSubstr("\"port\": 1143"));
  const absl::StatusOr<Config> second = LoadWithTokenSecret(path_);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->exchange_api.token_secret, first->exchange_api.token_secret);
  EXPECT_EQ(Read(), written);
}

TEST_F(ConfigFileTest, MissingFileIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(Load(path_).status()));
}

}  // namespace
}  // namespace rmail::config

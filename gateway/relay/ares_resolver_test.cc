#include "gateway/relay/ares_resolver.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "gateway/common/server.h"
#include "gateway/relay/caching_resolver.h"
#include "gateway/relay/testing/dns_server.h"

namespace rmail::gateway::relay {
namespace {

namespace asio = boost::asio;
using testing::DnsServer;

class AresResolverTest : public ::testing::Test {
 protected:
  AresResolverTest() { Open({dns_.address()}); }

  void Open(const std::vector<std::string>& servers,
            absl::Duration timeout = absl::Milliseconds(100)) {
    AresOptions options;
    options.servers = servers;
    options.timeout = timeout;
    options.hosts_file = false;
    auto made = AresResolver::Create(threads_.Next(), options);
    ASSERT_TRUE(made.ok()) << made.status();
    resolver_ = *std::move(made);
  }

  template <typename T>
  T Wait(asio::awaitable<T> call) {
    return asio::co_spawn(threads_.Next(), std::move(call), asio::use_future).get();
  }
  // "10 mx1, 20 mx2", or the error's code.
  std::string Mx(const std::string& domain) {
    const absl::StatusOr<MxAnswer> answer = Wait(resolver_->LookUpMx(domain));
    if (!answer.ok()) return absl::StatusCodeToString(answer.status().code());
    std::string text;
    for (const MxRecord& record : answer->records) {
      text += (text.empty() ? "" : ", ") + std::to_string(record.preference) + " " + record.host;
    }
    return text;
  }
  std::string Addresses(const std::string& host) {
    const absl::StatusOr<AddressAnswer> answer = Wait(resolver_->LookUpAddresses(host));
    if (!answer.ok()) return absl::StatusCodeToString(answer.status().code());
    std::string text;
    for (const auto& address : answer->addresses) {
      text += (text.empty() ? "" : ", ") + address.to_string();
    }
    return text;
  }

  IoThreads threads_{2};
  DnsServer dns_;
  std::unique_ptr<Resolver> resolver_;
};

TEST_F(AresResolverTest, Mx) {
  dns_.AddMx("example.test", 20, "mx2.example.test");
  dns_.AddMx("example.test", 10, "mx1.example.test");
  dns_.AddMx("null.test", 0, ".");
  dns_.AddAlias("alias.test", "example.test");
  dns_.AddAddress("none.test", "192.0.2.1");
  EXPECT_EQ(Mx("example.test"), "10 mx1.example.test, 20 mx2.example.test");
  EXPECT_EQ(Mx("null.test"), "0 .");
  EXPECT_EQ(Mx("alias.test"), "10 mx1.example.test, 20 mx2.example.test");
  EXPECT_EQ(Mx("none.test"), "");
  EXPECT_EQ(Mx("nothing.test"), "NOT_FOUND");
}

TEST_F(AresResolverTest, Addresses) {
  dns_.AddAddress("both.test", "192.0.2.1");
  dns_.AddAddress("both.test", "2001:db8::1");
  dns_.AddAddress("four.test", "192.0.2.1");
  dns_.AddAddress("six.test", "2001:db8::1");
  dns_.AddMx("mx.test", 1, "both.test");
  EXPECT_TRUE(Addresses("both.test") == "192.0.2.1, 2001:db8::1" ||
              Addresses("both.test") == "2001:db8::1, 192.0.2.1");
  EXPECT_EQ(Addresses("four.test"), "192.0.2.1");
  EXPECT_EQ(Addresses("six.test"), "2001:db8::1");
  EXPECT_EQ(Addresses("mx.test"), "");
  EXPECT_EQ(Addresses("nothing.test"), "NOT_FOUND");
}

TEST_F(AresResolverTest, Failures) {
  dns_.SetFault("fails.test", DnsServer::Fault::kServerFailure);
  dns_.SetFault("silent.test", DnsServer::Fault::kSilent);
  dns_.SetRaw("garbage.test", 5, "garbage");
  for (const char* name : {"fails.test", "silent.test", "garbage.test"}) {
    EXPECT_EQ(Mx(name), "UNAVAILABLE") << name;
    EXPECT_EQ(Addresses(name), "UNAVAILABLE") << name;
  }
  EXPECT_EQ(dns_.queries("silent.test"), 9);  // Three attempts at each of three questions.
  EXPECT_EQ(Mx("a..b"), "NOT_FOUND");
  EXPECT_EQ(Mx(std::string(64, 'x') + ".test"), "NOT_FOUND");
}

TEST_F(AresResolverTest, LargeAnswersComeOverTcp) {
  for (int i = 0; i < 30; ++i) {
    dns_.AddMx("large.test", static_cast<uint16_t>(i), "mx" + std::to_string(i) + ".example.test");
  }
  dns_.SetFault("large.test", DnsServer::Fault::kTruncated);
  const std::string answer = Mx("large.test");
  EXPECT_TRUE(answer.starts_with("0 mx0.example.test, 1 mx1")) << answer;
  EXPECT_TRUE(answer.ends_with("29 mx29.example.test")) << answer;
  EXPECT_EQ(dns_.tcp_queries("large.test"), 1);
}

TEST_F(AresResolverTest, ManyAtOnce) {
  std::vector<std::future<absl::StatusOr<MxAnswer>>> answers;
  for (int i = 0; i < 200; ++i) {
    const std::string name = "d" + std::to_string(i) + ".test";
    dns_.AddMx(name, static_cast<uint16_t>(i), "mx.test");
  }
  for (int i = 0; i < 200; ++i) {
    answers.push_back(asio::co_spawn(
        threads_.Next(), resolver_->LookUpMx("d" + std::to_string(i) + ".test"), asio::use_future));
  }
  for (int i = 0; i < 200; ++i) {
    const absl::StatusOr<MxAnswer> answer = answers[static_cast<size_t>(i)].get();
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(answer->records.at(0).preference, i);
  }
}

TEST_F(AresResolverTest, EndsWithLookupsUnderWay) {
  dns_.SetFault("silent.test", DnsServer::Fault::kSilent);
  Open({dns_.address()}, absl::Seconds(60));
  auto answer =
      asio::co_spawn(threads_.Next(), resolver_->LookUpMx("silent.test"), asio::use_future);
  while (dns_.queries("silent.test") == 0) std::this_thread::yield();
  resolver_.reset();
  EXPECT_EQ(answer.get().status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(AresResolverTest, ServersThatAreNone) {
  AresOptions options;
  options.servers = {"not an address"};
  EXPECT_EQ(AresResolver::Create(threads_.Next(), options).status().code(),
            absl::StatusCode::kInvalidArgument);
  Open({"127.0.0.1:1"});
  EXPECT_EQ(Mx("example.test"), "UNAVAILABLE");
}

// Answers from the test's thread, with a clock of the test's.
class CachingResolverTest : public ::testing::Test {
 protected:
  class Counting : public Resolver {
   public:
    explicit Counting(CachingResolverTest& test) : test_(test) {}
    asio::awaitable<absl::StatusOr<MxAnswer>> LookUpMx(std::string domain) override {
      ++test_.asked_;
      if (!test_.status_.ok()) co_return test_.status_;
      co_return MxAnswer{{{1, domain}}, test_.ttl_};
    }
    asio::awaitable<absl::StatusOr<AddressAnswer>> LookUpAddresses(std::string) override {
      ++test_.asked_;
      if (!test_.status_.ok()) co_return test_.status_;
      co_return AddressAnswer{{}, test_.ttl_};
    }

   private:
    CachingResolverTest& test_;
  };

  // How many questions it makes to ask these.
  int Ask(const std::vector<std::string>& names) {
    asked_ = 0;
    for (const std::string& name : names) {
      const auto answer =
          asio::co_spawn(threads_.Next(), resolver_.LookUpMx(name), asio::use_future).get();
      if (answer.ok()) EXPECT_EQ(answer->records.at(0).host, name);
      EXPECT_EQ(answer.status(), status_);
    }
    return asked_;
  }

  IoThreads threads_{1};
  int asked_ = 0;
  absl::Duration ttl_ = absl::Seconds(100);
  absl::Status status_;
  absl::Time now_ = absl::UnixEpoch();
  CachingResolver resolver_{std::make_unique<Counting>(*this), 4, [this] { return now_; }};
};

TEST_F(CachingResolverTest, AnswersHoldForTheirTime) {
  EXPECT_EQ(Ask({"a", "a", "b", "a"}), 2);
  now_ += absl::Seconds(99);
  EXPECT_EQ(Ask({"a"}), 0);
  now_ += absl::Seconds(1);
  EXPECT_EQ(Ask({"a", "a"}), 1);
  ttl_ = absl::ZeroDuration();
  EXPECT_EQ(Ask({"c", "c"}), 2);
  ttl_ = absl::Hours(1000);
  EXPECT_EQ(Ask({"d", "d"}), 1);
  now_ += absl::Hours(1);
  EXPECT_EQ(Ask({"d"}), 1);
}

TEST_F(CachingResolverTest, Failures) {
  status_ = absl::NotFoundError("");
  EXPECT_EQ(Ask({"a", "a"}), 1);
  now_ += absl::Minutes(1);
  EXPECT_EQ(Ask({"a", "a"}), 1);
  status_ = absl::UnavailableError("");
  EXPECT_EQ(Ask({"b", "b"}), 2);
}

TEST_F(CachingResolverTest, IsBounded) {
  EXPECT_EQ(Ask({"a", "b", "c", "d", "e", "f", "g", "h"}), 8);
  EXPECT_EQ(Ask({"a", "h"}), 0);
  EXPECT_EQ(Ask({"i", "a"}), 2);  // The older half went.
  EXPECT_EQ(Ask({"e", "h"}), 0);
}

TEST_F(CachingResolverTest, AddressesToo) {
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(asio::co_spawn(threads_.Next(), resolver_.LookUpAddresses("a"), asio::use_future)
                    .get()
                    .ok());
  }
  EXPECT_EQ(asked_, 1);
}

}  // namespace
}  // namespace rmail::gateway::relay

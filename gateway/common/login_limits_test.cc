// Several gateways over one store: whom one of them locks out, all do.
#include "gateway/common/login_limits.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <string>

#include "absl/time/clock.h"
#include "gateway/common/client_address.h"
#include "gateway/common/store_session.h"
#include "store/base/error.h"
#include "tests/support/test_store.h"

namespace rmail::gateway {
namespace {

constexpr char kClient[] = "192.0.2.1";
constexpr char kAlice[] = "alice@example.com";

LoginGuardOptions Options() {
  LoginGuardOptions options;
  options.max_failures = 3;
  options.max_network_failures = 6;
  options.max_account_failures = 8;
  options.max_account_lockout = absl::Seconds(30);
  return options;
}

template <typename T>
T Await(boost::asio::awaitable<T> work) {
  boost::asio::io_context context;
  auto result = boost::asio::co_spawn(context, std::move(work), boost::asio::use_future);
  context.run();
  return result.get();
}

class LoginLimitsTest : public ::testing::Test {
 protected:
  // What another process would have.
  struct Gateway {
    explicit Gateway(rmail::testing::TestStore& store, const LoginGuardOptions& options = Options())
        : limits(options, store.access().limiter(), rmail::testing::kTokenSecret) {}

    absl::Duration LockedFor(const std::string& peer, const std::string& account) {
      return Await(limits.LockedFor(peer, account));
    }
    bool Locked(const std::string& peer, const std::string& account) {
      return LockedFor(peer, account) > absl::ZeroDuration();
    }
    void Fail(const std::string& peer, const std::string& account, const std::string& password) {
      Await(limits.Failed(peer, account, password));
    }

    LoginLimits limits;
  };

  std::string NewPassword() { return std::to_string(++passwords_); }

  rmail::testing::TestStore store_;
  Gateway first_{store_};
  Gateway second_{store_};
  int passwords_ = 0;
};

TEST_F(LoginLimitsTest, AClientIsLockedOutEverywhere) {
  first_.Fail(kClient, kAlice, NewPassword());
  second_.Fail(kClient, kAlice, NewPassword());
  EXPECT_FALSE(first_.Locked(kClient, kAlice));
  first_.Fail(kClient, kAlice, NewPassword());
  EXPECT_TRUE(second_.Locked(kClient, "bob@example.com"));
  EXPECT_TRUE(first_.Locked(kClient, ""));
  EXPECT_LE(first_.LockedFor(kClient, kAlice), absl::Minutes(1));
  EXPECT_FALSE(second_.Locked("192.0.2.2", kAlice));
  // From now on neither asks.
  EXPECT_GT(first_.limits.LockedHere(kClient), absl::ZeroDuration());
  EXPECT_GT(second_.limits.LockedHere(kClient), absl::ZeroDuration());
  EXPECT_EQ(second_.limits.LockedHere("192.0.2.2"), absl::ZeroDuration());
}

TEST_F(LoginLimitsTest, TheSamePasswordCountsOnceEverywhere) {
  for (int i = 0; i < 5; ++i) {
    first_.Fail(kClient, kAlice, "old");
    second_.Fail(kClient, "Alice@Example.com", "old");
  }
  EXPECT_FALSE(first_.Locked(kClient, kAlice));
  second_.Fail(kClient, kAlice, "older");
  first_.Fail(kClient, "bob@example.com", "old");
  EXPECT_TRUE(second_.Locked(kClient, kAlice));
}

TEST_F(LoginLimitsTest, ANetworkIsLockedOut) {
  for (int i = 0; i < 6; ++i) {
    EXPECT_FALSE(first_.Locked("192.0.2.99", kAlice));
    first_.Fail("192.0.2." + std::to_string(i), kAlice, NewPassword());
  }
  EXPECT_TRUE(second_.Locked("192.0.2.99", "bob@example.com"));
  EXPECT_FALSE(second_.Locked("198.51.100.1", "bob@example.com"));
  // That is not the client's own doing.
  EXPECT_EQ(second_.limits.LockedHere("192.0.2.99"), absl::ZeroDuration());
  EXPECT_LE(second_.LockedFor("192.0.2.99", "bob@example.com"), absl::Seconds(30));
}

TEST_F(LoginLimitsTest, AKnownClientDoesNotSufferForItsNeighbours) {
  first_.limits.Succeeded("192.0.2.99", kAlice);
  for (int i = 0; i < 6; ++i) {
    first_.Fail("192.0.2." + std::to_string(i), "bob@example.com", NewPassword());
  }
  EXPECT_TRUE(first_.Locked("192.0.2.99", "bob@example.com"));
  EXPECT_FALSE(first_.Locked("192.0.2.99", "Alice@example.com"));
  // What it does itself counts.
  for (int i = 0; i < 3; ++i) first_.Fail("192.0.2.99", kAlice, NewPassword());
  EXPECT_TRUE(first_.Locked("192.0.2.99", kAlice));
}

TEST_F(LoginLimitsTest, AnAccountIsLockedForLessLong) {
  second_.limits.Succeeded("203.0.113.7", "Alice@example.com");
  for (int i = 0; i < 8; ++i) {
    EXPECT_FALSE(first_.Locked("203.0.113.9", kAlice));
    first_.Fail("10.0." + std::to_string(i) + ".1", i % 2 == 0 ? kAlice : "ALICE@example.com",
                NewPassword());
  }
  EXPECT_TRUE(first_.Locked("203.0.113.9", kAlice));
  EXPECT_LE(first_.LockedFor("203.0.113.9", kAlice), absl::Seconds(30));
  EXPECT_FALSE(first_.Locked("203.0.113.9", "bob@example.com"));
  // A client of hers goes on, where it is known.
  EXPECT_FALSE(second_.Locked("203.0.113.7", kAlice));
  EXPECT_TRUE(second_.Locked("203.0.113.8", kAlice));
}

TEST_F(LoginLimitsTest, AnyOctetsAreAnAccount) {
  const std::string odd[] = {"\xff\xfe", std::string(100'000, 'x'), "a b", std::string("\0", 1)};
  for (const std::string& account : odd) {
    const std::string peer = "10.1." + std::to_string(++passwords_) + ".1";
    for (int i = 0; i < 8; ++i) {
      EXPECT_FALSE(second_.Locked(peer, account)) << account.substr(0, 10);
      first_.Fail("10." + std::to_string(i + 2) + "." + std::to_string(passwords_) + ".1", account,
                  std::to_string(i));
    }
    EXPECT_TRUE(second_.Locked(peer, account)) << account.substr(0, 10);
  }
}

TEST_F(LoginLimitsTest, TrustedClientsAndNoLimit) {
  LoginGuardOptions options = Options();
  options.trusted = {*AddressRange::Parse(kClient)};
  Gateway trusting(store_, options);
  options.trusted.clear();
  options.max_failures = options.max_network_failures = options.max_account_failures = 0;
  Gateway off(store_, options);
  for (int i = 0; i < 20; ++i) {
    trusting.Fail(kClient, kAlice, NewPassword());
    off.Fail(kClient, kAlice, NewPassword());
  }
  EXPECT_FALSE(trusting.Locked(kClient, kAlice));
  EXPECT_FALSE(off.Locked(kClient, kAlice));
  EXPECT_FALSE(first_.Locked(kClient, kAlice));
}

TEST_F(LoginLimitsTest, EachLimitIsSwitchedOffByItself) {
  LoginGuardOptions options = Options();
  options.max_failures = 0;
  Gateway without(store_, options);
  for (int i = 0; i < 6; ++i) {
    EXPECT_FALSE(without.Locked(kClient, kAlice));
    without.Fail(kClient, kAlice, NewPassword());
  }
  EXPECT_TRUE(without.Locked(kClient, kAlice));
  EXPECT_TRUE(without.Locked("192.0.2.99", "bob@example.com"));
  EXPECT_EQ(without.limits.LockedHere(kClient), absl::ZeroDuration());
  for (int i = 0; i < 2; ++i) without.Fail("10.0.0.1", kAlice, NewPassword());
  EXPECT_TRUE(without.Locked("10.1.0.1", kAlice));
  EXPECT_FALSE(without.Locked("10.1.0.1", "bob@example.com"));
}

TEST_F(LoginLimitsTest, WithoutAStoreAGatewayCountsForItself) {
  store_.Stop();
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(first_.Locked(kClient, kAlice));
    first_.Fail(kClient, kAlice, NewPassword());
  }
  EXPECT_TRUE(first_.Locked(kClient, kAlice));
  EXPECT_FALSE(second_.Locked(kClient, kAlice));
}

// The whole way, through StoreAccess.
TEST_F(LoginLimitsTest, LoginsOnTwoGateways) {
  store_.AddAccount(kAlice, "secret");
  const auto watcher = store_.client().NewWatcher([] { return std::string(); });
  StoreAccess one(store_.client(), *watcher, rmail::testing::kTokenSecret, Options());
  StoreAccess two(store_.client(), *watcher, rmail::testing::kTokenSecret, Options());
  const auto log_in = [](StoreAccess& access, const std::string& password) {
    return Await(access.Authenticate(kAlice, password, kClient)).status();
  };
  EXPECT_TRUE(log_in(two, "secret").ok());
  for (int i = 0; i < 3; ++i) {
    const absl::Status refused = log_in(i == 1 ? two : one, NewPassword());
    EXPECT_EQ(ReasonOf(refused), store::v1::ERROR_REASON_BAD_CREDENTIALS) << refused;
  }
  EXPECT_TRUE(IsLockedOut(log_in(two, "secret")));
  EXPECT_TRUE(IsLockedOut(log_in(one, "secret")));
  const absl::Status token = Await(two.AuthenticateToken(kAlice, "x", kClient)).status();
  EXPECT_TRUE(IsLockedOut(token)) << token;
  const absl::Status other = Await(two.Authenticate(kAlice, "secret", "198.51.100.1")).status();
  EXPECT_TRUE(other.ok()) << other;
}

TEST(RateLimiterTest, Names) {
  const store::v1::LimitedEvent event = MakeEvent("a/b", "c/d", 5, absl::Minutes(1));
  EXPECT_EQ(event.key(), "a/b/c/d");
  EXPECT_EQ(event.count(), 1u);
  EXPECT_EQ(event.limit(), 5u);
  EXPECT_EQ(event.window_seconds(), 60u);
}

TEST(RateLimiterTest, Verdicts) {
  rmail::testing::TestStore store;
  RateLimiter& limiter = store.access().limiter();
  const auto count = [&](std::vector<store::v1::LimitedEvent> events) {
    return Await(limiter.Count(std::move(events)));
  };
  EXPECT_TRUE(count({}).allowed);
  EXPECT_TRUE(
      count({MakeEvent("t/a", "x", 2, absl::Hours(1)), MakeEvent("t/b", "x", 1, absl::Hours(1))})
          .allowed);
  const RateLimiter::Verdict verdict =
      count({MakeEvent("t/a", "x", 2, absl::Hours(1)), MakeEvent("t/b", "x", 1, absl::Hours(1))});
  EXPECT_FALSE(verdict.allowed);
  EXPECT_EQ(verdict.refused, 1u);
  EXPECT_GT(verdict.retry_after, absl::Minutes(59));
  store.Stop();
  EXPECT_TRUE(count({MakeEvent("t/b", "x", 1, absl::Hours(1))}).allowed);
}

}  // namespace
}  // namespace rmail::gateway

// Aliases through the store's client: what DirectoryService promises.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "store/base/error.h"
#include "store/base/token.h"
#include "store/client/store_client.h"
#include "store/engine/test_folder.h"
#include "store/service/store_server.h"

namespace rmail::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace pb = ::rmail::store::v1;

constexpr char kSecret[] = "the secret of this test's store";

std::string Sign(TokenScope scope, std::string subject = "") {
  Token token;
  token.subject = std::move(subject);
  token.scope = scope;
  token.expires = absl::Now() + absl::Hours(1);
  return SignToken(kSecret, token);
}

class DirectoryServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    StoreOptions options;
    options.mail_root = folder_.path();
    options.domains = {"example.com"};
    options.token_secret = kSecret;
    options.workers = 4;
    auto server = StoreServer::Start(options);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    client_ = client::StoreClient::Create({server_->InProcessChannel()});
    pb::CreateAccountRequest request;
    request.mutable_account()->set_name("accounts/alice@example.com");
    request.set_password("secret");
    ASSERT_TRUE(Call(request).ok());
  }

  void TearDown() override {
    client_ = nullptr;
    server_ = nullptr;
  }

  template <typename Request>
  absl::StatusOr<client::ResponseTo<Request>> Call(const Request& request,
                                                   const std::string& token) {
    client::CallOptions options;
    options.token = token;
    std::promise<absl::StatusOr<client::ResponseTo<Request>>> done;
    client_->Call(options, request, [&](auto response) { done.set_value(std::move(response)); });
    return done.get_future().get();
  }
  template <typename Request>
  absl::StatusOr<client::ResponseTo<Request>> Call(const Request& request) {
    return Call(request, Sign(TokenScope::kAdmin));
  }

  absl::StatusOr<pb::SetAliasResponse> Set(const std::string& domain, pb::Alias::Kind kind,
                                           const std::string& pattern,
                                           const std::vector<std::string>& targets) {
    pb::SetAliasRequest request;
    request.mutable_alias()->set_domain(domain);
    request.mutable_alias()->set_kind(kind);
    request.mutable_alias()->set_pattern(pattern);
    for (const std::string& target : targets) request.mutable_alias()->add_targets(target);
    return Call(request);
  }

  absl::Status Delete(const std::string& domain, pb::Alias::Kind kind, const std::string& pattern) {
    pb::DeleteAliasRequest request;
    request.set_domain(domain);
    request.set_kind(kind);
    request.set_pattern(pattern);
    return Call(request).status();
  }

  absl::StatusOr<pb::ListAliasesResponse> List(const std::string& domain) {
    pb::ListAliasesRequest request;
    request.set_domain(domain);
    return Call(request);
  }

  absl::StatusOr<pb::ResolveRecipientResponse> Resolve(const std::string& address) {
    pb::ResolveRecipientRequest request;
    request.set_address(address);
    return Call(request, Sign(TokenScope::kDeliver));
  }

  engine::TestFolder folder_;
  std::unique_ptr<StoreServer> server_;
  std::unique_ptr<client::StoreClient> client_;
};

TEST_F(DirectoryServiceTest, AliasesAreMadeListedResolvedAndDeleted) {
  ASSERT_TRUE(Set("example.com", pb::Alias::KIND_CATCH_ALL, "", {"alice@example.com"}).ok());
  ASSERT_TRUE(Set("example.com", pb::Alias::KIND_REGEX, "s(.*)",
                  {"\\1@elsewhere.test", "sales@example.com"})
                  .ok());
  const auto made = Set("Example.COM", pb::Alias::KIND_EXACT, "Sales",
                        {"alice@EXAMPLE.com", "Bob@Elsewhere.test"});
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->alias().domain(), "example.com");
  EXPECT_EQ(made->alias().pattern(), "sales");
  EXPECT_THAT(made->alias().targets(), ElementsAre("alice@example.com", "Bob@elsewhere.test"));

  const auto list = List("EXAMPLE.com");
  ASSERT_TRUE(list.ok()) << list.status();
  ASSERT_EQ(list->aliases_size(), 3);
  EXPECT_EQ(list->aliases(0).SerializeAsString(), made->alias().SerializeAsString());
  EXPECT_EQ(list->aliases(1).kind(), pb::Alias::KIND_REGEX);
  EXPECT_EQ(list->aliases(2).kind(), pb::Alias::KIND_CATCH_ALL);

  const auto support = Resolve("support+x@example.com");
  ASSERT_TRUE(support.ok()) << support.status();
  EXPECT_TRUE(support->local());
  EXPECT_THAT(support->accounts(), ElementsAre("accounts/alice@example.com"));
  EXPECT_THAT(support->external(), ElementsAre("upport+x@elsewhere.test", "Bob@elsewhere.test"));

  EXPECT_TRUE(Delete("EXAMPLE.com", pb::Alias::KIND_EXACT, "SALES").ok());
  EXPECT_TRUE(Delete("example.com", pb::Alias::KIND_CATCH_ALL, "").ok());
  EXPECT_EQ(ReasonOf(Delete("example.com", pb::Alias::KIND_CATCH_ALL, "")),
            pb::ERROR_REASON_ALIAS_NOT_FOUND);
  EXPECT_EQ(ReasonOf(Resolve("whoever@example.com").status()), pb::ERROR_REASON_ACCOUNT_NOT_FOUND);
  EXPECT_EQ(List("example.com")->aliases_size(), 1);
}

TEST_F(DirectoryServiceTest, DomainOfAliasesNeedsNoUsers) {
  EXPECT_FALSE(Resolve("sales@alias.test")->local());
  EXPECT_THAT(List("alias.test")->aliases(), IsEmpty());
  ASSERT_TRUE(Set("alias.test", pb::Alias::KIND_CATCH_ALL, "", {"alice@example.com"}).ok());
  EXPECT_THAT(Resolve("sales@alias.test")->accounts(), ElementsAre("accounts/alice@example.com"));
  EXPECT_EQ(Call(pb::ListAccountsRequest())->accounts_size(), 1);
}

TEST_F(DirectoryServiceTest, LoopsDisabledAccountsAndNobody) {
  ASSERT_TRUE(Set("example.com", pb::Alias::KIND_EXACT, "a", {"b@example.com"}).ok());
  ASSERT_TRUE(Set("example.com", pb::Alias::KIND_EXACT, "b", {"a@example.com"}).ok());
  ASSERT_TRUE(Set("example.com", pb::Alias::KIND_EXACT, "c", {"nobody@example.com"}).ok());
  ASSERT_TRUE(Set("example.com", pb::Alias::KIND_EXACT, "d", {"alice@example.com"}).ok());
  const auto loop = Resolve("a@example.com");
  EXPECT_EQ(ReasonOf(loop.status()), pb::ERROR_REASON_ALIAS_LOOP);
  EXPECT_EQ(loop.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(Resolve("c@example.com").status()), pb::ERROR_REASON_ACCOUNT_NOT_FOUND);
  EXPECT_THAT(Resolve("d@example.com")->accounts(), ElementsAre("accounts/alice@example.com"));
  pb::UpdateAccountRequest disable;
  disable.set_name("accounts/alice@example.com");
  disable.set_disabled(true);
  ASSERT_TRUE(Call(disable).ok());
  EXPECT_EQ(ReasonOf(Resolve("d@example.com").status()), pb::ERROR_REASON_ACCOUNT_DISABLED);
}

TEST_F(DirectoryServiceTest, InvalidAliasesAreRefused) {
  const auto reason = [&](const std::string& domain, pb::Alias::Kind kind,
                          const std::string& pattern, const std::vector<std::string>& targets) {
    return ReasonOf(Set(domain, kind, pattern, targets).status());
  };
  const pb::Alias::Kind exact = pb::Alias::KIND_EXACT;
  const std::vector<std::string> to = {"alice@example.com"};
  EXPECT_EQ(reason("example.com", exact, "x/y", to), pb::ERROR_REASON_INVALID_ALIAS);
  EXPECT_EQ(reason("example.com", exact, "a", {}), pb::ERROR_REASON_INVALID_ALIAS);
  EXPECT_EQ(reason("example.com", exact, "a", {"alice"}), pb::ERROR_REASON_INVALID_ALIAS);
  EXPECT_EQ(reason("example.com", pb::Alias::KIND_REGEX, "(", to), pb::ERROR_REASON_INVALID_ALIAS);
  EXPECT_EQ(reason("example.com", pb::Alias::KIND_CATCH_ALL, "x", to),
            pb::ERROR_REASON_INVALID_ALIAS);
  EXPECT_EQ(reason("example.com", pb::Alias::KIND_UNSPECIFIED, "x", to),
            pb::ERROR_REASON_INVALID_ALIAS);
  for (const char* domain : {"", "..", "../../x", "a/b", ".hidden", "y@b"}) {
    EXPECT_EQ(reason(domain, exact, "a", to), pb::ERROR_REASON_INVALID_ALIAS) << domain;
    EXPECT_FALSE(List(domain).ok()) << domain;
    EXPECT_FALSE(Delete(domain, exact, "a").ok()) << domain;
  }
  const auto status = Set("example.com", exact, "a", {"alice"}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("\"alice\" is no address"));
}

TEST_F(DirectoryServiceTest, OnlyAdministratorsSeeAliases) {
  for (const std::string& token :
       {Sign(TokenScope::kAccount, "alice@example.com"), Sign(TokenScope::kDeliver),
        Sign(TokenScope::kGateway), Sign(TokenScope::kAdmin, "alice@example.com")}) {
    pb::SetAliasRequest set;
    set.mutable_alias()->set_domain("example.com");
    set.mutable_alias()->set_kind(pb::Alias::KIND_CATCH_ALL);
    set.mutable_alias()->add_targets("alice@example.com");
    EXPECT_EQ(ReasonOf(Call(set, token).status()), pb::ERROR_REASON_NOT_PERMITTED);
    pb::ListAliasesRequest list;
    list.set_domain("example.com");
    EXPECT_EQ(ReasonOf(Call(list, token).status()), pb::ERROR_REASON_NOT_PERMITTED);
    pb::DeleteAliasRequest remove;
    remove.set_domain("example.com");
    remove.set_kind(pb::Alias::KIND_CATCH_ALL);
    EXPECT_EQ(ReasonOf(Call(remove, token).status()), pb::ERROR_REASON_NOT_PERMITTED);
  }
  EXPECT_THAT(List("example.com")->aliases(), IsEmpty());
}

TEST_F(DirectoryServiceTest, BrokenFileNeverLooksLikeAnUnknownAddress) {
  ASSERT_TRUE(Set("example.com", pb::Alias::KIND_EXACT, "a", {"x@alias.test", "y@b.test"}).ok());
  ASSERT_TRUE(Set("alias.test", pb::Alias::KIND_EXACT, "x", {"alice@example.com"}).ok());
  std::ofstream(folder_.Path("domains/alias.test/aliases.json")) << "{";
  for (const char* address : {"x@alias.test", "nobody@alias.test", "a@example.com"}) {
    const auto resolved = Resolve(address);
    EXPECT_EQ(ReasonOf(resolved.status()), pb::ERROR_REASON_CORRUPT_MAILBOX) << address;
    EXPECT_THAT(std::string(resolved.status().message()), HasSubstr("aliases.json of alias.test"));
  }
  EXPECT_EQ(ReasonOf(List("alias.test").status()), pb::ERROR_REASON_CORRUPT_MAILBOX);
  EXPECT_TRUE(Resolve("alice@example.com").ok());
  std::ofstream(folder_.Path("domains/alias.test/aliases.json"))
      << "{\"version\": 1, \"aliases\": [{\"pattern\": \"x\", \"targets\": [\"z@c.test\"]}]}";
  EXPECT_THAT(Resolve("a@example.com")->external(), ElementsAre("y@b.test", "z@c.test"));
}

}  // namespace
}  // namespace rmail::service

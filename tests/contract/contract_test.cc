// What every caller may rely on: the services can be listed, and no call works without the right
// token.
#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/text_format.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "rmail/store/v1/admin.pb.h"
#include "rmail/store/v1/auth.pb.h"
#include "rmail/store/v1/directory.pb.h"
#include "rmail/store/v1/limit.pb.h"
#include "rmail/store/v1/mailbox.pb.h"
#include "rmail/store/v1/message.pb.h"
#include "rmail/store/v1/metadata.pb.h"
#include "rmail/store/v1/queue.pb.h"
#include "rmail/store/v1/quota.pb.h"
#include "rmail/store/v1/watch.pb.h"
#include "store/base/token.h"
#include "store/service/store_server.h"
#include "tests/contract/generic_call.h"

namespace rmail::testing {
namespace {

using ::google::protobuf::DescriptorPool;
using ::google::protobuf::Message;
using ::google::protobuf::MessageFactory;
using ::google::protobuf::MethodDescriptor;
using ::google::protobuf::ServiceDescriptor;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAreArray;

constexpr char kSecret[] = "a secret that only this test knows";
constexpr char kPackage[] = "rmail.store.v1.";
constexpr char kAlice[] = "alice@example.com";

// Who may not make a call.
enum class Stranger {
  // Only its account may: another account's token is not enough, nor is a role's.
  kOtherAccount,
  // Only an administrator may.
  kAnyAccount,
  // Only gateways may.
  kNotGateway,
  // Only relays and administrators may.
  kNotRelay,
  // Whoever works for all accounts may: a role.
  kNotARole,
  // Whoever has a valid token may.
  kNobody,
};

struct CallCase {
  const char* method;
  // A request in protobuf's text format that names a resource.
  const char* request;
  Stranger stranger;
};

#define ALICE "\"accounts/alice@example.com\""
#define ALICES_INBOX "\"accounts/alice@example.com/mailboxes/1\""
#define ALICES_TRASH "\"accounts/alice@example.com/mailboxes/2\""
#define QUEUED "\"queue/0123456789abcdef0123\""

// Each method of the contract has its row: EveryMethodIsTried fails when one is missing.
constexpr CallCase kCalls[] = {
    {"MailboxService.CreateMailbox", "parent: " ALICE " path: 'New'", Stranger::kOtherAccount},
    {"MailboxService.GetMailbox", "name: " ALICES_INBOX, Stranger::kOtherAccount},
    {"MailboxService.ListMailboxes", "parent: " ALICE, Stranger::kOtherAccount},
    {"MailboxService.RenameMailbox", "name: " ALICES_INBOX " path: 'New'", Stranger::kOtherAccount},
    {"MailboxService.DeleteMailbox", "name: " ALICES_INBOX, Stranger::kOtherAccount},
    {"MailboxService.SetSubscription", "name: " ALICES_INBOX, Stranger::kOtherAccount},
    {"MessageService.AppendMessage", "header { mailbox: " ALICES_INBOX " }",
     Stranger::kOtherAccount},
    {"MessageService.DeliverMessage", "header { recipients: " ALICE " }", Stranger::kAnyAccount},
    {"MessageService.FetchMessages", "mailbox: " ALICES_INBOX " uids { first: 1 last: 9 }",
     Stranger::kOtherAccount},
    {"MessageService.SyncMailbox", "mailbox: " ALICES_INBOX, Stranger::kOtherAccount},
    {"MessageService.UpdateFlags",
     "mailbox: " ALICES_INBOX " uids { first: 1 last: 9 } operation: OPERATION_ADD",
     Stranger::kOtherAccount},
    {"MessageService.CopyMessages",
     "mailbox: " ALICES_INBOX " uids { first: 1 last: 9 } target: " ALICES_TRASH,
     Stranger::kOtherAccount},
    {"MessageService.MoveMessages",
     "mailbox: " ALICES_INBOX " uids { first: 1 last: 9 } target: " ALICES_TRASH,
     Stranger::kOtherAccount},
    {"MessageService.ExpungeMessages", "mailbox: " ALICES_INBOX, Stranger::kOtherAccount},
    {"MessageService.SearchMessages", "mailbox: " ALICES_INBOX, Stranger::kOtherAccount},
    {"MessageService.SortMessages", "mailbox: " ALICES_INBOX " criteria { key: KEY_DATE }",
     Stranger::kOtherAccount},
    {"MessageService.ThreadMessages", "mailbox: " ALICES_INBOX " algorithm: ALGORITHM_REFERENCES",
     Stranger::kOtherAccount},
    {"MetadataService.GetMetadata", "name: " ALICES_INBOX, Stranger::kOtherAccount},
    {"MetadataService.SetMetadata",
     "name: " ALICE " entries { name: '/private/comment' value: 'mine' }", Stranger::kOtherAccount},
    {"WatchService.Watch", "unsubscribe { mailbox: " ALICES_INBOX " }", Stranger::kNobody},
    {"DirectoryService.CreateAccount",
     "account { name: 'accounts/new@example.com' } password: 'password'", Stranger::kAnyAccount},
    {"DirectoryService.GetAccount", "name: " ALICE, Stranger::kOtherAccount},
    {"DirectoryService.ListAccounts", "", Stranger::kAnyAccount},
    {"DirectoryService.UpdateAccount", "name: " ALICE " admin: true", Stranger::kAnyAccount},
    {"DirectoryService.ResolveRecipient", "address: 'alice@example.com'", Stranger::kAnyAccount},
    {"DirectoryService.ListAliases", "domain: 'example.com'", Stranger::kAnyAccount},
    {"DirectoryService.SetAlias",
     "alias { domain: 'example.com' kind: KIND_EXACT pattern: 'sales' targets: 'a@example.com' }",
     Stranger::kAnyAccount},
    {"DirectoryService.DeleteAlias", "domain: 'example.com' kind: KIND_EXACT pattern: 'sales'",
     Stranger::kAnyAccount},
    {"QuotaService.GetQuota", "name: " ALICE, Stranger::kOtherAccount},
    {"QuotaService.UpdateQuota", "name: " ALICE " limit_mb: 1", Stranger::kAnyAccount},
    {"AuthService.Authenticate", "address: 'alice@example.com' password: 'password'",
     Stranger::kNotGateway},
    {"AuthService.GetScramParameters", "address: 'alice@example.com'", Stranger::kNotGateway},
    {"AuthService.AuthenticateScram", "address: 'alice@example.com' auth_message: 'n=alice,r=1'",
     Stranger::kNotGateway},
    {"LimitService.CountEvents", "events { key: 'a/b/c' count: 1 limit: 1 window_seconds: 1 }",
     Stranger::kNotARole},
    {"QueueService.LeaseMessages", "holder: 'test' max_messages: 1 lease_seconds: 60",
     Stranger::kNotRelay},
    {"QueueService.RenewLease", "name: " QUEUED " lease: 'x' lease_seconds: 60",
     Stranger::kNotRelay},
    {"QueueService.ReadQueuedMessage", "name: " QUEUED, Stranger::kNotRelay},
    {"QueueService.ReportDelivery", "name: " QUEUED " lease: 'x' release: true",
     Stranger::kNotRelay},
    {"QueueService.ListQueue", "", Stranger::kNotRelay},
    {"QueueService.GetQueuedMessage", "name: " QUEUED, Stranger::kNotRelay},
    {"QueueService.RetryMessages", "", Stranger::kNotRelay},
    {"QueueService.HoldMessages", "", Stranger::kNotRelay},
    {"QueueService.DeleteMessages", "filter { held: true }", Stranger::kNotRelay},
    {"AdminService.ListShards", "mailbox: " ALICES_INBOX, Stranger::kOtherAccount},
    {"AdminService.CheckMailbox", "mailbox: " ALICES_INBOX, Stranger::kOtherAccount},
    {"AdminService.RebuildMailbox", "mailbox: " ALICES_INBOX, Stranger::kOtherAccount},
    // Last: the calls above need the account.
    {"DirectoryService.DeleteAccount", "name: " ALICE, Stranger::kAnyAccount},
};

#undef ALICE
#undef ALICES_INBOX
#undef ALICES_TRASH
#undef QUEUED

std::string MakeToken(TokenScope scope, const std::string& subject,
                      absl::Duration life = absl::Hours(1), const std::string& secret = kSecret) {
  Token token;
  token.scope = scope;
  token.subject = subject;
  token.expires = absl::Now() + life;
  return SignToken(secret, token);
}

std::vector<std::string> TokensOf(Stranger stranger) {
  const std::string bob = "bob@example.com";
  switch (stranger) {
    case Stranger::kOtherAccount:
      // An administrator's login reads nobody else's mail.
      return {MakeToken(TokenScope::kAccount, bob), MakeToken(TokenScope::kDeliver, ""),
              MakeToken(TokenScope::kGateway, "")};
    case Stranger::kAnyAccount:
      return {MakeToken(TokenScope::kAccount, bob), MakeToken(TokenScope::kAccount, kAlice),
              MakeToken(TokenScope::kGateway, "")};
    case Stranger::kNotGateway:
      return {MakeToken(TokenScope::kAccount, kAlice), MakeToken(TokenScope::kDeliver, "")};
    case Stranger::kNotRelay:
      return {MakeToken(TokenScope::kAccount, kAlice), MakeToken(TokenScope::kDeliver, ""),
              MakeToken(TokenScope::kGateway, "")};
    case Stranger::kNotARole:
      return {MakeToken(TokenScope::kAccount, bob), MakeToken(TokenScope::kAccount, kAlice)};
    case Stranger::kNobody:
      return {};
  }
  return {};
}

const MethodDescriptor& Find(const CallCase& row) {
  const MethodDescriptor* const method =
      DescriptorPool::generated_pool()->FindMethodByName(std::string(kPackage) + row.method);
  if (method == nullptr) std::abort();
  return *method;
}

std::string PathOf(const MethodDescriptor& method) {
  return "/" + method.service()->full_name() + "/" + method.name();
}

// Links the contract's descriptors into this binary and returns its services.
std::vector<const ServiceDescriptor*> ContractServices() {
  std::vector<const ServiceDescriptor*> services;
  for (const auto* file : {
           store::v1::CheckMailboxRequest::descriptor()->file(),
           store::v1::AuthenticateRequest::descriptor()->file(),
           store::v1::Account::descriptor()->file(),
           store::v1::LimitedEvent::descriptor()->file(),
           store::v1::Mailbox::descriptor()->file(),
           store::v1::FetchMessagesRequest::descriptor()->file(),
           store::v1::MetadataEntry::descriptor()->file(),
           store::v1::QueuedMessage::descriptor()->file(),
           store::v1::Quota::descriptor()->file(),
           store::v1::WatchRequest::descriptor()->file(),
       }) {
    for (int i = 0; i < file->service_count(); ++i) services.push_back(file->service(i));
  }
  return services;
}

class ContractTest : public ::testing::Test {
 protected:
  void SetUp() override {
    mail_root_ = std::string(std::getenv("TEST_TMPDIR")) + "/mail_root.XXXXXX";
    ASSERT_NE(mkdtemp(mail_root_.data()), nullptr);
    service::StoreOptions options;
    options.mail_root = mail_root_;
    options.domains = {"example.com"};
    options.token_secret = kSecret;
    options.listen = "127.0.0.1:0";
    options.workers = 4;
    auto server = service::StoreServer::Start(options);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = grpc::CreateChannel("127.0.0.1:" + std::to_string(server_->port()),
                                   grpc::InsecureChannelCredentials());
    ContractServices();
    CreateAccount(kAlice);
    CreateAccount("bob@example.com");
  }

  void TearDown() override {
    server_ = nullptr;
    std::error_code ignored;
    std::filesystem::remove_all(mail_root_, ignored);
  }

  void CreateAccount(const std::string& address) {
    store::v1::CreateAccountRequest request;
    request.mutable_account()->set_name("accounts/" + address);
    request.set_password("password");
    const CallResult result = CallMethod(channel_, "/rmail.store.v1.DirectoryService/CreateAccount",
                                         request, MakeToken(TokenScope::kAdmin, ""));
    ASSERT_TRUE(result.status.ok()) << result.status.error_message();
  }

  // Makes the row's call.
  grpc::Status Call(const CallCase& row, const std::string& token) {
    const MethodDescriptor& method = Find(row);
    const std::unique_ptr<Message> request(
        MessageFactory::generated_factory()->GetPrototype(method.input_type())->New());
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(row.request, request.get()))
        << row.method;
    return CallMethod(channel_, PathOf(method), *request, token).status;
  }

  void ExpectRefused(const CallCase& row, const std::string& token, grpc::StatusCode code,
                     const std::string& reason) {
    SCOPED_TRACE(std::string(row.method) + " with token \"" + token + "\"");
    const grpc::Status status = Call(row, token);
    EXPECT_EQ(status.error_code(), code) << status.error_message();
    EXPECT_EQ(ReasonIn(status), reason);
  }

  // A request to the reflection service, in text format; the answer in text format.
  std::string Reflect(const std::string& request_text) {
    // The service's messages come with the library that the server links.
    const DescriptorPool* const pool = DescriptorPool::generated_pool();
    const auto* const request_type =
        pool->FindMessageTypeByName("grpc.reflection.v1alpha.ServerReflectionRequest");
    const auto* const response_type =
        pool->FindMessageTypeByName("grpc.reflection.v1alpha.ServerReflectionResponse");
    if (request_type == nullptr || response_type == nullptr) return "no reflection linked";
    google::protobuf::DynamicMessageFactory factory;
    const std::unique_ptr<Message> request(factory.GetPrototype(request_type)->New());
    const std::unique_ptr<Message> response(factory.GetPrototype(response_type)->New());
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(request_text, request.get()));
    const CallResult result = CallMethod(
        channel_, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", *request, "");
    EXPECT_TRUE(result.status.ok()) << result.status.error_message();
    if (result.messages.size() != 1 || !response->ParseFromString(result.messages[0])) {
      return "no answer";
    }
    return response->DebugString();
  }

  std::string mail_root_;
  std::unique_ptr<service::StoreServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(ContractTest, ReflectionListsTheServices) {
  const std::string list = Reflect("list_services: ''");
  EXPECT_EQ(ContractServices().size(), 10u);
  for (const ServiceDescriptor* const service : ContractServices()) {
    EXPECT_THAT(list, HasSubstr("name: \"" + service->full_name() + "\""));
  }
  EXPECT_THAT(list, HasSubstr("name: \"grpc.health.v1.Health\""));
}

// A tool that lists methods (`buf curl --list-methods`) asks for each service of the list, and
// gives up at the first that it cannot have.
TEST_F(ContractTest, ReflectionDescribesWhatItLists) {
  const std::string list = Reflect("list_services: ''");
  std::vector<std::string> names;
  for (const absl::string_view part : absl::StrSplit(list, "name: \"")) {
    names.emplace_back(part.substr(0, part.find('"')));
  }
  names.erase(names.begin());
  // And health, and reflection itself.
  EXPECT_EQ(names.size(), ContractServices().size() + 2) << list;
  for (const std::string& name : names) {
    const std::string answer = Reflect("file_containing_symbol: '" + name + "'");
    EXPECT_THAT(answer, HasSubstr("file_descriptor_proto")) << name << ": " << answer;
  }
}

TEST_F(ContractTest, EveryMethodIsTried) {
  std::set<std::string> all;
  for (const ServiceDescriptor* const service : ContractServices()) {
    for (int i = 0; i < service->method_count(); ++i) {
      all.insert(service->name() + "." + service->method(i)->name());
    }
  }
  std::set<std::string> tried;
  for (const CallCase& row : kCalls) tried.insert(row.method);
  EXPECT_THAT(tried, UnorderedElementsAreArray(all));
}

TEST_F(ContractTest, NoMethodWorksWithoutAToken) {
  for (const CallCase& row : kCalls) {
    ExpectRefused(row, "", grpc::StatusCode::UNAUTHENTICATED, "BAD_TOKEN");
  }
}

TEST_F(ContractTest, NoMethodTakesABadToken) {
  const std::string tokens[] = {
      "nonsense",
      MakeToken(TokenScope::kAdmin, "", absl::Hours(1), "a secret that is not the store's"),
      MakeToken(TokenScope::kAdmin, "", -absl::Minutes(10)),
      // RFC 7519, 6: an unsecured token, {"alg":"none"}.
      "eyJhbGciOiJub25lIn0.eyJzY29wZSI6ImFkbWluIn0.",
  };
  for (const CallCase& row : kCalls) {
    for (const std::string& token : tokens) {
      ExpectRefused(row, token, grpc::StatusCode::UNAUTHENTICATED, "BAD_TOKEN");
    }
  }
}

TEST_F(ContractTest, NoMethodTakesAStrangersToken) {
  for (const CallCase& row : kCalls) {
    for (const std::string& token : TokensOf(row.stranger)) {
      ExpectRefused(row, token, grpc::StatusCode::PERMISSION_DENIED, "NOT_PERMITTED");
    }
  }
}

// So the refusals above are the token's fault, not the request's.
TEST_F(ContractTest, EveryMethodTakesTheRightToken) {
  for (const CallCase& row : kCalls) {
    SCOPED_TRACE(row.method);
    const std::string method = row.method;
    TokenScope scope = TokenScope::kAdmin;
    if (row.stranger == Stranger::kNotGateway || row.stranger == Stranger::kNotARole) {
      scope = TokenScope::kGateway;
    }
    if (method == "MessageService.DeliverMessage") scope = TokenScope::kDeliver;
    if (row.stranger == Stranger::kNotRelay) scope = TokenScope::kQueue;
    const grpc::Status status = Call(row, MakeToken(scope, ""));
    // A proof without the salt is wrong; that is found only after the token was right.
    if (method == "AuthService.AuthenticateScram") {
      EXPECT_EQ(ReasonIn(status), "BAD_CREDENTIALS") << status.error_message();
      continue;
    }
    EXPECT_NE(status.error_code(), grpc::StatusCode::UNAUTHENTICATED) << status.error_message();
    EXPECT_NE(status.error_code(), grpc::StatusCode::PERMISSION_DENIED) << status.error_message();
    EXPECT_NE(status.error_code(), grpc::StatusCode::UNIMPLEMENTED) << status.error_message();
    EXPECT_NE(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  }
}

}  // namespace
}  // namespace rmail::testing

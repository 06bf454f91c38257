// Mailboxes, messages that go from one to another, quotas and inspection, through the store's
// client: what MailboxService, QuotaService and AdminService promise.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "store/base/error.h"
#include "store/base/mutex.h"
#include "store/base/token.h"
#include "store/client/store_client.h"
#include "store/engine/test_folder.h"
#include "store/service/store_server.h"

namespace rmail::service {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
namespace pb = ::rmail::store::v1;

constexpr char kSecret[] = "the secret of this test's store";
constexpr char kAlice[] = "accounts/alice@example.com";
constexpr char kBob[] = "accounts/bob@example.com";

std::string Sign(TokenScope scope, std::string subject = "") {
  Token token;
  token.subject = std::move(subject);
  token.scope = scope;
  token.expires = absl::Now() + absl::Hours(1);
  return SignToken(kSecret, token);
}

class MailboxServiceTest : public ::testing::Test {
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
    for (const char* name : {kAlice, kBob}) {
      pb::CreateAccountRequest request;
      request.mutable_account()->set_name(name);
      request.mutable_account()->set_quota_mb(1);
      request.set_password("secret");
      ASSERT_TRUE(Call(request, Sign(TokenScope::kAdmin)).ok());
    }
    alice_ = Sign(TokenScope::kAccount, "alice@example.com");
    inbox_ = ByPath("INBOX").name();
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
    return Call(request, alice_);
  }

  template <typename Request>
  absl::StatusOr<std::vector<client::ResponseTo<Request>>> ReadAll(const Request& request) {
    using Response = client::ResponseTo<Request>;
    client::CallOptions options;
    options.token = alice_;
    const auto reader = client_->Read(options, request);
    std::vector<Response> responses;
    while (true) {
      std::promise<absl::StatusOr<std::optional<Response>>> done;
      reader->Next([&](auto response) { done.set_value(std::move(response)); });
      auto next = done.get_future().get();
      if (!next.ok()) return next.status();
      if (!next->has_value()) return responses;
      responses.push_back(**std::move(next));
    }
  }

  pb::Mailbox ByPath(const std::string& path) {
    pb::GetMailboxRequest request;
    request.mutable_path()->set_parent(kAlice);
    request.mutable_path()->set_path(path);
    const auto response = Call(request);
    return response.ok() ? response->mailbox() : pb::Mailbox();
  }
  pb::Mailbox Create(const std::string& path) {
    pb::CreateMailboxRequest request;
    request.set_parent(kAlice);
    request.set_path(path);
    const auto response = Call(request);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? response->mailbox() : pb::Mailbox();
  }
  std::vector<std::string> Paths() {
    pb::ListMailboxesRequest request;
    request.set_parent(kAlice);
    const auto response = Call(request);
    EXPECT_TRUE(response.ok()) << response.status();
    std::vector<std::string> paths;
    if (!response.ok()) return paths;
    for (const pb::Mailbox& mailbox : response->mailboxes()) paths.push_back(mailbox.path());
    return paths;
  }

  absl::StatusOr<pb::AppendMessageResponse> Append(const std::string& mailbox,
                                                   const std::string& message,
                                                   const std::string& keyword = "") {
    std::vector<pb::AppendMessageRequest> parts(3);
    parts[0].mutable_header()->set_mailbox(mailbox);
    if (!keyword.empty()) parts[0].mutable_header()->mutable_flags()->add_keywords(keyword);
    parts[1].set_data(message);
    parts[2].mutable_end()->set_size(message.size());
    client::CallOptions options;
    options.token = alice_;
    const auto writer = client_->Append(options);
    for (pb::AppendMessageRequest& part : parts) {
      std::promise<bool> written;
      writer->Write(std::move(part), [&](bool ok) { written.set_value(ok); });
      if (!written.get_future().get()) break;
    }
    std::promise<absl::StatusOr<pb::AppendMessageResponse>> done;
    writer->Finish([&](auto response) { done.set_value(std::move(response)); });
    return done.get_future().get();
  }

  absl::StatusOr<pb::RenameMailboxResponse> Rename(const std::string& name,
                                                   const std::string& path) {
    pb::RenameMailboxRequest request;
    request.set_name(name);
    request.set_path(path);
    return Call(request);
  }
  absl::Status Delete(const std::string& name, bool with_children = false) {
    pb::DeleteMailboxRequest request;
    request.set_name(name);
    request.set_with_children(with_children);
    return Call(request).status();
  }
  template <typename Request>
  absl::StatusOr<client::ResponseTo<Request>> Transfer(const std::string& from,
                                                       const std::string& to) {
    Request request;
    request.set_mailbox(from);
    request.set_target(to);
    pb::UidRange* const all = request.add_uids();
    all->set_first(1);
    all->set_last(UINT32_MAX);
    return Call(request);
  }

  engine::TestFolder folder_;
  std::unique_ptr<StoreServer> server_;
  std::unique_ptr<client::StoreClient> client_;
  std::string alice_;
  std::string inbox_;
};

TEST_F(MailboxServiceTest, RenameKeepsTheMailbox) {
  const pb::Mailbox made = Create("a/b");
  ASSERT_TRUE(Append(made.name(), "x").ok());
  const auto renamed = Rename(made.name(), "c/d");
  ASSERT_TRUE(renamed.ok()) << renamed.status();
  EXPECT_EQ(renamed->mailbox().name(), made.name());
  EXPECT_EQ(renamed->mailbox().path(), "c/d");
  EXPECT_EQ(renamed->mailbox().counts().messages(), 1u);
  EXPECT_EQ(renamed->mailbox().counts().uid_validity(), made.counts().uid_validity());
  EXPECT_EQ(ReasonOf(Rename(made.name(), "a").status()), pb::ERROR_REASON_MAILBOX_EXISTS);
  EXPECT_EQ(ReasonOf(Rename(made.name(), "c/d/e").status()), pb::ERROR_REASON_INVALID_PATH);
  EXPECT_EQ(ReasonOf(Rename(kAlice, "x").status()), pb::ERROR_REASON_MAILBOX_NOT_FOUND);
}

TEST_F(MailboxServiceTest, RenamedInboxStaysEmpty) {
  ASSERT_TRUE(Append(inbox_, "x", "Work").ok());
  const auto renamed = Rename(inbox_, "Old");
  ASSERT_TRUE(renamed.ok()) << renamed.status();
  EXPECT_NE(renamed->mailbox().name(), inbox_);
  EXPECT_EQ(renamed->mailbox().counts().messages(), 1u);
  EXPECT_EQ(ByPath("INBOX").name(), inbox_);
  EXPECT_EQ(ByPath("INBOX").counts().messages(), 0u);
}

TEST_F(MailboxServiceTest, DeletedMailboxIsGone) {
  const pb::Mailbox parent = Create("a");
  const pb::Mailbox child = Create("a/b");
  EXPECT_EQ(ReasonOf(Delete(inbox_)), pb::ERROR_REASON_INVALID_PATH);
  ASSERT_TRUE(Delete(parent.name()).ok());
  EXPECT_THAT(Paths(), Not(Contains("a")));
  EXPECT_THAT(Paths(), Contains("a/b"));
  EXPECT_EQ(ReasonOf(Delete(parent.name())), pb::ERROR_REASON_MAILBOX_NOT_FOUND);
  EXPECT_EQ(ReasonOf(Append(parent.name(), "x").status()), pb::ERROR_REASON_MAILBOX_NOT_FOUND);
  ASSERT_TRUE(Delete(Create("a").name(), /*with_children=*/true).ok());
  EXPECT_THAT(Paths(), Not(Contains("a/b")));
}

TEST_F(MailboxServiceTest, SubscriptionIsTold) {
  pb::SetSubscriptionRequest request;
  request.set_name(inbox_);
  ASSERT_TRUE(Call(request).ok());
  EXPECT_FALSE(ByPath("INBOX").subscribed());
  request.set_subscribed(true);
  ASSERT_TRUE(Call(request).ok());
  EXPECT_TRUE(ByPath("INBOX").subscribed());
}

TEST_F(MailboxServiceTest, SubscriptionsStayWithThePath) {
  pb::SetSubscriptionRequest request;
  request.mutable_path()->set_parent(kAlice);
  request.mutable_path()->set_path("a");
  request.set_subscribed(true);
  EXPECT_EQ(ReasonOf(Call(request).status()), pb::ERROR_REASON_MAILBOX_NOT_FOUND);
  const pb::Mailbox made = Create("a");
  EXPECT_FALSE(made.subscribed());
  ASSERT_TRUE(Call(request).ok());
  EXPECT_TRUE(ByPath("a").subscribed());
  ASSERT_TRUE(Delete(made.name()).ok());
  pb::ListMailboxesRequest list;
  list.set_parent(kAlice);
  EXPECT_THAT(Call(list)->subscribed_paths(), ElementsAre("a"));
  EXPECT_TRUE(Create("a").subscribed());
  EXPECT_THAT(Call(list)->subscribed_paths(), IsEmpty());
  ASSERT_TRUE(Rename(ByPath("a").name(), "b").ok());
  EXPECT_THAT(Call(list)->subscribed_paths(), ElementsAre("a"));
  request.set_subscribed(false);
  ASSERT_TRUE(Call(request).ok());
  EXPECT_THAT(Call(list)->subscribed_paths(), IsEmpty());
}

TEST_F(MailboxServiceTest, AnnotationsAreToldByName) {
  for (const std::string& name : {std::string(kAlice), inbox_}) {
    pb::SetMetadataRequest set;
    set.set_name(name);
    for (const char* entry : {"/shared/comment", "/private/b", "/private/a"}) {
      set.add_entries()->set_name(entry);
      set.mutable_entries(set.entries_size() - 1)->set_value(name + entry);
    }
    ASSERT_TRUE(Call(set).ok());
    pb::GetMetadataRequest get;
    get.set_name(name);
    auto got = Call(get);
    ASSERT_TRUE(got.ok()) << got.status();
    ASSERT_EQ(got->entries_size(), 3);
    EXPECT_EQ(got->entries(0).name(), "/private/a");
    EXPECT_EQ(got->entries(0).value(), name + "/private/a");
    EXPECT_EQ(got->entries(2).name(), "/shared/comment");
    // An empty value is one; none removes it.
    set.mutable_entries(0)->set_value("");
    set.mutable_entries(1)->clear_value();
    set.mutable_entries(2)->clear_value();
    ASSERT_TRUE(Call(set).ok());
    got = Call(get);
    ASSERT_EQ(got->entries_size(), 1);
    EXPECT_TRUE(got->entries(0).has_value());
    EXPECT_EQ(got->entries(0).value(), "");
    set.mutable_entries(0)->set_value(std::string((64 << 10) + 1, 'x'));
    EXPECT_EQ(ReasonOf(Call(set).status()), pb::ERROR_REASON_METADATA_TOO_LARGE);
  }
  pb::GetMetadataRequest missing;
  missing.set_name(std::string(kAlice) + "/mailboxes/0000000000000000");
  EXPECT_EQ(ReasonOf(Call(missing).status()), pb::ERROR_REASON_MAILBOX_NOT_FOUND);
}

// A change through this store, and one through another store of the same mail_root.
TEST_F(MailboxServiceTest, AnAccountCanBeWatched) {
  const auto watcher = client_->NewWatcher([] { return Sign(TokenScope::kGateway); });
  Mutex mutex;
  CondVar changed;
  int heard = 0;
  watcher->Watch(
      kAlice, [this] { return alice_; }, 0,
      [&](uint64_t) {
        MutexLock lock(&mutex);
        ++heard;
        changed.SignalAll();
      });
  const auto heard_more_than = [&](int count) {
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    MutexLock lock(&mutex);
    while (heard <= count && absl::Now() < deadline) {
      changed.WaitFor(&mutex, deadline - absl::Now());
    }
    return heard > count;
  };
  const auto now = [&] {
    MutexLock lock(&mutex);
    return heard;
  };
  // Told at once how things are, when the subscription is there.
  ASSERT_TRUE(heard_more_than(0));
  int before = now();
  Create("a");
  EXPECT_TRUE(heard_more_than(before));

  StoreOptions options;
  options.mail_root = folder_.path();
  options.token_secret = kSecret;
  options.workers = 1;
  auto other = StoreServer::Start(options);
  ASSERT_TRUE(other.ok()) << other.status();
  auto other_client = client::StoreClient::Create({(*other)->InProcessChannel()});
  // Wait until what this store did itself has been told.
  before = now();
  std::swap(client_, other_client);
  Create("b");
  std::swap(client_, other_client);
  EXPECT_TRUE(heard_more_than(before));

  before = now();
  pb::DeleteAccountRequest gone;
  gone.set_name(kAlice);
  ASSERT_TRUE(Call(gone, Sign(TokenScope::kAdmin)).ok());
  EXPECT_TRUE(heard_more_than(before));
  other_client = nullptr;
}

TEST_F(MailboxServiceTest, MessagesAreCopiedAndMoved) {
  const pb::Mailbox trash = ByPath("Trash");
  ASSERT_TRUE(Append(inbox_, "one", "Work").ok());
  ASSERT_TRUE(Append(inbox_, "two").ok());
  const auto copied = Transfer<pb::CopyMessagesRequest>(inbox_, trash.name());
  ASSERT_TRUE(copied.ok()) << copied.status();
  EXPECT_EQ(copied->uid_validity(), trash.counts().uid_validity());
  ASSERT_EQ(copied->source_uids_size(), 1);
  EXPECT_EQ(copied->source_uids(0).last(), 2u);
  ASSERT_EQ(copied->target_uids_size(), 1);
  EXPECT_EQ(copied->target_uids(0).first(), 1u);
  EXPECT_EQ(copied->target_modseq(), ByPath("Trash").counts().highest_modseq());
  EXPECT_THAT(ByPath("Trash").keywords(), Contains("Work"));

  const auto moved = Transfer<pb::MoveMessagesRequest>(inbox_, trash.name());
  ASSERT_TRUE(moved.ok()) << moved.status();
  EXPECT_EQ(moved->target_uids(0).last(), 4u);
  EXPECT_EQ(moved->source_modseq(), ByPath("INBOX").counts().highest_modseq());
  EXPECT_EQ(ByPath("INBOX").counts().messages(), 0u);
  EXPECT_EQ(ByPath("Trash").counts().messages(), 4u);

  const auto nothing = Transfer<pb::MoveMessagesRequest>(inbox_, trash.name());
  ASSERT_TRUE(nothing.ok()) << nothing.status();
  EXPECT_THAT(nothing->source_uids(), IsEmpty());
  EXPECT_EQ(ReasonOf(Transfer<pb::CopyMessagesRequest>(inbox_, std::string(kAlice)).status()),
            pb::ERROR_REASON_MAILBOX_NOT_FOUND);
}

TEST_F(MailboxServiceTest, NothingGoesToAnotherAccount) {
  ASSERT_TRUE(Append(inbox_, "one").ok());
  pb::ListMailboxesRequest list;
  list.set_parent(kBob);
  const auto bobs = Call(list, Sign(TokenScope::kAdmin));
  ASSERT_TRUE(bobs.ok()) << bobs.status();
  const std::string target = bobs->mailboxes(0).name();
  EXPECT_EQ(ReasonOf(Transfer<pb::CopyMessagesRequest>(inbox_, target).status()),
            pb::ERROR_REASON_NOT_PERMITTED);
  pb::MoveMessagesRequest request;
  request.set_mailbox(inbox_);
  request.set_target(target);
  EXPECT_EQ(ReasonOf(Call(request, Sign(TokenScope::kAdmin)).status()),
            pb::ERROR_REASON_INVALID_REQUEST);
}

TEST_F(MailboxServiceTest, QuotaIsToldAndKept) {
  ASSERT_TRUE(Append(inbox_, std::string(600'000, 'x')).ok());
  pb::GetQuotaRequest get;
  get.set_name(kAlice);
  const auto quota = Call(get);
  ASSERT_TRUE(quota.ok()) << quota.status();
  EXPECT_EQ(quota->quota().name(), kAlice);
  EXPECT_EQ(quota->quota().used(), 600'000u);
  EXPECT_EQ(quota->quota().limit_mb(), 1u);
  EXPECT_EQ(ReasonOf(Append(inbox_, std::string(600'000, 'x')).status()),
            pb::ERROR_REASON_OVER_QUOTA);
  EXPECT_EQ(ReasonOf(Transfer<pb::CopyMessagesRequest>(inbox_, ByPath("Trash").name()).status()),
            pb::ERROR_REASON_OVER_QUOTA);

  pb::UpdateQuotaRequest update;
  update.set_name(kAlice);
  update.set_limit_mb(2);
  EXPECT_EQ(ReasonOf(Call(update).status()), pb::ERROR_REASON_NOT_PERMITTED);
  const auto updated = Call(update, Sign(TokenScope::kAdmin));
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_EQ(updated->quota().limit_mb(), 2u);
  EXPECT_EQ(updated->quota().used(), 600'000u);
  EXPECT_TRUE(Append(inbox_, std::string(600'000, 'x')).ok());
  update.set_limit_mb(UINT64_MAX);
  EXPECT_EQ(ReasonOf(Call(update, Sign(TokenScope::kAdmin)).status()),
            pb::ERROR_REASON_INVALID_REQUEST);
  // A mailbox has none.
  get.set_name(inbox_);
  EXPECT_EQ(ReasonOf(Call(get).status()), pb::ERROR_REASON_INVALID_REQUEST);
  get.set_name("accounts/nobody@example.com");
  EXPECT_EQ(ReasonOf(Call(get, Sign(TokenScope::kAdmin)).status()),
            pb::ERROR_REASON_ACCOUNT_NOT_FOUND);
}

TEST_F(MailboxServiceTest, ShardsAreListed) {
  ASSERT_TRUE(Append(inbox_, "one").ok());
  ASSERT_TRUE(Append(inbox_, "three").ok());
  pb::ListShardsRequest request;
  request.set_mailbox(inbox_);
  const auto shards = ReadAll(request);
  ASSERT_TRUE(shards.ok()) << shards.status();
  ASSERT_EQ(shards->size(), 1u);
  ASSERT_EQ((*shards)[0].shards_size(), 1);
  EXPECT_EQ((*shards)[0].shards(0).number(), 0u);
  EXPECT_EQ((*shards)[0].shards(0).messages(), 2u);
  EXPECT_EQ((*shards)[0].shards(0).files(), 2u);
  EXPECT_EQ((*shards)[0].shards(0).size(), 8u);
  request.set_mailbox(ByPath("Trash").name());
  EXPECT_THAT(*ReadAll(request), IsEmpty());
}

TEST_F(MailboxServiceTest, CheckFindsWhatIsWrong) {
  ASSERT_TRUE(Append(inbox_, "one").ok());
  const std::string id = inbox_.substr(inbox_.rfind('/') + 1);
  const std::string shard =
      folder_.path() + "/domains/example.com/users/alice/mailboxes/" + id + "/0/";
  for (const auto& file : std::filesystem::directory_iterator(shard)) {
    if (file.path().extension() == ".eml") std::filesystem::resize_file(file.path(), 1);
  }
  pb::CheckMailboxRequest request;
  request.set_mailbox(inbox_);
  const auto checked = ReadAll(request);
  ASSERT_TRUE(checked.ok()) << checked.status();
  const pb::CheckMailboxResponse& last = checked->back();
  EXPECT_EQ(last.result().problems_size(), 1);
  EXPECT_EQ(last.progress().shards_done(), 1u);
  EXPECT_EQ(last.progress().shards_total(), 1u);
  request.set_mailbox(std::string(kAlice) + "/mailboxes/none");
  EXPECT_EQ(ReasonOf(ReadAll(request).status()), pb::ERROR_REASON_MAILBOX_NOT_FOUND);
}

}  // namespace
}  // namespace rmail::service

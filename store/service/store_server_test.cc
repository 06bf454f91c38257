// The whole store through its client: what each call promises.
#include "store/service/store_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "store/base/error.h"
#include "store/base/mutex.h"
#include "store/base/token.h"
#include "store/client/store_client.h"
#include "store/engine/test_folder.h"

namespace rmail::service {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
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

client::CallOptions As(std::string token, std::string account = "") {
  client::CallOptions options;
  options.token = std::move(token);
  options.account = std::move(account);
  return options;
}

class StoreServerTest : public ::testing::Test {
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
      ASSERT_TRUE(Call(Sign(TokenScope::kAdmin), request).ok());
    }
    alice_ = Sign(TokenScope::kAccount, "alice@example.com");
    inbox_ = MailboxByPath(kAlice, alice_, "INBOX").name();
  }

  void TearDown() override {
    client_ = nullptr;
    server_ = nullptr;
  }

  template <typename Request>
  absl::StatusOr<client::ResponseTo<Request>> Call(const std::string& token,
                                                   const Request& request) {
    std::promise<absl::StatusOr<client::ResponseTo<Request>>> done;
    client_->Call(As(token), request, [&](auto response) { done.set_value(std::move(response)); });
    return done.get_future().get();
  }

  template <typename Request>
  absl::StatusOr<std::vector<client::ResponseTo<Request>>> ReadAll(const std::string& token,
                                                                   const Request& request) {
    using Response = client::ResponseTo<Request>;
    const auto reader = client_->Read(As(token), request);
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

  template <typename Request, typename Response>
  absl::StatusOr<Response> Upload(client::Writer<Request, Response>& writer, Request header,
                                  const std::vector<std::string>& chunks) {
    std::vector<Request> parts{std::move(header)};
    for (const std::string& chunk : chunks) parts.emplace_back().set_data(chunk);
    for (Request& part : parts) {
      std::promise<bool> written;
      writer.Write(std::move(part), [&](bool ok) { written.set_value(ok); });
      if (!written.get_future().get()) break;
    }
    std::promise<absl::StatusOr<Response>> done;
    writer.Finish([&](auto response) { done.set_value(std::move(response)); });
    return done.get_future().get();
  }

  absl::StatusOr<pb::AppendMessageResponse> Append(const std::vector<std::string>& chunks,
                                                   uint64_t system_flags = 0) {
    pb::AppendMessageRequest header;
    header.mutable_header()->set_mailbox(inbox_);
    header.mutable_header()->mutable_flags()->set_system(system_flags);
    const auto writer = client_->Append(As(alice_, kAlice));
    return Upload<pb::AppendMessageRequest, pb::AppendMessageResponse>(*writer, header, chunks);
  }

  absl::StatusOr<pb::DeliverMessageResponse> Deliver(const std::string& token,
                                                     const std::vector<std::string>& recipients,
                                                     const std::string& message) {
    pb::DeliverMessageRequest header;
    for (const std::string& recipient : recipients) {
      header.mutable_header()->add_recipients(recipient);
    }
    const auto writer = client_->Deliver(As(token));
    return Upload<pb::DeliverMessageRequest, pb::DeliverMessageResponse>(*writer, header,
                                                                         {message});
  }

  pb::Mailbox MailboxByPath(const std::string& account, const std::string& token,
                            const std::string& path) {
    pb::GetMailboxRequest request;
    request.mutable_path()->set_parent(account);
    request.mutable_path()->set_path(path);
    const auto response = Call(token, request);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? response->mailbox() : pb::Mailbox();
  }

  std::vector<uint32_t> Search(const pb::SearchExpression& expression) {
    pb::SearchMessagesRequest request;
    request.set_mailbox(inbox_);
    *request.mutable_expression() = expression;
    const auto responses = ReadAll(alice_, request);
    EXPECT_TRUE(responses.ok()) << responses.status();
    std::vector<uint32_t> uids;
    for (const auto& response : *responses) {
      for (const pb::UidRange& range : response.uids()) {
        for (uint32_t uid = range.first(); uid <= range.last(); ++uid) uids.push_back(uid);
      }
    }
    return uids;
  }

  // A section's bytes, put together from the answers.
  std::string Section(uint32_t uid, const pb::SectionSpec& spec) {
    pb::FetchMessagesRequest request;
    request.set_mailbox(inbox_);
    pb::UidRange* const range = request.add_uids();
    range->set_first(uid);
    range->set_last(uid);
    *request.add_sections() = spec;
    const auto responses = ReadAll(alice_, request);
    EXPECT_TRUE(responses.ok()) << responses.status();
    std::string bytes;
    for (const auto& response : *responses) {
      for (const pb::SectionData& data : response.sections()) {
        if (data.missing()) return "(missing)";
        EXPECT_EQ(data.position(), bytes.size());
        bytes += data.data();
      }
    }
    return bytes;
  }

  engine::TestFolder folder_;
  std::unique_ptr<StoreServer> server_;
  std::unique_ptr<client::StoreClient> client_;
  std::string alice_;
  std::string inbox_;
};

TEST_F(StoreServerTest, EveryTokenHasItsLimits) {
  pb::GetMailboxRequest get;
  get.set_name(inbox_);
  EXPECT_TRUE(Call(alice_, get).ok());
  EXPECT_TRUE(Call(Sign(TokenScope::kAdmin), get).ok());
  EXPECT_EQ(ReasonOf(Call("", get).status()), pb::ERROR_REASON_BAD_TOKEN);
  EXPECT_EQ(ReasonOf(Call("forged", get).status()), pb::ERROR_REASON_BAD_TOKEN);
  for (const std::string& token :
       {Sign(TokenScope::kAccount, "bob@example.com"), Sign(TokenScope::kDeliver),
        Sign(TokenScope::kGateway), Sign(TokenScope::kAdmin, "bob@example.com")}) {
    EXPECT_EQ(ReasonOf(Call(token, get).status()), pb::ERROR_REASON_NOT_PERMITTED);
  }
  pb::ListAccountsRequest list;
  EXPECT_EQ(Call(Sign(TokenScope::kAdmin), list)->accounts_size(), 2);
  EXPECT_EQ(ReasonOf(Call(alice_, list).status()), pb::ERROR_REASON_NOT_PERMITTED);
  pb::AuthenticateRequest authenticate;
  authenticate.set_address("alice@example.com");
  authenticate.set_password("secret");
  EXPECT_EQ(ReasonOf(Call(alice_, authenticate).status()), pb::ERROR_REASON_NOT_PERMITTED);
  const auto login = Call(Sign(TokenScope::kGateway), authenticate);
  ASSERT_TRUE(login.ok()) << login.status();
  EXPECT_TRUE(Call(login->token(), get).ok());
  EXPECT_EQ(ReasonOf(Deliver(alice_, {kAlice}, "x").status()), pb::ERROR_REASON_NOT_PERMITTED);
}

TEST_F(StoreServerTest, NamesThatAreNoneAreRefused) {
  for (const char* name :
       {"", "accounts/", "accounts/alice@example.com/mailboxes/../../bob@example.com",
        "accounts/alice@example.com/mailboxes/", "accounts/ALICE@example.com/mailboxes/1",
        "accounts/../alice@example.com", "mailboxes/1"}) {
    pb::GetMailboxRequest request;
    request.set_name(name);
    EXPECT_EQ(ReasonOf(Call(Sign(TokenScope::kAdmin), request).status()),
              pb::ERROR_REASON_INVALID_REQUEST)
        << name;
  }
}

TEST_F(StoreServerTest, DisabledAccountsTokenIsWorthless) {
  pb::UpdateAccountRequest update;
  update.set_name(kAlice);
  update.set_disabled(true);
  ASSERT_TRUE(Call(Sign(TokenScope::kAdmin), update).ok());
  pb::GetMailboxRequest get;
  get.set_name(inbox_);
  EXPECT_EQ(ReasonOf(Call(alice_, get).status()), pb::ERROR_REASON_ACCOUNT_DISABLED);
}

TEST_F(StoreServerTest, AppendedMessageIsFetchedByteForByte) {
  const auto first = Append({"Subject: one\r\n\r\n", std::string(300'000, 'x')}, 1);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->uid(), 1u);
  EXPECT_EQ(first->uid_validity(), MailboxByPath(kAlice, alice_, "inbox").counts().uid_validity());
  EXPECT_EQ(Section(1, {}), "Subject: one\r\n\r\n" + std::string(300'000, 'x'));
  pb::SectionSpec partial;
  partial.set_offset(9);
  partial.set_length(3);
  EXPECT_EQ(Section(1, partial), "one");
  pb::SectionSpec beyond;
  beyond.set_offset(1'000'000);
  EXPECT_EQ(Section(1, beyond), "");
  pb::SectionSpec header;
  header.set_kind(pb::SectionSpec::KIND_HEADER_FIELDS);
  header.add_fields("SUBJECT");
  EXPECT_EQ(Section(1, header), "Subject: one\r\n\r\n");
  pb::SectionSpec part;
  part.add_part(2);
  EXPECT_EQ(Section(1, part), "(missing)");
}

TEST_F(StoreServerTest, DamagedFileEndsNoFetch) {
  ASSERT_TRUE(Append({"Subject: a\r\n\r\nbody"}).ok());
  ASSERT_TRUE(Append({"Subject: b\r\n\r\nbody"}).ok());
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path())) {
    if (entry.path().filename().string().starts_with("1.")) {
      std::filesystem::resize_file(entry.path(), 5);
    }
  }
  EXPECT_EQ(Section(1, {}), "(missing)");
  pb::SectionSpec text;
  text.set_kind(pb::SectionSpec::KIND_TEXT);
  EXPECT_EQ(Section(1, text), "(missing)");
  EXPECT_EQ(Section(2, text), "body");
  pb::SearchExpression body;
  body.set_body("body");
  EXPECT_THAT(Search(body), ElementsAre(2));
}

TEST_F(StoreServerTest, UploadThatDoesNotEndIsNotStored) {
  {
    const auto writer = client_->Append(As(alice_, kAlice));
    pb::AppendMessageRequest header;
    header.mutable_header()->set_mailbox(inbox_);
    std::promise<bool> written;
    writer->Write(header, [&](bool ok) { written.set_value(ok); });
    EXPECT_TRUE(written.get_future().get());
    pb::AppendMessageRequest data;
    data.set_data("half a mess");
    std::promise<bool> again;
    writer->Write(data, [&](bool ok) { again.set_value(ok); });
    EXPECT_TRUE(again.get_future().get());
  }
  ASSERT_TRUE(Append({"whole"}).ok());
  EXPECT_EQ(MailboxByPath(kAlice, alice_, "INBOX").counts().messages(), 1u);
}

TEST_F(StoreServerTest, SizeThatWasAnnouncedMustCome) {
  for (const auto& [announced, sent] : {std::pair<uint64_t, int>{5, 4}, {5, 6}}) {
    pb::AppendMessageRequest header;
    header.mutable_header()->set_mailbox(inbox_);
    header.mutable_header()->set_size(announced);
    const auto writer = client_->Append(As(alice_, kAlice));
    EXPECT_EQ((Upload<pb::AppendMessageRequest, pb::AppendMessageResponse>(
                   *writer, header, {std::string(static_cast<size_t>(sent), 'x')})
                   .status()
                   .code()),
              absl::StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(MailboxByPath(kAlice, alice_, "INBOX").counts().messages(), 0u);
}

TEST_F(StoreServerTest, QuotaIsToldBeforeAndAfterTheBytes) {
  pb::AppendMessageRequest header;
  header.mutable_header()->set_mailbox(inbox_);
  header.mutable_header()->set_size(2 << 20);
  const auto writer = client_->Append(As(alice_, kAlice));
  EXPECT_EQ(
      ReasonOf(Upload<pb::AppendMessageRequest, pb::AppendMessageResponse>(*writer, header, {"x"})
                   .status()),
      pb::ERROR_REASON_OVER_QUOTA);
  EXPECT_EQ(ReasonOf(Append({std::string(700'000, 'x'), std::string(700'000, 'x')}).status()),
            pb::ERROR_REASON_OVER_QUOTA);
}

TEST_F(StoreServerTest, DeliveryReachesEachRecipientAndReportsEach) {
  pb::UpdateAccountRequest update;
  update.set_name(kBob);
  update.set_disabled(true);
  const std::string deliver = Sign(TokenScope::kDeliver);
  const auto both = Deliver(deliver, {kAlice, kBob}, "for two");
  ASSERT_TRUE(both.ok()) << both.status();
  EXPECT_THAT(both->results(0).reason(), IsEmpty());
  EXPECT_THAT(both->results(1).reason(), IsEmpty());
  ASSERT_TRUE(Call(Sign(TokenScope::kAdmin), update).ok());
  const auto one = Deliver(deliver, {kBob, "accounts/nobody@example.com", kAlice}, "for one");
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_EQ(one->results(0).reason(), "ACCOUNT_DISABLED");
  EXPECT_EQ(one->results(1).reason(), "ACCOUNT_NOT_FOUND");
  EXPECT_EQ(one->results(2).uid(), 2u);
  EXPECT_EQ(Section(2, {}), "for one");
  EXPECT_EQ(Deliver(deliver, {kAlice, kAlice}, "x").status().code(),
            absl::StatusCode::kInvalidArgument);
}

// Whoever is told that there is no such account bounces the mail of all.
TEST_F(StoreServerTest, DeliveryThatReachesNobodyTellsFirstWhatMayPass) {
  folder_.Write("domains/example.com/users/alice/user.json", "{broken");
  const std::string nobody = "accounts/nobody@example.com";
  const std::string deliver = Sign(TokenScope::kDeliver);
  for (const std::vector<std::string>& recipients :
       {std::vector<std::string>{kAlice, nobody}, {nobody, kAlice}, {nobody, kAlice, "no name"}}) {
    EXPECT_EQ(ReasonOf(Deliver(deliver, recipients, "x").status()),
              pb::ERROR_REASON_CORRUPT_MAILBOX);
  }
  EXPECT_EQ(ReasonOf(Deliver(deliver, {nobody}, "x").status()), pb::ERROR_REASON_ACCOUNT_NOT_FOUND);
}

TEST_F(StoreServerTest, SyncTellsTheStateAndThenTheChanges) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Append({"x"}, i == 1 ? 8 : 0).ok());
  pb::SyncMailboxRequest sync;
  sync.set_mailbox(inbox_);
  const auto all = ReadAll(alice_, sync);
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_THAT((*all)[0].changed().uids(), ElementsAre(1, 2, 3));
  EXPECT_THAT((*all)[0].changed().flags(), ElementsAre(0, 8, 0));
  const pb::MailboxCounts counts = (*all)[0].mailbox().counts();
  EXPECT_EQ(counts.deleted(), 1u);
  pb::ExpungeMessagesRequest expunge;
  expunge.set_mailbox(inbox_);
  const auto expunged = Call(alice_, expunge);
  ASSERT_TRUE(expunged.ok());
  EXPECT_EQ(expunged->expunged(0).first(), 2u);
  sync.set_uid_validity(counts.uid_validity());
  sync.set_since_modseq(counts.highest_modseq());
  const auto delta = ReadAll(alice_, sync);
  ASSERT_TRUE(delta.ok());
  EXPECT_FALSE((*delta)[0].reset());
  EXPECT_THAT((*delta)[0].changed().uids(), IsEmpty());
  ASSERT_EQ((*delta)[0].expunged_size(), 1);
  sync.set_uid_validity(1);
  EXPECT_TRUE((*ReadAll(alice_, sync))[0].reset());
}

TEST_F(StoreServerTest, KeywordsAreMadeAndNamed) {
  ASSERT_TRUE(Append({"x"}).ok());
  pb::UpdateFlagsRequest update;
  update.set_mailbox(inbox_);
  pb::UidRange* const range = update.add_uids();
  range->set_first(1);
  range->set_last(UINT32_MAX);
  update.set_operation(pb::UpdateFlagsRequest::OPERATION_ADD);
  update.mutable_flags()->add_keywords("Work");
  const auto response = Call(alice_, update);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->messages().flags(0), uint64_t{1} << 10);
  EXPECT_EQ(response->keywords(5), "Work");
  EXPECT_EQ(response->modseq(), response->messages().modseqs(0));
  // Nothing had to change.
  EXPECT_EQ(Call(alice_, update)->modseq(), 0u);
  pb::SearchExpression keyword;
  keyword.set_keyword("work");
  EXPECT_THAT(Search(keyword), ElementsAre(1));
  update.set_operation(pb::UpdateFlagsRequest::OPERATION_UNSPECIFIED);
  EXPECT_EQ(ReasonOf(Call(alice_, update).status()), pb::ERROR_REASON_INVALID_REQUEST);
}

TEST_F(StoreServerTest, SearchLooksAtColumnsHeadersAndBodies) {
  ASSERT_TRUE(Append({"From: Ann <ann@a.test>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
                      "Date: Tue, 24 Nov 2026 23:30:00 -0800\r\n\r\nHello World\r\n"},
                     1)
                  .ok());
  ASSERT_TRUE(Append({"From: bob@b.test\r\nContent-Type: text/plain; charset=utf-8\r\n"
                      "Content-Transfer-Encoding: base64\r\n\r\nTMO2c3VuZw==\r\n"})
                  .ok());
  pb::SearchExpression expression;
  EXPECT_THAT(Search(expression), ElementsAre(1, 2));
  expression.set_flags_set(1);
  EXPECT_THAT(Search(expression), ElementsAre(1));
  pb::SearchExpression negated;
  *negated.mutable_none_of() = expression;
  EXPECT_THAT(Search(negated), ElementsAre(2));
  expression.mutable_header()->set_field("subject");
  expression.mutable_header()->set_text("GR\xc3\x9c\xc3\x9f");
  EXPECT_THAT(Search(expression), ElementsAre(1));
  expression.set_body("l\xc3\x96SUNG");
  EXPECT_THAT(Search(expression), ElementsAre(2));
  expression.set_body("hello world");
  EXPECT_THAT(Search(expression), ElementsAre(1));
  expression.set_text("b.test");
  EXPECT_THAT(Search(expression), ElementsAre(2));
  // 24 November where it was written, whatever day it was elsewhere.
  expression.set_sent_from(
      absl::ToUnixMicros(absl::FromCivil(absl::CivilDay(2026, 11, 24), absl::UTCTimeZone())));
  EXPECT_THAT(Search(expression), ElementsAre(1));
  expression.set_sent_from(
      absl::ToUnixMicros(absl::FromCivil(absl::CivilDay(2026, 11, 25), absl::UTCTimeZone())));
  EXPECT_THAT(Search(expression), IsEmpty());
  expression.set_smaller_than(150);
  EXPECT_THAT(Search(expression), ElementsAre(1, 2));
}

TEST_F(StoreServerTest, SortsAndThreads) {
  ASSERT_TRUE(Append({"Message-ID: <1@x>\r\nSubject: b\r\n\r\n"}).ok());
  ASSERT_TRUE(Append({"References: <1@x>\r\nSubject: a\r\n\r\n"}).ok());
  pb::SortMessagesRequest sort;
  sort.set_mailbox(inbox_);
  sort.add_criteria()->set_key(pb::SortCriterion::KEY_SUBJECT);
  const auto sorted = ReadAll(alice_, sort);
  ASSERT_TRUE(sorted.ok()) << sorted.status();
  std::vector<uint32_t> uids;
  for (const auto& response : *sorted) {
    uids.insert(uids.end(), response.uids().begin(), response.uids().end());
  }
  EXPECT_THAT(uids, ElementsAre(2, 1));
  pb::ThreadMessagesRequest thread;
  thread.set_mailbox(inbox_);
  thread.set_algorithm(pb::ThreadMessagesRequest::ALGORITHM_REFERENCES);
  const auto threads = ReadAll(alice_, thread);
  ASSERT_TRUE(threads.ok()) << threads.status();
  std::vector<std::pair<uint32_t, uint32_t>> places;
  for (const auto& response : *threads) {
    for (const pb::ThreadNode& node : response.nodes()) {
      places.emplace_back(node.uid(), node.depth());
    }
  }
  EXPECT_THAT(places, ElementsAre(std::pair(1, 0), std::pair(2, 1)));
  thread.clear_algorithm();
  EXPECT_EQ(ReasonOf(ReadAll(alice_, thread).status()), pb::ERROR_REASON_INVALID_REQUEST);
}

TEST_F(StoreServerTest, SearchNestedTooDeepIsRefused) {
  pb::SearchMessagesRequest request;
  request.set_mailbox(inbox_);
  pb::SearchExpression* inner = request.mutable_expression();
  for (int i = 0; i < 40; ++i) inner = inner->mutable_none_of();
  inner->set_flags_set(1);
  EXPECT_EQ(ReasonOf(ReadAll(alice_, request).status()), pb::ERROR_REASON_INVALID_REQUEST);
}

TEST_F(StoreServerTest, WatchersHearOfChangesUntilTheyLeave) {
  const auto watcher = client_->NewWatcher([] { return Sign(TokenScope::kGateway); });
  Mutex mutex;
  CondVar changed;
  std::atomic<int> heard = 0;
  const uint64_t id = watcher->Watch(
      inbox_, [&] { return alice_; }, UINT64_MAX,
      [&](uint64_t) {
        MutexLock lock(&mutex);
        ++heard;
        changed.SignalAll();
      });
  const auto wait_for = [&](int count) {
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    MutexLock lock(&mutex);
    while (heard < count && absl::Now() < deadline) {
      changed.WaitFor(&mutex, absl::Milliseconds(100));
    }
    return heard >= count;
  };
  // The stream is opened in the background; an append before the subscription has arrived is told
  // by the next one.
  for (int i = 0; i < 20 && heard == 0; ++i) {
    ASSERT_TRUE(Append({"x"}).ok());
    MutexLock lock(&mutex);
    if (heard == 0) changed.WaitFor(&mutex, absl::Milliseconds(200));
  }
  EXPECT_TRUE(wait_for(1));
  watcher->Unwatch(id);
  const int before = heard;
  ASSERT_TRUE(Append({"x"}).ok());
  EXPECT_EQ(heard, before);
}

TEST_F(StoreServerTest, CheckAndRebuildAgree) {
  ASSERT_TRUE(Append({"x"}).ok());
  pb::CheckMailboxRequest check;
  check.set_mailbox(inbox_);
  const auto checked = ReadAll(alice_, check);
  ASSERT_TRUE(checked.ok()) << checked.status();
  EXPECT_EQ(checked->back().result().indexed(), 1u);
  EXPECT_EQ(checked->back().result().files(), 1u);
  EXPECT_THAT(checked->back().result().problems(), IsEmpty());
  pb::RebuildMailboxRequest rebuild;
  rebuild.set_mailbox(inbox_);
  const auto rebuilt = ReadAll(alice_, rebuild);
  ASSERT_TRUE(rebuilt.ok()) << rebuilt.status();
  EXPECT_EQ(rebuilt->back().result().messages(), 1u);
}

}  // namespace
}  // namespace rmail::service

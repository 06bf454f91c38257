// Messages through the store's client: several at once, in place of another, and what is told of
// them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
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
using ::testing::IsEmpty;
namespace pb = ::rmail::store::v1;

constexpr char kSecret[] = "the secret of this test's store";
constexpr char kAlice[] = "accounts/alice@example.com";

class AppendUploadTest : public ::testing::Test {
 protected:
  void SetUp() override {
    StoreOptions options;
    options.mail_root = folder_.path();
    options.domains = {"example.com"};
    options.token_secret = kSecret;
    auto server = StoreServer::Start(options);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    client_ = client::StoreClient::Create({server_->InProcessChannel()});
    pb::CreateAccountRequest create;
    create.mutable_account()->set_name(kAlice);
    create.mutable_account()->set_quota_mb(1);
    create.set_password("secret");
    ASSERT_TRUE(Call(create).ok());
    inbox_ = NameOf("INBOX");
    drafts_ = NameOf("Drafts");
  }

  void TearDown() override {
    client_ = nullptr;
    server_ = nullptr;
  }

  static client::CallOptions Admin() {
    Token token;
    token.scope = TokenScope::kAdmin;
    token.expires = absl::Now() + absl::Hours(1);
    client::CallOptions options;
    options.token = SignToken(kSecret, token);
    return options;
  }

  template <typename Request>
  absl::StatusOr<client::ResponseTo<Request>> Call(const Request& request) {
    std::promise<absl::StatusOr<client::ResponseTo<Request>>> done;
    client_->Call(Admin(), request, [&](auto response) { done.set_value(std::move(response)); });
    return done.get_future().get();
  }

  template <typename Request>
  std::vector<client::ResponseTo<Request>> ReadAll(const Request& request) {
    const auto reader = client_->Read(Admin(), request);
    std::vector<client::ResponseTo<Request>> responses;
    while (true) {
      std::promise<absl::StatusOr<std::optional<client::ResponseTo<Request>>>> done;
      reader->Next([&](auto response) { done.set_value(std::move(response)); });
      auto next = done.get_future().get();
      EXPECT_TRUE(next.ok()) << next.status();
      if (!next.ok() || !next->has_value()) return responses;
      responses.push_back(**std::move(next));
    }
  }

  pb::Mailbox Mailbox(const std::string& path) {
    pb::GetMailboxRequest request;
    request.mutable_path()->set_parent(kAlice);
    request.mutable_path()->set_path(path);
    const auto response = Call(request);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? response->mailbox() : pb::Mailbox();
  }
  std::string NameOf(const std::string& path) { return Mailbox(path).name(); }
  uint32_t Count(const std::string& path) { return Mailbox(path).counts().messages(); }

  pb::AppendHeader Header(const std::string& mailbox = "") {
    pb::AppendHeader header;
    header.set_mailbox(mailbox.empty() ? inbox_ : mailbox);
    return header;
  }
  static pb::AppendHeader Replacing(pb::AppendHeader header, const std::string& mailbox,
                                    uint32_t uid) {
    header.mutable_replaces()->set_mailbox(mailbox);
    header.mutable_replaces()->set_uid(uid);
    return header;
  }

  struct Message {
    pb::AppendHeader header;
    std::string text;
  };
  using AppendWriter = client::Writer<pb::AppendMessageRequest, pb::AppendMessageResponse>;

  static bool Write(AppendWriter& writer, pb::AppendMessageRequest request) {
    std::promise<bool> written;
    writer.Write(std::move(request), [&](bool ok) { written.set_value(ok); });
    return written.get_future().get();
  }
  // Whether the store still wants more. Without `end`, Finish says it.
  static bool Write(AppendWriter& writer, const Message& message, bool end) {
    pb::AppendMessageRequest header;
    *header.mutable_header() = message.header;
    pb::AppendMessageRequest data;
    data.set_data(message.text);
    pb::AppendMessageRequest last;
    last.mutable_end();
    return Write(writer, header) && Write(writer, data) && (!end || Write(writer, last));
  }

  // `bare_end`: the last message's end is told by itself, too.
  absl::StatusOr<pb::AppendMessageResponse> Append(const std::vector<Message>& messages,
                                                   bool bare_end = false) {
    const auto writer = client_->Append(Admin());
    for (size_t i = 0; i < messages.size(); ++i) {
      if (!Write(*writer, messages[i], bare_end || i + 1 < messages.size())) break;
    }
    std::promise<absl::StatusOr<pb::AppendMessageResponse>> done;
    writer->Finish([&](auto response) { done.set_value(std::move(response)); });
    return done.get_future().get();
  }
  pb::ErrorReason ReasonFor(const std::vector<Message>& messages) {
    return ReasonOf(Append(messages).status());
  }

  pb::FetchMessagesRequest Fetch(const std::string& mailbox) {
    pb::FetchMessagesRequest request;
    request.set_mailbox(mailbox);
    request.add_uids()->set_first(1);
    request.mutable_uids(0)->set_last(UINT32_MAX);
    return request;
  }
  std::vector<pb::MessageDigest> Digests(const std::string& mailbox) {
    pb::FetchMessagesRequest request = Fetch(mailbox);
    request.set_digests(true);
    std::vector<pb::MessageDigest> digests;
    for (const auto& response : ReadAll(request)) {
      digests.insert(digests.end(), response.digests().begin(), response.digests().end());
    }
    return digests;
  }
  std::vector<uint32_t> Search(const pb::SearchExpression& expression) {
    pb::SearchMessagesRequest request;
    request.set_mailbox(inbox_);
    *request.mutable_expression() = expression;
    std::vector<uint32_t> uids;
    for (const auto& response : ReadAll(request)) {
      for (const pb::UidRange& range : response.uids()) {
        for (uint32_t uid = range.first(); uid <= range.last(); ++uid) uids.push_back(uid);
      }
    }
    return uids;
  }

  engine::TestFolder folder_;
  std::unique_ptr<StoreServer> server_;
  std::unique_ptr<client::StoreClient> client_;
  std::string inbox_;
  std::string drafts_;
};

TEST_F(AppendUploadTest, SeveralComeTogether) {
  Message second{Header(), "Subject: two\r\n\r\nb"};
  second.header.mutable_flags()->set_system(1);
  second.header.mutable_flags()->add_keywords("later");
  second.header.set_internal_date(77);
  for (const bool bare_end : {false, true}) {
    const auto appended =
        Append({{Header(), "Subject: one\r\n\r\na"}, second, {Header(), ""}}, bare_end);
    ASSERT_TRUE(appended.ok()) << appended.status();
    EXPECT_EQ(appended->uid(), bare_end ? 4u : 1u);
    EXPECT_FALSE(appended->replaced());
  }
  pb::FetchMessagesRequest fetch = Fetch(inbox_);
  fetch.set_sizes(true);
  fetch.set_internal_dates(true);
  fetch.add_sections();
  std::vector<uint64_t> sizes;
  std::vector<std::string> texts;
  for (const auto& response : ReadAll(fetch)) {
    sizes.insert(sizes.end(), response.columns().sizes().begin(), response.columns().sizes().end());
    for (const pb::SectionData& data : response.sections()) texts.push_back(data.data());
    EXPECT_EQ(response.columns().flags(1), uint64_t{1} | uint64_t{1} << 10);
    EXPECT_EQ(response.columns().internal_dates(4), 77);
  }
  EXPECT_THAT(sizes, ElementsAre(17, 17, 0, 17, 17, 0));
  EXPECT_EQ(texts[4], second.text);
}

TEST_F(AppendUploadTest, AnUploadThatBreaksStoresNone) {
  {
    const auto writer = client_->Append(Admin());
    EXPECT_TRUE(Write(*writer, {Header(), "one"}, /*end=*/true));
    EXPECT_TRUE(Write(*writer, {Header(), "two"}, /*end=*/true));
  }
  ASSERT_TRUE(Append({{Header(), "whole"}}).ok());
  EXPECT_EQ(Count("INBOX"), 1u);
}

TEST_F(AppendUploadTest, OneThatIsWrongSpoilsAll) {
  EXPECT_EQ(ReasonFor({{Header(), "one"}, {Header(drafts_), "two"}}),
            pb::ERROR_REASON_INVALID_REQUEST);
  EXPECT_EQ(ReasonFor({{Header(), "one"}, {Replacing(Header(), inbox_, 1), "two"}}),
            pb::ERROR_REASON_INVALID_REQUEST);
  EXPECT_EQ(ReasonFor({{Replacing(Header(), inbox_, 1), "one"}, {Header(), "two"}}),
            pb::ERROR_REASON_INVALID_REQUEST);
  EXPECT_EQ(ReasonFor({{Replacing(Header(), inbox_, 0), "one"}}), pb::ERROR_REASON_INVALID_REQUEST);
  Message early{Header(), "two"};
  early.header.set_internal_date(-1);
  EXPECT_EQ(ReasonFor({{Header(), "one"}, early}), pb::ERROR_REASON_INVALID_REQUEST);
  Message cut{Header(), "two"};
  cut.header.set_size(4);
  EXPECT_EQ(ReasonFor({{Header(), "one"}, cut}), pb::ERROR_REASON_INVALID_REQUEST);
  Message keyword{Header(), "two"};
  keyword.header.mutable_flags()->add_keywords("not a keyword");
  EXPECT_EQ(ReasonFor({{Header(), "one"}, keyword}), pb::ERROR_REASON_INVALID_REQUEST);
  EXPECT_EQ(Count("INBOX"), 0u);
}

TEST_F(AppendUploadTest, TheQuotaIsForAllOfThem) {
  const std::string half(600'000, 'x');
  EXPECT_EQ(ReasonFor({{Header(), half}, {Header(), half}}), pb::ERROR_REASON_OVER_QUOTA);
  EXPECT_EQ(Count("INBOX"), 0u);
  // Before it is sent.
  Message large{Header(), "x"};
  large.header.set_size(600'000);
  EXPECT_EQ(ReasonFor({{Header(), half}, large}), pb::ERROR_REASON_OVER_QUOTA);
}

TEST_F(AppendUploadTest, OneTakesThePlaceOfAnother) {
  const std::string large(600'000, 'x');
  ASSERT_TRUE(Append({{Header(drafts_), large}}).ok());
  // In the same mailbox; what goes makes room.
  auto appended = Append({{Replacing(Header(drafts_), drafts_, 1), large}});
  ASSERT_TRUE(appended.ok()) << appended.status();
  EXPECT_EQ(appended->uid(), 2u);
  EXPECT_TRUE(appended->replaced());
  // In another one.
  appended = Append({{Replacing(Header(inbox_), drafts_, 2), large}});
  ASSERT_TRUE(appended.ok()) << appended.status();
  EXPECT_TRUE(appended->replaced());
  EXPECT_EQ(Count("Drafts"), 0u);
  EXPECT_EQ(Count("INBOX"), 1u);
  // There is none any more.
  EXPECT_EQ(ReasonFor({{Replacing(Header(inbox_), drafts_, 2), large}}),
            pb::ERROR_REASON_OVER_QUOTA);
  appended = Append({{Replacing(Header(inbox_), drafts_, 2), "small"}});
  ASSERT_TRUE(appended.ok()) << appended.status();
  EXPECT_FALSE(appended->replaced());
  const std::string nowhere = std::string(kAlice) + "/mailboxes/0123456789abcdef";
  appended = Append({{Replacing(Header(inbox_), nowhere, 2), "small"}});
  ASSERT_TRUE(appended.ok()) << appended.status();
  EXPECT_FALSE(appended->replaced());
  EXPECT_EQ(Count("INBOX"), 3u);
  EXPECT_NE(ReasonFor({{Replacing(Header(), "accounts/bob@example.com/mailboxes/1", 1), "x"}}),
            pb::ERROR_REASON_UNSPECIFIED);
}

TEST_F(AppendUploadTest, SeveralThatReplaceOneShareNoRoom) {
  const std::string large(600'000, 'x');
  ASSERT_TRUE(Append({{Header(drafts_), large}}).ok());
  // All are sent before one of them ends.
  constexpr size_t kUploads = 8;
  std::vector<std::unique_ptr<AppendWriter>> writers;
  for (size_t i = 0; i < kUploads; ++i) {
    writers.push_back(client_->Append(Admin()));
    ASSERT_TRUE(Write(*writers[i], {Replacing(Header(inbox_), drafts_, 1), large}, /*end=*/false));
  }
  std::vector<std::promise<absl::StatusOr<pb::AppendMessageResponse>>> done(kUploads);
  for (size_t i = 0; i < kUploads; ++i) {
    writers[i]->Finish([&, i](auto response) { done[i].set_value(std::move(response)); });
  }
  int stored = 0;
  for (auto& one : done) {
    const auto response = one.get_future().get();
    if (response.ok()) ++stored;
    if (!response.ok()) EXPECT_EQ(ReasonOf(response.status()), pb::ERROR_REASON_OVER_QUOTA);
  }
  EXPECT_EQ(stored, 1);
  EXPECT_EQ(Count("INBOX"), 1u);
  EXPECT_EQ(Count("Drafts"), 0u);
}

TEST_F(AppendUploadTest, IdsAndDatesAreToldAndFound) {
  const int64_t before = absl::ToUnixMicros(absl::Now());
  Message first{Header(), "Message-ID: <1@x>\r\n\r\na"};
  first.header.set_internal_date(1);
  ASSERT_TRUE(
      Append({first, {Header(), "Message-ID: <2@x>\r\nReferences: <1@x>\r\n\r\nb"}, first}).ok());
  const std::vector<pb::MessageDigest> digests = Digests(inbox_);
  ASSERT_EQ(digests.size(), 3u);
  EXPECT_EQ(digests[0].email_id(), digests[2].email_id());
  EXPECT_NE(digests[0].email_id(), digests[1].email_id());
  EXPECT_EQ(digests[0].thread_id(), digests[1].thread_id());
  EXPECT_GE(digests[0].saved(), before);
  pb::SearchExpression search;
  search.set_email_id(digests[0].email_id());
  EXPECT_THAT(Search(search), ElementsAre(1, 3));
  search.set_thread_id(digests[0].thread_id());
  EXPECT_THAT(Search(search), ElementsAre(1, 2, 3));
  search.set_thread_id("no such");
  EXPECT_THAT(Search(search), IsEmpty());
  search.set_saved_from(before);
  EXPECT_THAT(Search(search), ElementsAre(1, 2, 3));
  search.set_saved_before(before);
  EXPECT_THAT(Search(search), IsEmpty());
  // Copies have the same ids.
  pb::CopyMessagesRequest copy;
  copy.set_mailbox(inbox_);
  copy.set_target(drafts_);
  *copy.mutable_uids() = Fetch("").uids();
  ASSERT_TRUE(Call(copy).ok());
  const std::vector<pb::MessageDigest> copies = Digests(drafts_);
  ASSERT_EQ(copies.size(), 3u);
  EXPECT_EQ(copies[1].email_id(), digests[1].email_id());
  EXPECT_GT(copies[1].saved(), digests[1].saved());
}

TEST_F(AppendUploadTest, ModseqsAreLeftOutWhenNobodyWantsThem) {
  ASSERT_TRUE(Append({{Header(), "a"}, {Header(), "b"}}).ok());
  pb::SyncMailboxRequest sync;
  sync.set_mailbox(inbox_);
  for (const bool omit : {false, true}) {
    sync.set_omit_modseqs(omit);
    const auto responses = ReadAll(sync);
    ASSERT_EQ(responses.size(), 1u);
    EXPECT_THAT(responses[0].changed().uids(), ElementsAre(1, 2));
    EXPECT_EQ(responses[0].changed().flags_size(), 2);
    EXPECT_EQ(responses[0].changed().modseqs_size(), omit ? 0 : 2);
  }
}

TEST_F(AppendUploadTest, SectionsAreDecodedAndMeasured) {
  ASSERT_TRUE(Append({{Header(), "Content-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n"},
                      {Header(), "Content-Transfer-Encoding: x-odd\r\n\r\nhm\r\n"}})
                  .ok());
  pb::FetchMessagesRequest fetch = Fetch(inbox_);
  pb::SectionSpec& decoded = *fetch.add_sections();
  decoded.add_part(1);
  decoded.set_decoded(true);
  pb::SectionSpec size = decoded;
  size.set_size_only(true);
  *fetch.add_sections() = size;
  std::vector<pb::SectionData> sections;
  for (const auto& response : ReadAll(fetch)) {
    sections.insert(sections.end(), response.sections().begin(), response.sections().end());
  }
  ASSERT_EQ(sections.size(), 4u);
  EXPECT_EQ(sections[0].data(), "hello");
  EXPECT_EQ(sections[0].total(), 5u);
  EXPECT_EQ(sections[1].data(), "");
  EXPECT_EQ(sections[1].total(), 5u);
  for (const size_t i : {2, 3}) {
    EXPECT_TRUE(sections[i].unknown_encoding());
    EXPECT_FALSE(sections[i].missing());
    EXPECT_EQ(sections[i].total(), 0u);
    EXPECT_EQ(sections[i].data(), "");
  }
}

}  // namespace
}  // namespace rmail::service

#include "gateway/exchange/exchange_server.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_to.hpp>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gateway/common/certificate.h"
#include "gateway/common/server.h"
#include "gateway/common/store_session.h"
#include "gateway/common/tls_context.h"
#include "gateway/exchange/exchange_options.h"
#include "gateway/exchange/http/test_client.h"
#include "rmail/store/v1/directory.pb.h"
#include "rmail/store/v1/mailbox.pb.h"
#include "rmail/store/v1/message.pb.h"
#include "store/base/token.h"
#include "store/client/store_client.h"
#include "tests/support/line_client.h"
#include "tests/support/test_store.h"

namespace rmail::gateway::exchange {
namespace {

namespace json = boost::json;
using http::Answer;
using http::Ask;
using rmail::testing::LineClient;
using rmail::testing::TestStore;

constexpr char kAlice[] = "alice@example.com";

client::CallOptions As(const std::string& address) {
  Token token;
  token.subject = address;
  token.expires = absl::Now() + absl::Hours(1);
  return {.token = SignToken(rmail::testing::kTokenSecret, token),
          .account = "accounts/" + address};
}

// A unary call that is waited for.
template <typename Request>
client::ResponseTo<Request> Must(TestStore& store, const client::CallOptions& caller,
                                 const Request& request) {
  std::promise<absl::StatusOr<client::ResponseTo<Request>>> done;
  store.client().Call(caller, request, [&done](absl::StatusOr<client::ResponseTo<Request>> r) {
    done.set_value(std::move(r));
  });
  auto response = done.get_future().get();
  EXPECT_TRUE(response.ok()) << response.status();
  return response.ok() ? *std::move(response) : client::ResponseTo<Request>();
}

template <typename Request>
client::ResponseTo<Request> Must(TestStore& store, const std::string& address,
                                 const Request& request) {
  return Must(store, As(address), request);
}

std::string MailboxAt(TestStore& store, const std::string& address, const std::string& path) {
  store::v1::GetMailboxRequest request;
  request.mutable_path()->set_parent("accounts/" + address);
  request.mutable_path()->set_path(path);
  return Must(store, address, request).mailbox().name();
}

uint32_t Append(TestStore& store, const std::string& address, std::string_view message,
                uint64_t flags = 0, const std::string& path = "INBOX") {
  const auto writer = store.client().Append(As(address));
  const auto write = [&writer](const store::v1::AppendMessageRequest& request) {
    std::promise<bool> done;
    writer->Write(request, [&done](bool ok) { done.set_value(ok); });
    EXPECT_TRUE(done.get_future().get());
  };
  store::v1::AppendMessageRequest request;
  request.mutable_header()->set_mailbox(MailboxAt(store, address, path));
  request.mutable_header()->mutable_flags()->set_system(flags);
  write(request);
  for (std::string_view rest = message; !rest.empty();) {
    const std::string_view chunk = rest.substr(0, 256 << 10);
    request.set_data(std::string(chunk));
    write(request);
    rest.remove_prefix(chunk.size());
  }
  request.mutable_end()->set_size(message.size());
  write(request);
  std::promise<absl::StatusOr<store::v1::AppendMessageResponse>> done;
  writer->Finish([&done](auto response) { done.set_value(std::move(response)); });
  auto response = done.get_future().get();
  EXPECT_TRUE(response.ok()) << response.status();
  return response.ok() ? response->uid() : 0;
}

std::string Mail(int number) {
  return "From: bob@example.com\r\nTo: alice@example.com\r\nSubject: number " +
         std::to_string(number) + "\r\n\r\nbody " + std::to_string(number) + "\r\n";
}

class ExchangeServerTest : public ::testing::Test {
 protected:
  ExchangeServerTest() {
    store_.AddAccount(kAlice, "secret");
    Restart(store_.access(), nullptr);
  }

  void Restart(gateway::StoreAccess& store, const gateway::TlsContext* tls) {
    client_.reset();
    server_.reset();
    ExchangeOptions options;
    options.host = "127.0.0.1";
    options.port = 0;
    options.secure_port = 0;
    options.auth_failure_delay = failure_delay_;
    auto server = ExchangeServer::Start(threads_, store, tls, options);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    client_ = std::make_unique<LineClient>(server_->port());
  }

  static Answer Login(LineClient& client, std::string_view body) {
    return Ask(client, "POST", "/auth/login", "Content-Type: application/json\r\n", body);
  }

  // On a connection of its own, which a failure ends.
  Answer LoginAnew(std::string_view body) {
    LineClient client(server_->port());
    const Answer answer = Login(client, body);
    if (answer.status == 401 || answer.status == 403) {
      EXPECT_EQ(answer.Header("connection"), "close");
      EXPECT_TRUE(client.AtEof());
    }
    return answer;
  }

  std::string Authorization(const std::string& address = kAlice) {
    return "Authorization: Bearer " + As(address).token + "\r\n";
  }

  Answer Get(std::string_view target, const std::string& address = kAlice) {
    return Ask(*client_, "GET", target, Authorization(address));
  }

  // The body of an answer that must be 200.
  json::value GetJson(std::string_view target) {
    const Answer answer = Get(target);
    EXPECT_EQ(answer.status, 200) << target << ": " << answer.body;
    EXPECT_EQ(answer.Header("content-type"), "application/json");
    return answer.status == 200 ? json::parse(answer.body) : json::value();
  }

  static std::string Reason(const Answer& answer) {
    const json::value body = json::parse(answer.body);
    EXPECT_TRUE(body.at("error").is_string());
    EXPECT_TRUE(body.as_object().contains("field"));
    return json::value_to<std::string>(body.at("reason"));
  }

  // "number 7, number 6" of a page.
  static std::string Subjects(const json::value& page) {
    std::string subjects;
    for (const json::value& message : page.at("messages").as_array()) {
      if (!subjects.empty()) subjects += ", ";
      subjects += json::value_to<std::string>(message.at("subject"));
    }
    return subjects;
  }

  // For servers that are started from now on.
  absl::Duration failure_delay_;
  TestStore store_;
  gateway::IoThreads threads_{1};
  std::unique_ptr<ExchangeServer> server_;
  std::unique_ptr<LineClient> client_;
};

TEST_F(ExchangeServerTest, LoginGivesATokenThatWorks) {
  for (const std::string_view body :
       {R"({"username":"alice@example.com","password":"secret"})",
        R"({"username":"alice","password":"secret","domain":"example.com"})"}) {
    const Answer answer = Login(*client_, body);
    ASSERT_EQ(answer.status, 200) << answer.body;
    const json::value login = json::parse(answer.body);
    EXPECT_EQ(login.at("username"), "alice");
    EXPECT_EQ(login.at("domain"), "example.com");
    EXPECT_EQ(login.at("expires_in"), 3600);
    const std::string token = json::value_to<std::string>(login.at("token"));
    EXPECT_EQ(Ask(*client_, "GET", "/folders", "Authorization: Bearer " + token + "\r\n").status,
              200);
  }
}

TEST_F(ExchangeServerTest, LoginRefuses) {
  const Answer wrong = LoginAnew(R"({"username":"alice@example.com","password":"wrong"})");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(Reason(wrong), "BAD_CREDENTIALS");
  EXPECT_EQ(wrong.Header("www-authenticate"), R"(Bearer realm="rmail")");
  const Answer unknown = LoginAnew(R"({"username":"nobody@example.com","password":"secret"})");
  EXPECT_EQ(unknown.status, 401);
  EXPECT_EQ(unknown.body, wrong.body);
  EXPECT_EQ(LoginAnew(R"({"username":"../../etc@/..","password":"x"})").status, 401);

  store_.SetDisabled(kAlice, true);
  const Answer disabled = LoginAnew(R"({"username":"alice@example.com","password":"secret"})");
  EXPECT_EQ(disabled.status, 403);
  EXPECT_EQ(Reason(disabled), "ACCOUNT_DISABLED");
  EXPECT_EQ(LoginAnew(R"({"username":"alice@example.com","password":"wrong"})").status, 401);
  // Tokens from before end too.
  EXPECT_EQ(Get("/folders").status, 403);
}

TEST_F(ExchangeServerTest, ALoginThatFailsWaits) {
  constexpr absl::Duration kDelay = absl::Milliseconds(300);
  failure_delay_ = kDelay;
  Restart(store_.access(), nullptr);
  const absl::Time start = absl::Now();
  EXPECT_EQ(LoginAnew(R"({"username":"alice@example.com","password":"wrong"})").status, 401);
  EXPECT_GE(absl::Now() - start, kDelay);
}

TEST_F(ExchangeServerTest, ATokenOfADeletedAccountIsOfNoUse) {
  Append(store_, kAlice, Mail(1));
  const json::value page = GetJson("/folders/INBOX/messages");
  const std::string message =
      "/messages/" + json::value_to<std::string>(page.at("messages").at(0).at("id"));
  const std::string folder = json::value_to<std::string>(page.at("folder"));
  store::v1::DeleteAccountRequest request;
  request.set_name(std::string("accounts/") + kAlice);
  Must(store_, {.token = store_.AdminToken(), .account = request.name()}, request);
  for (const std::string& target :
       {std::string("/folders"), std::string("/folders/INBOX/messages"),
        "/folders/" + folder + "/messages", message, message + "/raw"}) {
    const Answer answer = Get(target);
    EXPECT_EQ(answer.status, 401) << target;
    EXPECT_EQ(Reason(answer), "BAD_TOKEN");
    EXPECT_EQ(answer.Header("www-authenticate"), R"(Bearer realm="rmail", error="invalid_token")");
  }
}

TEST_F(ExchangeServerTest, LoginBodies) {
  EXPECT_EQ(Login(*client_, "{").status, 400);
  EXPECT_EQ(Reason(Login(*client_, R"({"username":1})")), "INVALID_REQUEST");
  EXPECT_EQ(Ask(*client_, "POST", "/auth/login").status, 400);
  const Answer form = Ask(*client_, "POST", "/auth/login",
                          "Content-Type: application/x-www-form-urlencoded\r\n", "username=a");
  EXPECT_EQ(form.status, 415);
  EXPECT_EQ(Reason(form), "UNSUPPORTED_MEDIA_TYPE");
  EXPECT_EQ(Ask(*client_, "POST", "/auth/login",
                "Content-Type: application/json\r\nContent-Encoding: gzip\r\n", "{}")
                .status,
            415);
  const Answer large = Login(*client_, std::string((64 << 10) + 1, ' '));
  EXPECT_EQ(large.status, 413);
  EXPECT_EQ(Reason(large), "BODY_TOO_LARGE");
  LineClient chunked(server_->port());
  chunked.Send(
      "POST /auth/login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n11170\r\n" +
      std::string(70000, ' '));
  // At once, though the body has no end yet.
  EXPECT_EQ(http::ReadAnswer(chunked).status, 413);
}

TEST_F(ExchangeServerTest, RefusesTokensThatAreNotRight) {
  const std::string good = As(kAlice).token;
  const size_t first = good.find('.');
  const size_t last = good.rfind('.');
  const std::string none = absl::WebSafeBase64Escape(R"({"alg":"none","typ":"JWT"})");
  Token token;
  token.subject = kAlice;
  token.expires = absl::Now() + absl::Hours(1);
  const std::string other_key = SignToken("another secret of 16 or more octets", token);
  token.expires = absl::Now() - absl::Seconds(1);
  const std::string expired = SignToken(rmail::testing::kTokenSecret, token);
  Token role;
  role.scope = TokenScope::kDeliver;
  role.expires = absl::Now() + absl::Hours(1);
  Token admin = role;
  admin.scope = TokenScope::kAdmin;
  std::string tampered = good;
  tampered[first + 10] = tampered[first + 10] == 'A' ? 'B' : 'A';
  for (const std::string& bad :
       {std::string("x"), std::string("a.b.c"), std::string(".."), std::string(15000, 'a'),
        none + good.substr(first, last - first + 1), none + good.substr(first), other_key, expired,
        tampered, good.substr(0, last + 1), good + "A", good + "." + good,
        SignToken(rmail::testing::kTokenSecret, role),
        SignToken(rmail::testing::kTokenSecret, admin)}) {
    const Answer answer = Ask(*client_, "GET", "/folders", "Authorization: Bearer " + bad + "\r\n");
    EXPECT_EQ(answer.status, 401) << bad.substr(0, 200);
    EXPECT_EQ(Reason(answer), "BAD_TOKEN");
    EXPECT_EQ(answer.Header("www-authenticate"), R"(Bearer realm="rmail", error="invalid_token")");
  }
  for (const std::string_view missing :
       {"", "Authorization: Basic YTpi\r\n", "Authorization: Bearer\r\n", "Authorization: \r\n"}) {
    const Answer answer = Ask(*client_, "GET", "/folders", missing);
    EXPECT_EQ(answer.status, 401) << missing;
    EXPECT_EQ(Reason(answer), "TOKEN_MISSING");
    EXPECT_EQ(answer.Header("www-authenticate"), R"(Bearer realm="rmail")");
  }
}

TEST_F(ExchangeServerTest, ListsFolders) {
  const std::string mail = Mail(1);
  Append(store_, kAlice, mail);
  Append(store_, kAlice, mail, store::v1::MESSAGE_FLAGS_SEEN);
  const json::value list = GetJson("/folders");
  const json::array& folders = list.at("folders").as_array();
  ASSERT_EQ(folders.size(), 6);
  const json::object& inbox = folders[0].as_object();
  EXPECT_EQ(inbox.at("name"), "INBOX");
  EXPECT_EQ(inbox.at("special_use"), "inbox");
  EXPECT_EQ(inbox.at("messages"), 2);
  EXPECT_EQ(inbox.at("unseen"), 1);
  EXPECT_EQ(inbox.at("size"), 2 * mail.size());
  EXPECT_EQ(inbox.at("uid_next"), 3);
}

TEST_F(ExchangeServerTest, PagesNewestFirst) {
  for (int i = 1; i <= 7; ++i) Append(store_, kAlice, Mail(i));
  const json::value first = GetJson("/folders/INBOX/messages?page_size=3");
  EXPECT_EQ(Subjects(first), "number 7, number 6, number 5");
  EXPECT_EQ(first.at("total"), 7);
  EXPECT_EQ(first.at("pages"), 3);
  EXPECT_EQ(first.at("page"), 1);
  const std::string id = json::value_to<std::string>(first.at("folder"));
  EXPECT_EQ(Subjects(GetJson("/folders/" + id + "/messages?page=2&page_size=3")),
            "number 4, number 3, number 2");
  EXPECT_EQ(Subjects(GetJson("/folders/inbox/messages?page=3&page_size=3")), "number 1");
  EXPECT_EQ(Subjects(GetJson("/folders/INBOX/messages?page=4&page_size=3")), "");
  EXPECT_EQ(Subjects(GetJson("/folders/INBOX/messages?page=4294967295&page_size=200")), "");
}

TEST_F(ExchangeServerTest, ListsFollowChanges) {
  for (int i = 1; i <= 4; ++i) Append(store_, kAlice, Mail(i));
  EXPECT_EQ(GetJson("/folders/INBOX/messages").at("total"), 4);
  // Flags, then a message more, then one less.
  store::v1::UpdateFlagsRequest update;
  update.set_mailbox(MailboxAt(store_, kAlice, "INBOX"));
  update.add_uids()->set_first(2);
  update.mutable_uids(0)->set_last(2);
  update.set_operation(store::v1::UpdateFlagsRequest::OPERATION_ADD);
  update.mutable_flags()->set_system(store::v1::MESSAGE_FLAGS_DELETED |
                                     store::v1::MESSAGE_FLAGS_ANSWERED);
  update.mutable_flags()->add_keywords("Urgent");
  Must(store_, kAlice, update);
  const json::value changed = GetJson("/folders/INBOX/messages");
  EXPECT_EQ(changed.at("messages").at(2).at("answered"), true);
  EXPECT_EQ(json::serialize(changed.at("messages").at(2).at("keywords")), R"(["Urgent"])");
  const std::string id = json::value_to<std::string>(changed.at("messages").at(2).at("id"));
  EXPECT_EQ(json::serialize(GetJson("/messages/" + id).at("keywords")), R"(["Urgent"])");

  Append(store_, kAlice, Mail(5));
  EXPECT_EQ(Subjects(GetJson("/folders/INBOX/messages?page_size=2")), "number 5, number 4");
  store::v1::ExpungeMessagesRequest expunge;
  expunge.set_mailbox(update.mailbox());
  Must(store_, kAlice, expunge);
  EXPECT_EQ(Subjects(GetJson("/folders/INBOX/messages")), "number 5, number 4, number 3, number 1");
  EXPECT_EQ(Get("/messages/" + id).status, 404);
  EXPECT_EQ(Get("/messages/" + id + "/raw").status, 404);
}

TEST_F(ExchangeServerTest, FoldersByPath) {
  store::v1::CreateMailboxRequest create;
  create.set_parent("accounts/alice@example.com");
  create.set_path("Projects/Büro 100%");
  Must(store_, kAlice, create);
  Append(store_, kAlice, Mail(1), 0, "Projects/Büro 100%");
  EXPECT_EQ(GetJson("/folders/Projects%2FB%C3%BCro%20100%25/messages").at("total"), 1);
}

TEST_F(ExchangeServerTest, ShowsAMessage) {
  Append(store_, kAlice,
         "From: =?utf-8?q?B=C3=B6b?= <bob@example.com>\r\nSubject: =?utf-8?b?w7xiZXI=?=\r\n"
         "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
         "Gr\xfc\xdf"
         "e\r\n");
  const json::value page = GetJson("/folders/INBOX/messages");
  const std::string id = json::value_to<std::string>(page.at("messages").at(0).at("id"));
  const json::value message = GetJson("/messages/" + id);
  EXPECT_EQ(json::value_to<std::string>(message.at("id")), id);
  EXPECT_EQ(message.at("subject"), "über");
  EXPECT_EQ(message.at("from").at(0).at("name"), "Böb");
  EXPECT_EQ(message.at("text"), "Grüße\r\n");
  EXPECT_EQ(message.at("truncated"), false);
  EXPECT_EQ(message.at("headers").as_array().size(), 4);
  EXPECT_EQ(message.at("seen"), false);
}

TEST_F(ExchangeServerTest, RawMessagesComeByteForByte) {
  std::string mail = "Subject: raw\r\nContent-Type: application/octet-stream\r\n\r\n";
  for (int i = 0; i < 1'000'000; ++i) mail += static_cast<char>(i * 7919 % 251 + 1);
  Append(store_, kAlice, mail);
  const json::value page = GetJson("/folders/INBOX/messages");
  const std::string target =
      "/messages/" + json::value_to<std::string>(page.at("messages").at(0).at("id")) + "/raw";
  const Answer answer = Get(target);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Header("content-type"), "message/rfc822");
  EXPECT_TRUE(answer.body == mail) << answer.body.size();
  const Answer head = Ask(*client_, "HEAD", target, Authorization());
  EXPECT_EQ(head.Header("content-length"), std::to_string(mail.size()));
  EXPECT_EQ(Ask(*client_, "GET", target, Authorization() + "Accept: application/json\r\n").status,
            406);
  EXPECT_EQ(Get(target).status, 200);
}

TEST_F(ExchangeServerTest, TextsBehindMuchElseAreShownAndLongOnesCut) {
  const std::string head =
      "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: "
      "application/x-y\r\n\r\n";
  Append(store_, kAlice,
         head + std::string(600'000, 'x') + "\r\n--b\r\n\r\nlate text\r\n--b--\r\n");
  Append(store_, kAlice, "Subject: long\r\n\r\n" + std::string(1'500'000, 'y'));
  const json::value page = GetJson("/folders/INBOX/messages");
  const auto id = [&](int i) {
    return json::value_to<std::string>(page.at("messages").at(i).at("id"));
  };
  const json::value late = GetJson("/messages/" + id(1));
  EXPECT_EQ(late.at("text"), "late text");
  EXPECT_EQ(late.at("attachments").at(0).at("size"), 600'000);
  const json::value cut = GetJson("/messages/" + id(0));
  EXPECT_EQ(cut.at("text").as_string().size(), 1 << 20);
  EXPECT_EQ(cut.at("truncated"), true);
}

TEST_F(ExchangeServerTest, NobodySeesAnothersMail) {
  store_.AddAccount("bob@example.com", "secret");
  Append(store_, kAlice, Mail(1));
  const json::value page = GetJson("/folders/INBOX/messages");
  const std::string id = json::value_to<std::string>(page.at("messages").at(0).at("id"));
  const std::string folder = json::value_to<std::string>(page.at("folder"));
  EXPECT_EQ(Get("/messages/" + id, "bob@example.com").status, 404);
  EXPECT_EQ(Get("/messages/" + id + "/raw", "bob@example.com").status, 404);
  EXPECT_EQ(Get("/folders/" + folder + "/messages", "bob@example.com").status, 404);
  EXPECT_EQ(json::parse(Get("/folders/INBOX/messages", "bob@example.com").body).at("total"), 0);
}

TEST_F(ExchangeServerTest, HostileRequests) {
  Append(store_, kAlice, Mail(1));
  struct Case {
    std::string target;
    int status;
  };
  const Case cases[] = {
      {"/", 404},
      {"/nothing", 404},
      {"/folders/", 404},
      {"//folders", 404},
      {"/folders/INBOX", 404},
      {"/folders/INBOX/messages/", 404},
      {"/folders//messages", 404},
      {"/Folders", 404},
      {"/folders/../folders", 404},
      {"/messages/../../etc/passwd", 404},
      {"/folders/%zz/messages", 400},
      {"/folders/%00/messages", 400},
      {"/folders/%ff/messages", 400},
      {"/folders/%0d%0aX:%20y/messages", 400},
      {"/folders/..%2f..%2f..%2fetc/messages", 404},
      {"/folders/../messages", 404},
      {"/folders/." + std::string(3000, 'a') + "/messages", 400},
      {"/folders/" + std::string(64, 'a') + "/messages", 404},
      {"/folders/" + std::string(65, 'a') + "/messages", 404},
      {"/folders/*/messages", 404},
      {"/folders/Nowhere/messages", 404},
      {"/folders/INBOX/messages?page=0", 400},
      {"/folders/INBOX/messages?page=-1", 400},
      {"/folders/INBOX/messages?page=99999999999999999999", 400},
      {"/folders/INBOX/messages?page_size=201", 400},
      {"/folders/INBOX/messages?page_size=abc", 400},
      {"/folders/INBOX/messages?page=%", 400},
      {"/messages/..%2f..%2fetc%2fpasswd", 400},
      {"/messages/abc", 400},
      {"/messages/%00", 400},
      {"/messages/" + std::string(2000, 'A'), 400},
      {"/messages/AAAAAWFiYw", 404},
      {"/messages/AAAAAWFiYw/raw", 404},
      {"*", 400},
      {"folders", 400},
  };
  for (const Case& c : cases) {
    const Answer answer = Get(c.target);
    EXPECT_EQ(answer.status, c.status) << c.target.substr(0, 100) << ": " << answer.body;
    EXPECT_FALSE(Reason(answer).empty());
  }
  EXPECT_EQ(Get("http://example.com/folders").status, 200);
}

TEST_F(ExchangeServerTest, Methods) {
  const Answer answer = Ask(*client_, "DELETE", "/folders", Authorization());
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(answer.Header("allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(Ask(*client_, "GET", "/auth/login").Header("allow"), "POST, OPTIONS");
  EXPECT_EQ(Ask(*client_, "get", "/folders").status, 405);
  EXPECT_EQ(Ask(*client_, "TRACE", "/folders").status, 405);
  const Answer options = Ask(*client_, "OPTIONS", "/folders");
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.Header("allow"), "GET, HEAD, OPTIONS");
  const Answer head = Ask(*client_, "HEAD", "/folders", Authorization());
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.Header("content-length"), Get("/folders").Header("content-length"));
  EXPECT_EQ(Ask(*client_, "GET", "/folders", Authorization() + "Accept: text/html\r\n").status,
            406);
}

TEST_F(ExchangeServerTest, AStoreThatCannotBeReachedIs503) {
  // Nobody listens on port 1.
  const auto channel = grpc::CreateChannel("127.0.0.1:1", grpc::InsecureChannelCredentials());
  const auto lost = client::StoreClient::Create({channel});
  gateway::StoreAccess access(*lost, store_.access().watcher(), rmail::testing::kTokenSecret);
  Restart(access, nullptr);
  const Answer answer = Get("/folders");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(Reason(answer), "STORE_UNAVAILABLE");
  EXPECT_EQ(answer.Header("retry-after"), "5");
  EXPECT_EQ(Get("/folders/INBOX/messages").status, 503);
  EXPECT_EQ(Login(*client_, R"({"username":"alice@example.com","password":"secret"})").status, 503);
  server_.reset();
}

TEST_F(ExchangeServerTest, WithTlsSecretsComeOverTlsOnly) {
  const std::string folder = ::testing::TempDir() + "/tls";
  const std::string cert = folder + "/cert.pem";
  const std::string key = folder + "/key.pem";
  ASSERT_TRUE(gateway::EnsureSelfSignedCertificate("mail.example.com", cert, key).ok());
  auto tls = gateway::TlsContext::Load(cert, key);
  ASSERT_TRUE(tls.ok()) << tls.status();
  Restart(store_.access(), tls->get());
  ASSERT_NE(server_->secure_port(), 0);

  constexpr std::string_view kLogin = R"({"username":"alice@example.com","password":"secret"})";
  const Answer login = Login(*client_, kLogin);
  EXPECT_EQ(login.status, 403);
  EXPECT_EQ(Reason(login), "TLS_REQUIRED");
  EXPECT_NE(login.body.find(std::to_string(server_->secure_port())), std::string::npos);
  EXPECT_EQ(Reason(Get("/folders")), "TLS_REQUIRED");

  LineClient secure(server_->secure_port(), LineClient::Tls::kOn);
  EXPECT_EQ(Login(secure, kLogin).status, 200);
  EXPECT_EQ(Ask(secure, "GET", "/folders", Authorization()).status, 200);
  // The server's own references end before the certificate does.
  server_.reset();
}

}  // namespace
}  // namespace rmail::gateway::exchange

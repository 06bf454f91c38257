#include "gateway/exchange/requests.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "gateway/exchange/failure.h"
#include "store/base/error.h"
#include "store/base/status.h"

namespace rmail::gateway::exchange {
namespace {

absl::StatusOr<LoginRequest> ParseLogin(std::string_view body) {
  const http::PathParameters path;
  const http::Target target;
  return LoginRequest::From({path, target, body});
}

absl::StatusOr<ListMessagesRequest> ParseList(std::string_view folder, std::string_view query) {
  http::PathParameters path;
  path.Add("folder", std::string(folder));
  const http::Target target = *http::ParseTarget("/?" + std::string(query));
  return ListMessagesRequest::From({path, target, ""});
}

TEST(LoginRequestTest, TakesBothFormsOfAnAddress) {
  EXPECT_EQ(ParseLogin(R"({"username":"ann","password":"x","domain":"a.example"})")->address,
            "ann@a.example");
  EXPECT_EQ(ParseLogin(R"({"username":"ann@a.example","password":"x"})")->address, "ann@a.example");
  EXPECT_EQ(ParseLogin(R"({"username":"ann@a.example","password":"x","domain":null})")->address,
            "ann@a.example");
  EXPECT_EQ(
      ParseLogin(R"({"username":"ann@a.example","password":"x","domain":"a.example"})")->address,
      "ann@a.example");
  EXPECT_EQ(
      ParseLogin(R"({"username":"ann@a.example","password":"x","domain":"A.Example"})")->address,
      "ann@a.example");
  EXPECT_EQ(
      ParseLogin(R"({"username":"a@b","password":"p\u00fc\u00df","more":[1,{"x":2}]})")->password,
      "püß");
}

TEST(LoginRequestTest, NamesTheFieldAtFault) {
  struct Case {
    std::string body;
    std::string_view field;
  };
  const Case cases[] = {
      {"", "body"},
      {"{", "body"},
      {"[]", "body"},
      {"null", "body"},
      {"\"x\"", "body"},
      {"{} {}", "body"},
      {R"({"username":"a@b","password":"x",})", "body"},
      {R"({'username':'a@b'})", "body"},
      {"{\"username\":\"\xff\",\"password\":\"x\"}", "body"},
      {std::string(100, '['), "body"},
      {R"({"x":)" + std::string(60000, '['), "body"},
      {R"({"x":)" + std::string(17, '[') + std::string(17, ']') + "}", "body"},
      {R"({})", "username"},
      {R"({"username":null,"password":"x"})", "username"},
      {R"({"username":1,"password":"x"})", "username"},
      {R"({"username":["a@b"],"password":"x"})", "username"},
      {R"({"username":"","password":"x"})", "username"},
      {R"({"username":"a@b\u0000","password":"x"})", "username"},
      {R"({"username":"a\r\n@b","password":"x"})", "username"},
      {R"({"username":")" + std::string(400, 'a') + R"(","password":"x"})", "username"},
      {R"({"username":"a@b"})", "password"},
      {R"({"username":"a@b","password":true})", "password"},
      {R"({"username":"a@b","password":{}})", "password"},
      {R"({"username":"a@b","password":""})", "password"},
      {R"({"username":"a@b","password":")" + std::string(1025, 'a') + R"("})", "password"},
      {R"({"username":"a","password":"x"})", "domain"},
      {R"({"username":"a","password":"x","domain":""})", "domain"},
      {R"({"username":"a","password":"x","domain":7})", "domain"},
      {R"({"username":"a@b","password":"x","domain":"c"})", "domain"},
  };
  for (const Case& c : cases) {
    const auto request = ParseLogin(c.body);
    ASSERT_FALSE(request.ok()) << c.body.substr(0, 80);
    const Failure failure = FailureOf(request.status());
    EXPECT_EQ(failure.status, 400) << c.body.substr(0, 80);
    EXPECT_EQ(failure.reason, "INVALID_REQUEST");
    EXPECT_EQ(failure.field, c.field) << c.body.substr(0, 80);
    EXPECT_FALSE(failure.message.empty());
  }
}

TEST(ListMessagesRequestTest, ReadsPages) {
  EXPECT_EQ(ParseList("INBOX", "")->page, 1);
  EXPECT_EQ(ParseList("INBOX", "")->page_size, 50);
  EXPECT_EQ(ParseList("INBOX", "page=4294967295&page_size=200")->page, 4294967295);
  EXPECT_EQ(ParseList("INBOX", "page=2&page_size=1&other=x")->page_size, 1);
}

TEST(ListMessagesRequestTest, RefusesNumbersThatAreNone) {
  for (const std::string_view value :
       {"", "0", "-1", "+1", "1.0", "1e3", "0x1", "%201", "1%20", "4294967296",
        "99999999999999999999999", "NaN", "one", "1,2", "%EF%BC%91"}) {
    const auto request = ParseList("INBOX", "page=" + std::string(value));
    ASSERT_FALSE(request.ok()) << value;
    EXPECT_EQ(FailureOf(request.status()).field, "page") << value;
  }
  EXPECT_EQ(FailureOf(ParseList("INBOX", "page_size=201").status()).field, "page_size");
  EXPECT_EQ(FailureOf(ParseList("INBOX", "page_size=0").status()).field, "page_size");
  EXPECT_EQ(FailureOf(ParseList("INBOX", "page=1&page=2").status()).field, "page");
  EXPECT_EQ(FailureOf(ParseList(std::string(1025, 'a'), "").status()).field, "folder");
}

TEST(MessageIdTest, RoundTripsAndIsSafeInAUrl) {
  for (const MessageId& id : {MessageId{"m1", 1}, MessageId{"0123456789abcdef", 4294967295},
                              MessageId{std::string(64, 'z'), 77}}) {
    const std::string text = EncodeMessageId(id);
    // RFC 3986, 2.3: unreserved characters only.
    EXPECT_EQ(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-._~"),
              std::string::npos)
        << text;
    const auto decoded = DecodeMessageId(text);
    ASSERT_TRUE(decoded.has_value()) << text;
    EXPECT_EQ(decoded->mailbox_id, id.mailbox_id);
    EXPECT_EQ(decoded->uid, id.uid);
  }
}

TEST(MessageIdTest, RefusesWhatItCannotHaveMade) {
  const std::string good = EncodeMessageId({"m1", 1});
  for (const std::string& bad :
       {std::string(), std::string("AAAAAQ"), std::string("!!!!"), good + "=", good + " ",
        good + "\n", good.substr(1), std::string("../../etc/passwd"), std::string("..%2f"),
        std::string(10000, 'A'), EncodeMessageId({"m1", 0}), EncodeMessageId({"../m1", 1}),
        EncodeMessageId({"a/b", 1}), EncodeMessageId({std::string(65, 'a'), 1}),
        EncodeMessageId({std::string("a\0b", 3), 1})}) {
    EXPECT_FALSE(DecodeMessageId(bad).has_value()) << bad;
  }
  // Unused bits of the last character.
  std::string other = EncodeMessageId({"m12", 1});
  ASSERT_TRUE(DecodeMessageId(other).has_value());
  ++other.back();
  EXPECT_FALSE(DecodeMessageId(other).has_value());
}

TEST(MessageIdTest, Names) {
  EXPECT_EQ(MailboxName("accounts/a@b", "m1"), "accounts/a@b/mailboxes/m1");
  EXPECT_EQ(MailboxIdOf("accounts/a@b/mailboxes/m1"), "m1");
  EXPECT_TRUE(IsMailboxId("0123456789abcdef"));
  EXPECT_FALSE(IsMailboxId("a/b"));
  EXPECT_FALSE(IsMailboxId("a-b"));
  EXPECT_FALSE(IsMailboxId(".."));
  EXPECT_FALSE(IsMailboxId(""));
}

TEST(FailureTest, MapsTheStoresReasons) {
  struct Case {
    ErrorReason reason;
    int status;
  };
  const Case cases[] = {
      {ErrorReason::ERROR_REASON_MAILBOX_NOT_FOUND, 404},
      {ErrorReason::ERROR_REASON_OVER_QUOTA, 413},
      {ErrorReason::ERROR_REASON_MAILBOX_EXISTS, 409},
      {ErrorReason::ERROR_REASON_BAD_CREDENTIALS, 401},
      {ErrorReason::ERROR_REASON_ACCOUNT_DISABLED, 403},
      {ErrorReason::ERROR_REASON_STORE_UNAVAILABLE, 503},
      {ErrorReason::ERROR_REASON_CORRUPT_MAILBOX, 500},
      {ErrorReason::ERROR_REASON_BAD_TOKEN, 401},
      {ErrorReason::ERROR_REASON_NOT_PERMITTED, 403},
      {ErrorReason::ERROR_REASON_INVALID_PATH, 400},
  };
  for (const Case& c : cases) {
    const Failure failure = FailureOf(Error(c.reason, "text"));
    EXPECT_EQ(failure.status, c.status) << ReasonName(c.reason);
    EXPECT_EQ(failure.reason, ReasonName(c.reason));
    EXPECT_FALSE(failure.message.empty());
  }
  EXPECT_FALSE(FailureOf(Error(ErrorReason::ERROR_REASON_BAD_CREDENTIALS, "x")).close);
  for (const absl::Status& error :
       {ToStatus({401, "X", "text", "", /*close=*/true}),
        ThenClose(Error(ErrorReason::ERROR_REASON_BAD_CREDENTIALS, "text"))}) {
    EXPECT_TRUE(FailureOf(error).close);
    EXPECT_EQ(FailureOf(error).status, 401);
    EXPECT_TRUE(ToResponse(FailureOf(error)).close);
  }
  EXPECT_EQ(FailureOf(MakeStatus(absl::StatusCode::kUnavailable, "x")).status, 503);
  EXPECT_EQ(FailureOf(MakeStatus(absl::StatusCode::kDeadlineExceeded, "x")).status, 503);
}

TEST(FailureTest, KeepsInternalTextsInside) {
  const Failure failure =
      FailureOf(MakeStatus(absl::StatusCode::kInternal, "/srv/mail/domains: permission denied"));
  EXPECT_EQ(failure.status, 500);
  EXPECT_EQ(failure.message.find("/srv"), std::string::npos);
}

TEST(FailureTest, BecomesJson) {
  const http::Response response = ToResponse({400, "INVALID_REQUEST", "a \"b\" \xff", "page"});
  EXPECT_EQ(
      response.body,
      "{\"error\":\"a \\\"b\\\" \xef\xbf\xbd\",\"reason\":\"INVALID_REQUEST\",\"field\":\"page\"}");
  EXPECT_EQ(ToResponse({404, "X", "y", ""}).body, R"({"error":"y","reason":"X","field":null})");
}

TEST(FailureTest, ChallengesAsRfc6750Says) {
  const http::Response missing = ToResponse({401, "TOKEN_MISSING", "x", ""});
  ASSERT_EQ(missing.headers.size(), 1);
  EXPECT_EQ(missing.headers[0].name, "WWW-Authenticate");
  EXPECT_EQ(missing.headers[0].value, R"(Bearer realm="rmail")");
  const http::Response bad = ToResponse({401, "BAD_TOKEN", "x", ""});
  EXPECT_EQ(bad.headers[0].value, R"(Bearer realm="rmail", error="invalid_token")");
}

}  // namespace
}  // namespace rmail::gateway::exchange

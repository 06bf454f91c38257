#include "gateway/smtp/syntax/envelope.h"

#include <gtest/gtest.h>

namespace rmail::gateway::smtp {
namespace {

// "250 address size body utf8", or the refusal's codes.
std::string Mail(std::string_view argument, bool auth_parameter = true) {
  const auto parsed = ParseMail(argument, auth_parameter);
  if (const auto* refusal = std::get_if<Reply>(&parsed)) {
    return std::to_string(refusal->code) + " " + refusal->enhanced;
  }
  const auto& mail = std::get<MailCommand>(parsed);
  return "<" + mail.reverse_path.Address() + "> " + std::to_string(mail.size) +
         (mail.body == Body::k8BitMime ? " 8" : " 7") + (mail.utf8 ? " utf8" : "");
}

std::string Rcpt(std::string_view argument, bool utf8 = false) {
  const auto parsed = ParseRcpt(argument, utf8);
  if (const auto* refusal = std::get_if<Reply>(&parsed)) {
    return std::to_string(refusal->code) + " " + refusal->enhanced;
  }
  return std::get<RcptCommand>(parsed).forward_path.Address();
}

TEST(ParseMail, Accepts) {
  EXPECT_EQ(Mail("FROM:<a@b>"), "<a@b> 0 7");
  EXPECT_EQ(Mail("from:<>"), "<> 0 7");
  EXPECT_EQ(Mail("FROM: <a@b>"), "<a@b> 0 7");
  EXPECT_EQ(Mail("FROM:<a@b> SIZE=1000 BODY=8BITMIME"), "<a@b> 1000 8");
  EXPECT_EQ(Mail("FROM:<a@b> size=1 body=7bit smtputf8"), "<a@b> 1 7 utf8");
  EXPECT_EQ(Mail("FROM:<\xc3\xbc@b> SMTPUTF8"), "<\xc3\xbc@b> 0 7 utf8");
  EXPECT_EQ(Mail("FROM:<a@b> AUTH=<>"), "<a@b> 0 7");
  EXPECT_EQ(Mail("FROM:<a@b> AUTH=e+3Dmc2@example.com"), "<a@b> 0 7");
  EXPECT_EQ(Mail("FROM:<a@b> SIZE=99999999999999999999"), "<a@b> 18446744073709551615 7");
}

TEST(ParseMail, Refuses) {
  EXPECT_EQ(Mail(""), "501 5.5.4");
  EXPECT_EQ(Mail("<a@b>"), "501 5.5.4");
  EXPECT_EQ(Mail("TO:<a@b>"), "501 5.5.4");
  EXPECT_EQ(Mail("FROM:a@b"), "501 5.1.7");
  EXPECT_EQ(Mail("FROM:<a>"), "501 5.1.7");
  EXPECT_EQ(Mail("FROM:<postmaster>"), "501 5.1.7");
  EXPECT_EQ(Mail("FROM:<a@b>SIZE=1"), "501 5.1.7");
  EXPECT_EQ(Mail("FROM:<a@b> SIZE"), "501 5.5.4");
  EXPECT_EQ(Mail("FROM:<a@b> SIZE=-1"), "501 5.5.4");
  EXPECT_EQ(Mail("FROM:<a@b> SIZE=1k"), "501 5.5.4");
  EXPECT_EQ(Mail("FROM:<a@b> SIZE=111111111111111111111"), "501 5.5.4");
  EXPECT_EQ(Mail("FROM:<a@b> SIZE=1 SIZE=1"), "501 5.5.4");
  EXPECT_EQ(Mail("FROM:<a@b> BODY=BINARYMIME"), "501 5.5.4");
  EXPECT_EQ(Mail("FROM:<a@b> SMTPUTF8=1"), "501 5.5.4");
  EXPECT_EQ(Mail("FROM:<a@b> RET=HDRS"), "555 5.5.4");
  EXPECT_EQ(Mail("FROM:<a@b> -X"), "501 5.5.4");
  EXPECT_EQ(Mail("FROM:<a@b> X="), "501 5.5.4");
  EXPECT_EQ(Mail("FROM:<a@b> X=a=b"), "501 5.5.4");
  EXPECT_EQ(Mail("FROM:<a@b> =x"), "501 5.5.4");
  EXPECT_EQ(Mail("FROM:<a@b> AUTH"), "501 5.5.4");
  EXPECT_EQ(Mail("FROM:<a@b> AUTH=<>", /*auth_parameter=*/false), "555 5.5.4");
  EXPECT_EQ(Mail("FROM:<\xc3\xbc@b>"), "553 5.6.7");
  EXPECT_EQ(Mail("FROM:<a@\xc3\xbc>"), "553 5.6.7");
}

TEST(ParseRcpt, Accepts) {
  EXPECT_EQ(Rcpt("TO:<a@b>"), "a@b");
  EXPECT_EQ(Rcpt("to: <@c:a@b>"), "a@b");
  EXPECT_EQ(Rcpt("TO:<postmaster>"), "postmaster");
  EXPECT_EQ(Rcpt("TO:<\xc3\xbc@b>", /*utf8=*/true), "\xc3\xbc@b");
}

TEST(ParseRcpt, Refuses) {
  EXPECT_EQ(Rcpt("FROM:<a@b>"), "501 5.5.4");
  EXPECT_EQ(Rcpt("TO:<>"), "501 5.1.3");
  EXPECT_EQ(Rcpt("TO:a@b"), "501 5.1.3");
  EXPECT_EQ(Rcpt("TO:<a@b> NOTIFY=NEVER"), "555 5.5.4");
  EXPECT_EQ(Rcpt("TO:<a@b> ="), "501 5.5.4");
  EXPECT_EQ(Rcpt("TO:<\xc3\xbc@b>"), "553 5.6.7");
}

}  // namespace
}  // namespace rmail::gateway::smtp

#include "gateway/smtp/syntax/envelope.h"

#include <gtest/gtest.h>

namespace rmail::gateway::smtp {
namespace {

// "<address> size body" and what else is set, or the refusal's codes.
std::string Mail(std::string_view argument, bool auth_parameter = true) {
  const auto parsed = ParseMail(argument, {.auth = auth_parameter, .require_tls = auth_parameter});
  if (const auto* refusal = std::get_if<Reply>(&parsed)) {
    return std::to_string(refusal->code) + " " + refusal->enhanced;
  }
  const auto& mail = std::get<MailCommand>(parsed);
  return "<" + mail.reverse_path.Address() + "> " + std::to_string(mail.size) +
         (mail.body == Body::kBinaryMime ? " b"
          : mail.body == Body::k8BitMime ? " 8"
                                         : " 7") +
         (mail.utf8 ? " utf8" : "") + (mail.returned == Returned::kFull ? " full" : "") +
         (mail.returned == Returned::kHeaders ? " headers" : "") +
         (mail.require_tls ? " tls" : "") +
         (mail.envelope_id.empty() ? "" : " id=" + mail.envelope_id);
}

std::string Rcpt(std::string_view argument, bool utf8 = false) {
  const auto parsed = ParseRcpt(argument, utf8);
  if (const auto* refusal = std::get_if<Reply>(&parsed)) {
    return std::to_string(refusal->code) + " " + refusal->enhanced;
  }
  const auto& rcpt = std::get<RcptCommand>(parsed);
  return rcpt.forward_path.Address() + (rcpt.notify == 0 ? "" : " " + std::to_string(rcpt.notify)) +
         (rcpt.original_recipient.empty() ? "" : " " + rcpt.original_recipient);
}

TEST(ParseMail, Accepts) {
  EXPECT_EQ(Mail("FROM:<a@b>"), "<a@b> 0 7");
  EXPECT_EQ(Mail("from:<>"), "<> 0 7");
  EXPECT_EQ(Mail("FROM: <a@b>"), "<a@b> 0 7");
  EXPECT_EQ(Mail("FROM:<a@b> SIZE=1000 BODY=8BITMIME"), "<a@b> 1000 8");
  EXPECT_EQ(Mail("FROM:<a@b> size=1 body=7bit smtputf8"), "<a@b> 1 7 utf8");
  EXPECT_EQ(Mail("FROM:<\xc3\xbc@b> SMTPUTF8"), "<\xc3\xbc@b> 0 7 utf8");
  EXPECT_EQ(Mail("FROM:<a@b> BODY=binarymime"), "<a@b> 0 b");
  EXPECT_EQ(Mail("FROM:<a@b> RET=FULL ENVID=QQ+2B1+20x"), "<a@b> 0 7 full id=QQ+1 x");
  EXPECT_EQ(Mail("FROM:<> ret=hdrs envid=" + std::string(100, 'a')),
            "<> 0 7 headers id=" + std::string(100, 'a'));
  EXPECT_EQ(Mail("FROM:<a@b> REQUIRETLS"), "<a@b> 0 7 tls");
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
  EXPECT_EQ(Mail("FROM:<a@b> BODY=9BIT"), "501 5.5.4");
  EXPECT_EQ(Mail("FROM:<a@b> SMTPUTF8=1"), "501 5.5.4");
  EXPECT_EQ(Mail("FROM:<a@b> MT-PRIORITY=3"), "555 5.5.4");
  EXPECT_EQ(Mail("FROM:<a@b> RET=NONE"), "501 5.5.4");
  EXPECT_EQ(Mail("FROM:<a@b> RET"), "501 5.5.4");
  EXPECT_EQ(Mail("FROM:<a@b> ENVID"), "501 5.5.4");
  EXPECT_EQ(Mail("FROM:<a@b> ENVID=a+0Db"), "501 5.5.4");
  EXPECT_EQ(Mail("FROM:<a@b> ENVID=a+2"), "501 5.5.4");
  EXPECT_EQ(Mail("FROM:<a@b> ENVID=\xc3\xbc SMTPUTF8"), "501 5.5.4");
  EXPECT_EQ(Mail("FROM:<a@b> ENVID=" + std::string(101, 'a')), "501 5.5.4");
  EXPECT_EQ(Mail("FROM:<a@b> REQUIRETLS=1"), "501 5.5.4");
  EXPECT_EQ(Mail("FROM:<a@b> REQUIRETLS", /*auth_parameter=*/false), "555 5.5.4");
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
  EXPECT_EQ(Rcpt("TO:<a@b> NOTIFY=NEVER"), "a@b 1");
  EXPECT_EQ(Rcpt("TO:<a@b> notify=success,Failure,DELAY"), "a@b 14");
  EXPECT_EQ(Rcpt("TO:<a@b> ORCPT=RFC822;Bob+2BX@c.example"), "a@b rfc822;Bob+X@c.example");
  EXPECT_EQ(Rcpt("TO:<a@b> NOTIFY=DELAY ORCPT=x400;/C=gb"), "501 5.5.4");
  EXPECT_EQ(Rcpt("TO:<a@b> NOTIFY=DELAY ORCPT=x400;/C+3Dgb/"), "a@b 8 x400;/C=gb/");
  EXPECT_EQ(Rcpt("TO:<a@b> ORCPT=utf-8;\\x{FC}ber@c"),
            "a@b utf-8;\xc3\xbc"
            "ber@c");
  EXPECT_EQ(Rcpt("TO:<a@b> ORCPT=utf-8;\xc3\xbc@c", /*utf8=*/true), "a@b utf-8;\xc3\xbc@c");
  EXPECT_EQ(Rcpt("TO:<a@b> ORCPT=rfc822;+C3+BC@c", /*utf8=*/true), "a@b utf-8;\xc3\xbc@c");
}

TEST(ParseRcpt, Refuses) {
  EXPECT_EQ(Rcpt("FROM:<a@b>"), "501 5.5.4");
  EXPECT_EQ(Rcpt("TO:<>"), "501 5.1.3");
  EXPECT_EQ(Rcpt("TO:a@b"), "501 5.1.3");
  EXPECT_EQ(Rcpt("TO:<a@b> RRVS=x"), "555 5.5.4");
  EXPECT_EQ(Rcpt("TO:<a@b> NOTIFY"), "501 5.5.4");
  EXPECT_EQ(Rcpt("TO:<a@b> NOTIFY=NEVER,DELAY"), "501 5.5.4");
  EXPECT_EQ(Rcpt("TO:<a@b> NOTIFY=SUCCESS,"), "501 5.5.4");
  EXPECT_EQ(Rcpt("TO:<a@b> ORCPT=a@b"), "501 5.5.4");
  EXPECT_EQ(Rcpt("TO:<a@b> ORCPT=;a@b"), "501 5.5.4");
  EXPECT_EQ(Rcpt("TO:<a@b> ORCPT=rfc822;"), "501 5.5.4");
  EXPECT_EQ(Rcpt("TO:<a@b> ORCPT=rf<c822;a@b"), "501 5.5.4");
  EXPECT_EQ(Rcpt("TO:<a@b> ORCPT=rfc822;a+0Ab"), "501 5.5.4");
  EXPECT_EQ(Rcpt("TO:<a@b> ORCPT=rfc822;+C3+BC@c"), "501 5.5.4");
  EXPECT_EQ(Rcpt("TO:<a@b> ORCPT=x400;+C3+BC", /*utf8=*/true), "501 5.5.4");
  EXPECT_EQ(Rcpt("TO:<a@b> ORCPT=rfc822;" + std::string(494, 'a')), "501 5.5.4");
  EXPECT_EQ(Rcpt("TO:<a@b> ORCPT=utf-8;\xc3\xbc@c"), "501 5.5.4");
  EXPECT_EQ(Rcpt("TO:<a@b> ORCPT=utf-8;a\\x{A}@c"), "501 5.5.4");
  EXPECT_EQ(Rcpt("TO:<a@b> ="), "501 5.5.4");
  EXPECT_EQ(Rcpt("TO:<\xc3\xbc@b>"), "553 5.6.7");
}

}  // namespace
}  // namespace rmail::gateway::smtp

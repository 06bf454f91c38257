#include "gateway/smtp/syntax/trace.h"

#include <gtest/gtest.h>

namespace rmail::gateway::smtp {
namespace {

Trace Example() {
  Trace trace;
  trace.hello = "client.example.net";
  trace.peer = "192.0.2.7";
  trace.hostname = "mail.example.com";
  trace.extended = true;
  trace.id = "0123456789abcdef";
  trace.recipient = "alice@example.com";
  trace.time = absl::FromUnixSeconds(1795561059);
  return trace;
}

TEST(ReceivedField, Whole) {
  EXPECT_EQ(ReceivedField(Example()),
            "Received: from client.example.net ([192.0.2.7])\r\n"
            "\tby mail.example.com with ESMTP\r\n"
            "\tid 0123456789abcdef for <alice@example.com>;\r\n"
            "\tTue, 24 Nov 2026 22:57:39 +0000\r\n");
}

TEST(ReceivedField, TlsIpv6AndSeveralRecipients) {
  Trace trace = Example();
  trace.peer = "2001:db8::7";
  trace.recipient.clear();
  trace.tls = true;
  trace.tls_description = "TLSv1.3 TLS_AES_256_GCM_SHA384";
  EXPECT_EQ(ReceivedField(trace),
            "Received: from client.example.net ([IPv6:2001:db8::7])\r\n"
            "\tby mail.example.com with ESMTPS (TLSv1.3 TLS_AES_256_GCM_SHA384)\r\n"
            "\tid 0123456789abcdef;\r\n"
            "\tTue, 24 Nov 2026 22:57:39 +0000\r\n");
}

TEST(WithProtocol, Table) {
  Trace trace;
  EXPECT_EQ(WithProtocol(trace), "SMTP");
  trace.extended = true;
  EXPECT_EQ(WithProtocol(trace), "ESMTP");
  trace.authenticated = true;
  EXPECT_EQ(WithProtocol(trace), "ESMTPA");
  trace.tls = true;
  EXPECT_EQ(WithProtocol(trace), "ESMTPSA");
  trace.utf8 = true;
  EXPECT_EQ(WithProtocol(trace), "UTF8SMTPSA");
  trace.authenticated = false;
  EXPECT_EQ(WithProtocol(trace), "UTF8SMTPS");
  trace.tls = false;
  EXPECT_EQ(WithProtocol(trace), "UTF8SMTP");
}

TEST(ReturnPathField, NullAndNot) {
  EXPECT_EQ(ReturnPathField(""), "Return-Path: <>\r\n");
  EXPECT_EQ(ReturnPathField("a@b"), "Return-Path: <a@b>\r\n");
}

}  // namespace
}  // namespace rmail::gateway::smtp

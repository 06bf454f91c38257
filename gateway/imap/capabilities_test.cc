// The lists as a whole, in each state: the one place that knows them.
#include "gateway/imap/capabilities.h"

#include <gtest/gtest.h>

#include <string>

namespace rmail::gateway::imap {
namespace {

constexpr char kAnyState[] = "CAPABILITY IMAP4rev1 IMAP4rev2 SASL-IR LITERAL+ ID ENABLE";

TEST(CapabilitiesTest, InClearWithTlsAtHand) {
  EXPECT_EQ(CapabilityList({.can_start_tls = true}),
            std::string(kAnyState) + " STARTTLS LOGINDISABLED");
}

TEST(CapabilitiesTest, InClearWithoutTls) {
  EXPECT_EQ(CapabilityList({.private_enough = true, .scram = true}),
            std::string(kAnyState) +
                " AUTH=SCRAM-SHA-256 AUTH=OAUTHBEARER AUTH=XOAUTH2 AUTH=PLAIN AUTH=LOGIN");
}

TEST(CapabilitiesTest, WithTls) {
  EXPECT_EQ(CapabilityList({.private_enough = true, .secure = true}),
            std::string(kAnyState) + " AUTH=OAUTHBEARER AUTH=XOAUTH2 AUTH=PLAIN AUTH=LOGIN");
  EXPECT_EQ(CapabilityList({.private_enough = true, .secure = true, .scram = true}),
            std::string(kAnyState) +
                " AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256 AUTH=OAUTHBEARER AUTH=XOAUTH2 "
                "AUTH=PLAIN AUTH=LOGIN");
}

TEST(CapabilitiesTest, AfterLogin) {
  EXPECT_EQ(
      CapabilityList(
          {.logged_in = true, .private_enough = true, .secure = true, .append_limit = 1000}),
      std::string(kAnyState) +
          " BINARY CATENATE CHILDREN COMPRESS=DEFLATE CONDSTORE CONTEXT=SEARCH CONTEXT=SORT "
          "CREATE-SPECIAL-USE ESEARCH ESORT I18NLEVEL=1 IDLE INPROGRESS LIST-EXTENDED LIST-STATUS "
          "METADATA MOVE MULTIAPPEND NAMESPACE NOTIFY OBJECTID PARTIAL PREVIEW QRESYNC QUOTA "
          "QUOTA=RES-STORAGE REPLACE SAVEDATE SEARCHRES SORT SORT=DISPLAY SPECIAL-USE STATUS=SIZE "
          "THREAD=ORDEREDSUBJECT THREAD=REFERENCES THREAD=REFS UIDPLUS UNAUTHENTICATE UNSELECT "
          "URL-PARTIAL URLAUTH UTF8=ACCEPT WITHIN APPENDLIMIT=1000");
}

}  // namespace
}  // namespace rmail::gateway::imap

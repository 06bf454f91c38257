// An IMAP server over a real store, for session tests.
#ifndef RMAIL_GATEWAY_IMAP_IMAP_FIXTURE_H_
#define RMAIL_GATEWAY_IMAP_IMAP_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "gateway/imap/imap_server.h"
#include "gateway/imap/switchable_store_client.h"
#include "gateway/imap/transcript.h"
#include "tests/support/test_store.h"

namespace rmail::gateway::imap {

// Without TLS unless StartServer says otherwise; alice@example.com has the password "secret".
class ImapFixture : public ::testing::Test {
 protected:
  ImapFixture();
  ~ImapFixture() override;

  // Options with delays that suit tests.
  static ImapOptions FastOptions();
  // Replaces the server.
  void StartServer(ImapOptions options, bool tls = false);
  ImapServer& server() { return *server_; }
  testing::TestStore& store() { return store_; }
  // From now on the server finds no store, or finds it again.
  void SetStoreLost(bool lost) { client_.SetLost(lost); }
  // The same for changes of flags alone.
  void SetFlagsLost(bool lost) { client_.SetFlagsLost(lost); }

  // Runs a script on a new set of connections.
  void Run(std::string_view script);
  // The same, the connection logged in as alice; with `mailbox`, that one selected.
  void RunLoggedIn(std::string_view script);
  void RunSelected(std::string_view script, std::string_view mailbox = "INBOX");

  // Greets and logs in as alice on a connection of the transcript.
  static void LogIn(Transcript& transcript, int connection);
  static void Select(Transcript& transcript, int connection, std::string_view mailbox = "INBOX");
  // Appends a message by alice on a connection of its own.
  void Append(std::string_view message, std::string_view flags = "()",
              std::string_view mailbox = "INBOX");

 private:
  testing::TestStore store_;
  SwitchableStoreClient client_{store_.client()};
  StoreAccess access_{client_, store_.access().watcher(), testing::kTokenSecret};
  IoThreads threads_{2};
  std::unique_ptr<ImapServer> server_;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_IMAP_FIXTURE_H_

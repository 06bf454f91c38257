// For tests: a process of the store with three mailboxes of one account open, and what a client can
// know of a mailbox.
#ifndef RMAIL_STORE_ENGINE_TEST_STORE_H_
#define RMAIL_STORE_ENGINE_TEST_STORE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "store/base/env.h"
#include "store/engine/group_commit.h"
#include "store/engine/index.h"
#include "store/engine/mailbox.h"
#include "store/engine/usage.h"

namespace rmail::engine {

// The names of a TestStore's mailboxes.
inline constexpr std::string_view kTestMailboxes = "abc";

class TestStore {
 public:
  // `root`: the account's folder.
  explicit TestStore(Env* env, std::string root = "/account", SyncMode mode = SyncMode::kFsync);

  // Makes the folders of an account with empty mailboxes.
  static absl::Status Create(Env* env, const std::string& root = "/account");

  Mailbox& mailbox(char name) { return *mailboxes_.at(name); }
  std::string Directory(char name) const { return JoinPath(root_, std::string(1, name)); }
  Usage& usage() { return *usage_; }

  // Uploads a message and appends it, as an APPEND does.
  absl::StatusOr<Mailbox::AppendedMessage> Append(char mailbox, std::string_view content,
                                                  uint64_t flags) {
    return AppendAll(mailbox, {std::string(content)}, flags);
  }
  // Several messages, all or none; `replaces`: one that the only one takes the place of.
  absl::StatusOr<Mailbox::AppendedMessage> AppendAll(char mailbox,
                                                     const std::vector<std::string>& contents,
                                                     uint64_t flags, uint32_t replaces = 0);

 private:
  // Returns the path of its file.
  absl::StatusOr<std::string> Upload(Mailbox& mailbox, std::string_view content);

  Env* const env_;
  const std::string root_;
  GroupCommit commits_;
  std::shared_ptr<Usage> usage_;
  std::map<char, std::shared_ptr<Mailbox>> mailboxes_;
  uint64_t uploads_ = 0;
};

// A message's octets. INTERNAL when they are not as many as its name says.
absl::StatusOr<std::string> ReadTestContent(Mailbox& mailbox, const MessageInfo& info);

// What a client knows of a mailbox.
struct TestView {
  struct Message {
    std::string content;
    uint64_t flags = 0;
    uint64_t modseq = 0;
    friend bool operator==(const Message&, const Message&) = default;
  };
  uint32_t uid_next = 0;
  uint64_t highest_modseq = 0;
  std::map<uint32_t, Message> messages;

  friend bool operator==(const TestView&, const TestView&) = default;
};
std::string FormatView(const TestView& view);

// All of a mailbox. INTERNAL when what it says does not agree.
absl::StatusOr<TestView> ReadTestView(Mailbox& mailbox);

// What a client that knew `view` knows after it has asked what changed since (RFC 7162).
absl::StatusOr<TestView> UpdatedTestView(Mailbox& mailbox, TestView view);

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_TEST_STORE_H_

#include "store/engine/crash_world.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "store/base/status.h"
#include "store/engine/file_name.h"

namespace rmail::engine {
namespace {

const std::vector<UidSpan> kAll = {{1, UINT32_MAX}};

absl::Status UpdateFlags(TestStore& store, std::vector<UidSpan> spans, FlagOperation operation,
                         uint64_t flags) {
  Mailbox::FlagUpdate update;
  update.spans = std::move(spans);
  update.operation = operation;
  update.flags = flags;
  return store.mailbox('a').UpdateFlags(update).status();
}

// By content: a message that came back after a crash may have another UID.
absl::Status Transfer(TestStore& store, bool move, const std::set<std::string>& contents,
                      char target) {
  RMAIL_ASSIGN_OR_RETURN(const std::vector<MessageRow> rows, store.mailbox('a').Rows(kAll));
  std::vector<UidSpan> spans;
  std::set<std::string> found;
  for (const MessageRow& row : rows) {
    RMAIL_ASSIGN_OR_RETURN(std::string content, ReadTestContent(store.mailbox('a'), row.info));
    if (!contents.contains(content) || !found.insert(std::move(content)).second) continue;
    spans.push_back({row.info.uid, row.info.uid});
  }
  Mailbox::TransferOptions options;
  options.translate = [](uint64_t flags) { return flags; };
  const auto transfer = move ? &Mailbox::Move : &Mailbox::Copy;
  return transfer(store.mailbox('a'), spans, store.mailbox(target), options).status();
}

// By content, too; when it is there no more, the new message comes alone.
absl::Status Replace(TestStore& store, const std::string& content) {
  RMAIL_ASSIGN_OR_RETURN(const std::vector<MessageRow> rows, store.mailbox('a').Rows(kAll));
  uint32_t uid = 0;
  for (const MessageRow& row : rows) {
    RMAIL_ASSIGN_OR_RETURN(const std::string other, ReadTestContent(store.mailbox('a'), row.info));
    if (other == content) uid = row.info.uid;
  }
  return store.AppendAll('a', {"new"}, kDraft, uid).status();
}

// Messages of a: a1 \Seen, a2, a3 \Flagged \Deleted, a4 \Deleted, a5; of b: b1, b2 \Deleted; none
// of c.
constexpr uint64_t kKeyword = uint64_t{1} << 20;

std::vector<CrashOperation> ChangesOfOneMailbox() {
  return {
      {.name = "append",
       .run = [](TestStore& store) { return store.Append('a', "new", kSeen).status(); },
       .moved = {{"new", "a"}},
       .flags = {{"new", kSeen}},
       .twice = {{"new", {"aa"}}},
       .durable = true},
      {.name = "append to a new mailbox",
       .run = [](TestStore& store) { return store.Append('c', "new", 0).status(); },
       .moved = {{"new", "c"}},
       .flags = {{"new", 0}},
       .twice = {{"new", {"cc"}}},
       .durable = true},
      {.name = "first append to a mailbox",
       .run = [](TestStore& store) { return store.Append('c', "new", 0).status(); },
       .moved = {{"new", "c"}},
       .flags = {{"new", 0}},
       .twice = {{"new", {"cc"}}},
       .durable = true,
       .c_is_new = true},
      {.name = "one flag",
       .run =
           [](TestStore& store) {
             return UpdateFlags(store, {{2, 2}}, FlagOperation::kAdd, kFlagged);
           },
       .flags = {{"a2", kFlagged}}},
      {.name = "many flags",
       .run =
           [](TestStore& store) {
             return UpdateFlags(store, kAll, FlagOperation::kReplace, kAnswered | kKeyword);
           },
       .flags = {{"a1", kAnswered | kKeyword},
                 {"a2", kAnswered | kKeyword},
                 {"a3", kAnswered | kKeyword},
                 {"a4", kAnswered | kKeyword},
                 {"a5", kAnswered | kKeyword}}},
      {.name = "expunge",
       .run = [](TestStore& store) { return store.mailbox('a').Expunge(kAll).status(); },
       .moved = {{"a3", ""}, {"a4", ""}}},
      {.name = "expunge all",
       .run = [](TestStore& store) { return store.mailbox('b').Expunge(kAll).status(); },
       .moved = {{"b1", ""}, {"b2", ""}},
       .prepare =
           [](TestStore& store) {
             Mailbox::FlagUpdate update;
             update.spans = kAll;
             update.flags = kDeleted;
             return store.mailbox('b').UpdateFlags(update).status();
           }},
      {.name = "checkpoint",
       .run = [](TestStore& store) { return store.mailbox('a').Checkpoint(); }},
      {.name = "rebuild",
       .run = [](TestStore& store) { return store.mailbox('a').Rebuild().status(); }},
  };
}

std::vector<CrashOperation> Appends() {
  const std::vector<std::string> contents = {"new 1", "new 2", "new 3"};
  return {
      {.name = "append several",
       .run =
           [contents](TestStore& store) { return store.AppendAll('a', contents, kSeen).status(); },
       .moved = {{"new 1", "a"}, {"new 2", "a"}, {"new 3", "a"}},
       .flags = {{"new 1", kSeen}, {"new 2", kSeen}, {"new 3", kSeen}},
       .together = {"new 1", "new 2", "new 3"},
       .twice = {{"new 1", {"aa"}}, {"new 2", {"aa"}}, {"new 3", {"aa"}}},
       .durable = true},
      {.name = "append several to a new mailbox",
       .run = [contents](TestStore& store) { return store.AppendAll('c', contents, 0).status(); },
       .moved = {{"new 1", "c"}, {"new 2", "c"}, {"new 3", "c"}},
       .flags = {{"new 1", 0}, {"new 2", 0}, {"new 3", 0}},
       .together = {"new 1", "new 2", "new 3"},
       .twice = {{"new 1", {"cc"}}, {"new 2", {"cc"}}, {"new 3", {"cc"}}},
       .durable = true,
       .c_is_new = true},
      {.name = "replace",
       .run = [](TestStore& store) { return Replace(store, "a2"); },
       .moved = {{"new", "a"}, {"a2", ""}},
       .flags = {{"new", kDraft}},
       .instead = {{"new", "a2"}},
       .twice = {{"new", {"aa"}}},
       .durable = true},
  };
}

std::vector<CrashOperation> Transfers() {
  return {
      {.name = "copy",
       .run = [](TestStore& store) { return Transfer(store, false, {"a1", "a2", "a3"}, 'b'); },
       .moved = {{"a1", "ab"}, {"a2", "ab"}, {"a3", "ab"}},
       .twice = {{"a1", {"abb"}}, {"a2", {"abb"}}, {"a3", {"abb"}}},
       .durable = true},
      {.name = "copy within a mailbox",
       .run = [](TestStore& store) { return Transfer(store, false, {"a1", "a2"}, 'a'); },
       .moved = {{"a1", "aa"}, {"a2", "aa"}},
       .twice = {{"a1", {"aaa"}}, {"a2", {"aaa"}}},
       .durable = true},
      {.name = "copy to a new mailbox",
       .run = [](TestStore& store) { return Transfer(store, false, {"a2", "a4", "a5"}, 'c'); },
       .moved = {{"a2", "ac"}, {"a4", "ac"}, {"a5", "ac"}},
       .twice = {{"a2", {"acc"}}, {"a4", {"acc"}}, {"a5", {"acc"}}},
       .durable = true},
      {.name = "move",
       .run = [](TestStore& store) { return Transfer(store, true, {"a1", "a3", "a4"}, 'b'); },
       .moved = {{"a1", "b"}, {"a3", "b"}, {"a4", "b"}},
       .durable = true},
      {.name = "move within a mailbox",
       .run = [](TestStore& store) { return Transfer(store, true, {"a2", "a3"}, 'a'); },
       .durable = true},
      {.name = "move all to a new mailbox",
       .run =
           [](TestStore& store) {
             return Transfer(store, true, {"a1", "a2", "a3", "a4", "a5"}, 'c');
           },
       .moved = {{"a1", "c"}, {"a2", "c"}, {"a3", "c"}, {"a4", "c"}, {"a5", "c"}},
       .durable = true},
  };
}

}  // namespace

const std::vector<CrashOperation>& CrashOperations() {
  static const auto* const operations = [] {
    auto* const all = new std::vector<CrashOperation>(ChangesOfOneMailbox());
    for (const std::vector<CrashOperation>& more : {Appends(), Transfers()}) {
      all->insert(all->end(), more.begin(), more.end());
    }
    return all;
  }();
  return *operations;
}

CrashWorld::CrashWorld(const CrashOperation& operation, Start start, uint64_t seed)
    : operation_(operation),
      mode_(seed % 3 == 0 ? SyncMode::kSyncFs : SyncMode::kFsync),
      env_(seed) {
  const absl::Status status = SetUp(start);
  EXPECT_TRUE(status.ok()) << status;
}

absl::Status CrashWorld::SetUp(Start start) {
  RMAIL_RETURN_IF_ERROR(TestStore::Create(&env_));
  NewStore(&env_);
  const auto append = [&](char mailbox, const char* content, uint64_t flags) {
    return store_->Append(mailbox, content, flags).status();
  };
  RMAIL_RETURN_IF_ERROR(append('a', "a1", kSeen));
  RMAIL_RETURN_IF_ERROR(append('a', "a2", 0));
  RMAIL_RETURN_IF_ERROR(append('a', "a3", kFlagged | kDeleted));
  RMAIL_RETURN_IF_ERROR(append('a', "a4", 0));
  RMAIL_RETURN_IF_ERROR(append('b', "b1", kDraft));
  if (start == Start::kRebuilt) RMAIL_RETURN_IF_ERROR(append('a', "a5", 0));
  for (const char mailbox : {'a', 'b'}) {
    if (start == Start::kRebuilt) {
      RMAIL_RETURN_IF_ERROR(store_->mailbox(mailbox).Rebuild().status());
    } else if (start == Start::kSnapshot) {
      RMAIL_RETURN_IF_ERROR(store_->mailbox(mailbox).Checkpoint());
    }
  }
  if (start != Start::kRebuilt) RMAIL_RETURN_IF_ERROR(append('a', "a5", 0));
  RMAIL_RETURN_IF_ERROR(append('b', "b2", kDeleted));
  RMAIL_RETURN_IF_ERROR(UpdateFlags(*store_, {{4, 4}}, FlagOperation::kAdd, kDeleted));
  if (operation_.prepare != nullptr) RMAIL_RETURN_IF_ERROR(operation_.prepare(*store_));
  RMAIL_RETURN_IF_ERROR(env_.SyncFileSystem("/"));
  for (const char mailbox : kTestMailboxes) {
    if (mailbox == 'c' && operation_.c_is_new) {
      known_[mailbox] = Known();
      continue;
    }
    RMAIL_ASSIGN_OR_RETURN(const TestView view, ReadTestView(store_->mailbox(mailbox)));
    Learn(mailbox, view);
    for (const auto& [uid, message] : view.messages) {
      places_[message.content] += mailbox;
      flags_[message.content] = message.flags;
    }
  }
  return env_.SyncFileSystem("/");
}

void CrashWorld::Learn(char mailbox, const TestView& view) {
  Known& known = known_[mailbox];
  known.uid_next = std::max(known.uid_next, view.uid_next);
  known.modseq = std::max(known.modseq, view.highest_modseq);
  for (const auto& [uid, message] : view.messages) known.contents[uid] = message.content;
  known.view = view;
}

absl::Status CrashWorld::Run() {
  const absl::Status status = operation_.run(*store_);
  done_ = status.ok();
  return status;
}

void CrashWorld::LetAnotherProcessLook() {
  const std::unique_ptr<MemoryEnv> process = env_.NewProcess();
  TestStore store(process.get());
  for (const char mailbox : kTestMailboxes) {
    const auto view = ReadTestView(store.mailbox(mailbox));
    ASSERT_TRUE(view.ok()) << mailbox << ": " << view.status();
    CheckView(mailbox, *view);
    Learn(mailbox, *view);
  }
}

void CrashWorld::Crash(uint64_t seed, MemoryEnv::CrashMode mode) {
  store_ = nullptr;
  env_.Crash(seed, mode);
  NewStore(&env_);
}

// What holds of a mailbox whatever was done to it.
void CrashWorld::CheckView(char mailbox, const TestView& view) const {
  const Known& known = known_.at(mailbox);
  EXPECT_GE(view.uid_next, known.uid_next) << mailbox;
  EXPECT_GE(view.highest_modseq, known.modseq) << mailbox;
  for (const auto& [uid, message] : view.messages) {
    const auto before = known.contents.find(uid);
    if (before != known.contents.end()) {
      EXPECT_EQ(message.content, before->second) << mailbox << " " << uid;
    } else {
      EXPECT_GE(uid, known.view.uid_next) << mailbox << ": " << message.content;
    }
  }
}

void CrashWorld::CheckPlaces(const std::map<char, TestView>& views, bool lossy) const {
  std::map<std::string, std::string> found;
  for (const auto& [content, place] : places_) found[content];
  for (const auto& [content, place] : operation_.moved) found[content];
  for (const auto& [mailbox, view] : views) {
    for (const auto& [uid, message] : view.messages) {
      if (message.content.rfind("later", 0) != 0) found[message.content] += mailbox;
    }
  }
  for (const auto& [content, place] : found) {
    const auto before = places_.find(content);
    std::set<std::string> allowed = {before != places_.end() ? before->second : "(nowhere)"};
    const auto after = operation_.moved.find(content);
    if (after != operation_.moved.end()) {
      if (before == places_.end()) allowed = {""};
      if (done_ && (operation_.durable || !lossy)) allowed.clear();
      allowed.insert(after->second);
    }
    const auto twice = operation_.twice.find(content);
    if (again_ && twice != operation_.twice.end()) {
      allowed.insert(twice->second.begin(), twice->second.end());
    }
    EXPECT_TRUE(allowed.contains(place)) << content << " is in '" << place << "'";
  }
  CheckTogether(found, lossy);
}

void CrashWorld::CheckTogether(const std::map<std::string, std::string>& found, bool lossy) const {
  for (const std::string& content : operation_.together) {
    EXPECT_EQ(found.at(content), found.at(*operation_.together.begin())) << content;
  }
  for (const auto& [content, other] : operation_.instead) {
    const bool is_there = !found.at(content).empty();
    const bool other_is_there = !found.at(other).empty();
    EXPECT_TRUE(is_there || other_is_there) << content << " and " << other;
    if (!lossy) EXPECT_FALSE(is_there && other_is_there) << content << " and " << other;
  }
}

void CrashWorld::CheckFlags(const TestView& view, bool lossy) const {
  for (const auto& [uid, message] : view.messages) {
    if (message.content.rfind("later", 0) == 0) continue;
    std::set<uint64_t> allowed;
    const auto before = flags_.find(message.content);
    if (before != flags_.end()) allowed.insert(before->second);
    const auto after = operation_.flags.find(message.content);
    if (after != operation_.flags.end()) {
      if (done_ && !lossy) allowed.clear();
      allowed.insert(after->second);
    }
    EXPECT_TRUE(allowed.contains(message.flags))
        << message.content << " has flags " << message.flags;
  }
}

void CrashWorld::CheckFiles() {
  uint64_t total = 0;
  for (const char mailbox : kTestMailboxes) {
    const auto check = store_->mailbox(mailbox).Check(10);
    ASSERT_TRUE(check.ok()) << mailbox << ": " << check.status();
    for (const std::string& problem : check->problems) ADD_FAILURE() << mailbox << ": " << problem;
    EXPECT_EQ(check->files, check->indexed) << mailbox;
    total += store_->mailbox(mailbox).Counts()->size;
  }
  const auto usage = store_->usage().Total();
  ASSERT_TRUE(usage.ok()) << usage.status();
  EXPECT_EQ(*usage, total);
}

void CrashWorld::Check(bool lossy) {
  std::map<char, TestView> views;
  for (const char name : kTestMailboxes) {
    Mailbox& mailbox = store_->mailbox(name);
    // All or nothing is what holds once someone has had the lock.
    if (!operation_.together.empty() || !operation_.instead.empty()) mailbox.StoreRecords({});
    const auto view = ReadTestView(mailbox);
    ASSERT_TRUE(view.ok()) << name << ": " << view.status();
    CheckView(name, *view);
    CheckFlags(*view, lossy);
    const auto updated = UpdatedTestView(mailbox, known_[name].view);
    ASSERT_TRUE(updated.ok()) << name << ": " << updated.status();
    EXPECT_EQ(*updated, *view) << name << ": a client that knew\n"
                               << FormatView(known_[name].view) << "believes\n"
                               << FormatView(*updated) << "instead of\n"
                               << FormatView(*view);
    views[name] = *view;
  }
  CheckPlaces(views, lossy);
  CheckFiles();
  for (const auto& [name, view] : views) {
    // Checking has changed nothing.
    const auto again = ReadTestView(store_->mailbox(name));
    ASSERT_TRUE(again.ok()) << name << ": " << again.status();
    EXPECT_EQ(*again, view) << name << "\n"
                            << FormatView(*again) << "instead of\n"
                            << FormatView(view);
    Learn(name, view);
  }
}

void CrashWorld::CheckReadable() {
  std::set<std::string> found;
  for (const auto& [name, known] : known_) {
    Mailbox& mailbox = store_->mailbox(name);
    const auto counts = mailbox.Counts();
    // A mailbox that is opened for the first time needs room.
    if (!counts.ok() && known.contents.empty()) continue;
    EXPECT_TRUE(counts.ok()) << name << ": " << counts.status();
    const auto rows = mailbox.Rows(kAll);
    ASSERT_TRUE(rows.ok()) << name << ": " << rows.status();
    for (const MessageRow& row : *rows) {
      const auto content = ReadTestContent(mailbox, row.info);
      if (content.ok()) found.insert(*content);
    }
  }
  for (const auto& [content, place] : places_) {
    const auto after = operation_.moved.find(content);
    if (after != operation_.moved.end() && after->second.empty()) continue;
    EXPECT_TRUE(found.contains(content)) << content;
  }
}

void CrashWorld::RunAgain() {
  const absl::Status status = operation_.run(*store_);
  ASSERT_TRUE(status.ok()) << status;
  done_ = true;
  again_ = true;
}

void CrashWorld::AppendToAll() {
  for (const char mailbox : kTestMailboxes) {
    const auto appended = store_->Append(mailbox, fmt::format("later {}", appended_++), 0);
    ASSERT_TRUE(appended.ok()) << mailbox << ": " << appended.status();
    EXPECT_GE(appended->uid, known_[mailbox].uid_next) << mailbox;
    EXPECT_GT(appended->modseq, known_[mailbox].modseq) << mailbox;
  }
}

}  // namespace rmail::engine

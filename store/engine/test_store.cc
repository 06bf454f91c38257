#include "store/engine/test_store.h"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "store/base/status.h"
#include "store/engine/index_files.h"

namespace rmail::engine {
namespace {

absl::Status Disagree(std::string_view what) {
  return MakeStatus(absl::StatusCode::kInternal, what);
}

}  // namespace

absl::StatusOr<std::string> ReadTestContent(Mailbox& mailbox, const MessageInfo& info) {
  RMAIL_ASSIGN_OR_RETURN(const std::unique_ptr<File> file, mailbox.OpenMessage(info));
  std::string content(info.size + 1, '\0');
  RMAIL_ASSIGN_OR_RETURN(const size_t size, file->ReadAt(0, content.data(), content.size()));
  content.resize(size);
  if (size != info.size) {
    return Disagree(fmt::format("UID {} has {} octets, not {}", info.uid, size, info.size));
  }
  return content;
}

TestStore::TestStore(Env* env, std::string root, SyncMode mode)
    : env_(env),
      root_(std::move(root)),
      commits_(env, root_, mode),
      usage_(std::make_shared<Usage>(env, root_, [this]() -> absl::StatusOr<uint64_t> {
        uint64_t total = 0;
        for (const char name : kTestMailboxes) {
          RMAIL_ASSIGN_OR_RETURN(const uint64_t size, ReadMailboxSize(env_, Directory(name)));
          total += size;
        }
        return total;
      })) {
  for (const char name : kTestMailboxes) {
    const MailboxContext context = {env, &commits_, usage_, nullptr};
    mailboxes_[name] = std::make_shared<Mailbox>(context, Directory(name), [](uint64_t) {});
  }
}

absl::Status TestStore::Create(Env* env, const std::string& root) {
  for (const char name : kTestMailboxes) {
    RMAIL_RETURN_IF_ERROR(env->CreateDirectories(JoinPath(root, std::string(1, name))));
  }
  return env->SyncFileSystem(root);
}

absl::StatusOr<std::string> TestStore::Upload(Mailbox& mailbox, std::string_view content) {
  RMAIL_ASSIGN_OR_RETURN(const std::string incoming, mailbox.IncomingDirectory());
  // Whatever process made a name before, it is gone or has another number.
  std::string path =
      fmt::format("{}/{}.{}.{}", incoming, getpid(), uploads_++, static_cast<const void*>(this));
  RMAIL_ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                         env_->Open(path, Env::OpenMode::kCreate));
  RMAIL_RETURN_IF_ERROR(file->Truncate(0));
  RMAIL_RETURN_IF_ERROR(file->WriteAt(0, content));
  RMAIL_RETURN_IF_ERROR(file->Sync());
  return path;
}

absl::StatusOr<Mailbox::AppendedMessage> TestStore::AppendAll(
    char mailbox, const std::vector<std::string>& contents, uint64_t flags, uint32_t replaces) {
  Mailbox& target = *mailboxes_.at(mailbox);
  std::vector<Mailbox::NewMessage> messages;
  for (const std::string& content : contents) {
    RMAIL_ASSIGN_OR_RETURN(std::string path, Upload(target, content));
    messages.push_back({std::move(path), {0, flags, 1'700'000'000'000'000, content.size()}});
  }
  Mailbox::AppendOptions options;
  options.replaces = replaces;
  absl::StatusOr<Mailbox::AppendedMessage> appended = target.AppendAll(messages, options);
  for (const Mailbox::NewMessage& message : messages) (void)env_->Remove(message.path);
  return appended;
}

std::string FormatView(const TestView& view) {
  std::string text = fmt::format("next UID {}, modseq {}\n", view.uid_next, view.highest_modseq);
  for (const auto& [uid, message] : view.messages) {
    text += fmt::format("  {}: {}, flags {:x}, modseq {}\n", uid, message.content.substr(0, 20),
                        message.flags, message.modseq);
  }
  return text;
}

namespace {

absl::StatusOr<TestView> ReadOnce(Mailbox& mailbox) {
  TestView view;
  RMAIL_ASSIGN_OR_RETURN(const IndexCounts counts, mailbox.Counts());
  view.uid_next = counts.uid_next;
  view.highest_modseq = counts.highest_modseq;
  RMAIL_ASSIGN_OR_RETURN(const std::vector<MessageRow> rows, mailbox.Rows({{1, UINT32_MAX}}));
  IndexCounts found;
  bool beyond = false;
  for (const MessageRow& row : rows) {
    RMAIL_ASSIGN_OR_RETURN(std::string content, ReadTestContent(mailbox, row.info));
    ++found.messages;
    if (!(row.info.flags & kSeen)) ++found.unseen;
    found.size += row.info.size;
    if (row.info.flags & kDeleted) {
      ++found.deleted;
      found.deleted_size += row.info.size;
    }
    beyond = beyond || row.info.uid >= view.uid_next || row.modseq > view.highest_modseq;
    view.messages[row.info.uid] = {std::move(content), row.info.flags, row.modseq};
  }
  RMAIL_ASSIGN_OR_RETURN(const IndexCounts after, mailbox.Counts());
  if (after.highest_modseq != counts.highest_modseq) {
    return MakeStatus(absl::StatusCode::kAborted, "it changed meanwhile");
  }
  if (beyond) return Disagree("a message is beyond what was told");
  if (found.messages != counts.messages || found.unseen != counts.unseen ||
      found.deleted != counts.deleted || found.size != counts.size ||
      found.deleted_size != counts.deleted_size) {
    return Disagree("the counts are not those of the messages");
  }
  return view;
}

}  // namespace

absl::StatusOr<TestView> ReadTestView(Mailbox& mailbox) {
  absl::StatusOr<TestView> view = ReadOnce(mailbox);
  // Damage is found, and what a process that died had begun to add is taken back, when a message is
  // met: then it starts over.
  for (int i = 0; i < 3 && (absl::IsNotFound(view.status()) || absl::IsAborted(view.status()));
       ++i) {
    view = ReadOnce(mailbox);
  }
  return view;
}

absl::StatusOr<TestView> UpdatedTestView(Mailbox& mailbox, TestView view) {
  RMAIL_ASSIGN_OR_RETURN(Mailbox::Changes changes, mailbox.ChangesSince(view.highest_modseq));
  view.uid_next = changes.counts.uid_next;
  view.highest_modseq = changes.counts.highest_modseq;
  if (changes.reset) {
    view.messages.clear();
    if (!changes.expunged.empty()) return Disagree("a reset with expunged messages");
  }
  for (const UidSpan& span : changes.expunged) {
    view.messages.erase(view.messages.lower_bound(span.first),
                        view.messages.upper_bound(span.last));
  }
  MessageRow row;
  while (changes.changed.Next(&row)) {
    TestView::Message& message = view.messages[row.info.uid];
    if (message.content.empty()) {
      RMAIL_ASSIGN_OR_RETURN(message.content, ReadTestContent(mailbox, row.info));
    }
    message.flags = row.info.flags;
    message.modseq = row.modseq;
  }
  return view;
}

}  // namespace rmail::engine

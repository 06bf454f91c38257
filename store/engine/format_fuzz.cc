#include "store/engine/format_fuzz.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>

#include "store/base/testing/memory_env.h"
#include "store/engine/alias_list.h"
#include "store/engine/file_name.h"
#include "store/engine/index_files.h"
#include "store/engine/little_endian.h"
#include "store/engine/mailbox_list.h"
#include "store/engine/slot_file.h"
#include "store/engine/snapshot.h"
#include "store/engine/user_file.h"

namespace rmail::engine {
namespace {

constexpr char kFolder[] = "/mailbox";

void Check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

std::string Write(Env& env, std::string_view name, std::string_view content) {
  const std::string path = JoinPath(kFolder, name);
  Check(env.CreateDirectories(kFolder).ok(), "a folder can be made");
  const auto file = env.Open(path, Env::OpenMode::kCreateNew);
  Check(file.ok() && (*file)->WriteAt(0, content).ok(), "a file can be written");
  return path;
}

// Opens the index of kFolder, which has a log and no snapshot.
void CheckIndex(MemoryEnv& env) {
  const absl::StatusOr<OpenedIndex> opened = OpenIndex(&env, kFolder);
  if (!opened.ok()) {
    Check(absl::IsDataLoss(opened.status()), "what can't be read is damage");
    return;
  }
  const IndexCounts& counts = opened->index.counts();
  const auto rows = Index(opened->index).Rows({{1, UINT32_MAX}});
  Check(rows.ok() && rows->size() == counts.messages, "as many messages as are counted");
  uint32_t last = 0;
  for (const MessageRow& row : *rows) {
    Check(row.info.uid > last && row.info.uid < counts.uid_next, "UIDs ascend below the next");
    Check(row.modseq <= counts.highest_modseq, "no modseq is above the highest");
    last = row.info.uid;
  }
  // What was read goes through a snapshot unchanged.
  SnapshotImage image = Index(opened->index).Image();
  const std::string copy = JoinPath(kFolder, kSnapshotName);
  Check(WriteSnapshot(&env, copy, image).ok(), "a snapshot can be written");
  const auto snapshot = SnapshotFile::Open(&env, copy);
  Check(snapshot.ok(), "a snapshot can be read");
  Index again(*snapshot);
  const auto same = again.Rows({{1, UINT32_MAX}});
  Check(same.ok() && same->size() == rows->size(), "a snapshot has all messages");
  for (size_t i = 0; i < rows->size(); ++i) {
    Check((*same)[i].info == (*rows)[i].info && (*same)[i].modseq == (*rows)[i].modseq,
          "a snapshot has the messages as they were");
  }
  Check(again.counts().size == counts.size && again.counts().unseen == counts.unseen &&
            again.counts().deleted == counts.deleted &&
            again.counts().deleted_size == counts.deleted_size &&
            again.counts().uid_next == counts.uid_next,
        "a snapshot has the counts");
}

void FuzzLog(std::string_view octets) {
  MemoryEnv env;
  Check(env.CreateDirectories(kFolder).ok(), "a folder can be made");
  const std::string path = JoinPath(kFolder, kLogName);
  Check(LogFile::Create(&env, path, {1, 0}, octets).ok(), "a log can be made");
  CheckIndex(env);
}

// Records whose checksums are right, each after its length in 16 bits.
void FuzzLogRecords(std::string_view octets) {
  MemoryEnv env;
  Check(env.CreateDirectories(kFolder).ok(), "a folder can be made");
  const std::string path = JoinPath(kFolder, kLogName);
  Check(LogFile::Create(&env, path, {1, 0}, "").ok(), "a log can be made");
  const auto log = LogFile::Open(&env, path);
  Check(log.ok(), "a log can be opened");
  while (octets.size() > 2) {
    const size_t size = GetFixed<uint16_t>(octets.data());
    octets.remove_prefix(2);
    LogRecord record;
    if (record.ParseFromString(std::string(octets.substr(0, size)))) {
      Check((*log)->Append(record).ok(), "a record can be written");
    }
    octets.remove_prefix(std::min(size, octets.size()));
  }
  CheckIndex(env);
}

void FuzzSnapshot(std::string_view octets) {
  MemoryEnv env;
  const std::string path = Write(env, kSnapshotName, octets);
  const auto snapshot = SnapshotFile::Open(&env, path);
  if (!snapshot.ok()) return;
  for (size_t i = 0; i < (*snapshot)->shards().size(); ++i) (void)(*snapshot)->ReadShard(i);
}

void FuzzFileName(std::string_view octets) {
  if (const auto info = ParseFileName(octets)) {
    Check(FileName(*info) == octets, "a file's name is what it says");
  }
  if (const auto shard = ParseShardName(octets)) {
    Check(std::to_string(*shard) == octets, "a shard's name is its number");
  }
}

void FuzzUserFile(std::string_view octets) {
  const auto settings = ParseUserFile(octets);
  if (!settings.ok()) return;
  const std::string text = FormatUserFile(*settings);
  const auto again = ParseUserFile(text);
  Check(again.ok() && FormatUserFile(*again) == text, "settings are read as they were written");
}

void FuzzMailboxList(std::string_view octets) {
  const auto list = ParseMailboxList(octets);
  if (!list.ok()) return;
  const std::string text = FormatMailboxList(*list);
  const auto again = ParseMailboxList(text);
  Check(again.ok() && FormatMailboxList(*again) == text, "mailboxes are read as they were written");
}

void FuzzAliasList(std::string_view octets) {
  const auto aliases = ParseAliasList(octets);
  if (!aliases.ok()) return;
  const std::string text = FormatAliasList(*aliases);
  const auto again = ParseAliasList(text);
  Check(again.ok() && FormatAliasList(*again) == text, "aliases are read as they were written");
}

void FuzzRecords(std::string_view octets) {
  constexpr uint32_t kKind = 1;
  MemoryEnv env;
  const std::string path = Write(env, "records", octets);
  const auto file = SlotFile::Open(&env, path, kKind, SlotFile::Mode::kWrite);
  Check(file.ok(), "any file can be opened");
  SlotImage image;
  Check((*file)->Load(&image).ok(), "any file can be loaded");
  for (const uint32_t uid : {0u, 1u, 2u, 4095u, 4096u}) {
    const auto record = (*file)->Get(uid);
    Check(record.ok(), "any record can be asked for");
    const auto found = image.Find(uid);
    Check(record->has_value() == found.has_value() && (!found || **record == *found),
          "both ways of reading agree");
  }
  Check((*file)->Put(1, "payload").ok(), "any file can be written");
  const auto record = (*file)->Get(1);
  Check(record.ok() && *record == "payload", "what was written is read");
}

}  // namespace
}  // namespace rmail::engine

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using Reader = void (*)(std::string_view);
  static constexpr Reader kReaders[] = {
      rmail::engine::FuzzLog,      rmail::engine::FuzzSnapshot,    rmail::engine::FuzzFileName,
      rmail::engine::FuzzUserFile, rmail::engine::FuzzMailboxList, rmail::engine::FuzzAliasList,
      rmail::engine::FuzzRecords,  rmail::engine::FuzzLogRecords,
  };
  static_assert(std::size(kReaders) == rmail::engine::kFuzzReaders);
  if (size == 0) return 0;
  kReaders[data[0] % std::size(kReaders)](
      std::string_view(reinterpret_cast<const char*>(data) + 1, size - 1));
  return 0;
}

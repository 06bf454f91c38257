#include "store/service/section_reader.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "rmail/store/v1/message.pb.h"
#include "store/base/env.h"
#include "store/engine/file_name.h"
#include "store/engine/group_commit.h"
#include "store/engine/mailbox.h"
#include "store/engine/test_folder.h"
#include "store/mime/decode.h"
#include "store/mime/sample_messages.h"

namespace rmail::service {
namespace {

using store::v1::SectionSpec;

class SectionReaderTest : public testing::Test {
 protected:
  SectionReaderTest() { std::filesystem::create_directories(mailbox_->directory()); }

  // The message that sections are read of from now on.
  void Use(const std::string& text) {
    engine::MessageInfo info;
    info.internal_date = 1;
    info.size = text.size();
    const auto appended = mailbox_->Append(folder_.Write("upload", text), info, {});
    ASSERT_TRUE(appended.ok()) << appended.status();
    info.uid = appended->uid;
    reader_.Select(info);
  }

  static SectionSpec Decoded(const std::vector<uint32_t>& part, uint64_t offset = 0,
                             uint64_t length = 0) {
    SectionSpec spec;
    spec.mutable_part()->Assign(part.begin(), part.end());
    spec.set_decoded(true);
    spec.set_offset(offset);
    spec.set_length(length);
    return spec;
  }

  std::string Read(const SectionSpec& spec, uint64_t piece = 1 << 20) {
    absl::StatusOr<SectionReader> section = SectionReader::Open(reader_, spec);
    EXPECT_TRUE(section.ok()) << section.status();
    if (section->missing()) return "(missing)";
    if (section->unknown_encoding()) return "(unknown)";
    std::string all;
    while (!section->done()) {
      EXPECT_EQ(section->position(), all.size());
      const absl::StatusOr<std::string> next = section->Next(piece);
      EXPECT_TRUE(next.ok()) << next.status();
      if (!next.ok()) return "(error)";
      EXPECT_FALSE(next->empty());
      EXPECT_LE(next->size(), piece);
      all += *next;
    }
    EXPECT_EQ(section->total(), all.size());
    return all;
  }

  engine::TestFolder folder_;
  engine::GroupCommit commits_{Env::Posix(), folder_.path(), engine::SyncMode::kFsync};
  std::shared_ptr<engine::Mailbox> mailbox_ = std::make_shared<engine::Mailbox>(
      engine::MailboxContext{.env = Env::Posix(), .commits = &commits_}, folder_.Path("box"),
      [](uint64_t) {});
  MessageReader reader_{Env::Posix(), mailbox_};
};

constexpr char kMixed[] =
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\nContent-Transfer-Encoding: BASE64\r\n\r\naGVsbG8gd29ybGQ=\r\n"
    "--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=41=\r\nb=00c\r\n"
    "--b\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nM\r\n"
    "--b\r\n\r\nplain =41\r\n"
    "--b--\r\n";

TEST_F(SectionReaderTest, UndoesTheEncoding) {
  Use(kMixed);
  for (const uint64_t piece : {1, 4, 1000}) {
    EXPECT_EQ(Read(Decoded({1}), piece), "hello world");
    EXPECT_EQ(Read(Decoded({2}), piece), std::string("Ab\0c", 4));
    EXPECT_EQ(Read(Decoded({4}), piece), "plain =41");
  }
  EXPECT_EQ(Read(Decoded({3})), "(unknown)");
  EXPECT_EQ(Read(Decoded({5})), "(missing)");
  SectionSpec raw;
  raw.add_part(1);
  EXPECT_EQ(Read(raw), "aGVsbG8gd29ybGQ=");
}

TEST_F(SectionReaderTest, OffsetAndLengthCountDecodedOctets) {
  Use(kMixed);
  EXPECT_EQ(Read(Decoded({1}, 6)), "world");
  EXPECT_EQ(Read(Decoded({1}, 6, 2)), "wo");
  EXPECT_EQ(Read(Decoded({1}, 6, 100)), "world");
  EXPECT_EQ(Read(Decoded({1}, 11)), "");
  EXPECT_EQ(Read(Decoded({1}, 1000, 5)), "");
  EXPECT_EQ(Read(Decoded({1}, 1, UINT64_MAX)), "ello world");
  EXPECT_EQ(Read(Decoded({4}, 6, 1)), "=");
}

// RFC 3516, 4.2: a multipart, or the message, has nothing to undo.
TEST_F(SectionReaderTest, LeavesOthersAsTheyAre) {
  Use(kMixed);
  EXPECT_EQ(Read(Decoded({})), kMixed);
  const std::string plain = "Content-Transfer-Encoding: base64\r\n\r\nYQ==\r\n";
  Use(plain);
  EXPECT_EQ(Read(Decoded({})), plain);
  EXPECT_EQ(Read(Decoded({1})), "a");
  SectionSpec header = Decoded({});
  header.set_kind(SectionSpec::KIND_TEXT);
  EXPECT_EQ(Read(header), "YQ==\r\n");
}

TEST_F(SectionReaderTest, ALargePartIsDecodedInPieces) {
  const std::string message = mime::LargeMessage(3 << 20);
  Use(message);
  SectionSpec raw;
  raw.add_part(2);
  const std::string wanted = mime::DecodeContent(Read(raw), "base64");
  ASSERT_GT(wanted.size(), size_t{2} << 20);
  EXPECT_EQ(Read(Decoded({2}), 100'000), wanted);
  EXPECT_EQ(Read(Decoded({2}, 1'000'000, 300'001), 7'000), wanted.substr(1'000'000, 300'001));
}

}  // namespace
}  // namespace rmail::service

// Arguments of the commands that read and change messages.
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_MESSAGE_ARGUMENTS_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_MESSAGE_ARGUMENTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gateway/imap/syntax/flag_list.h"
#include "gateway/imap/syntax/sequence_set.h"

namespace rmail::gateway::imap {

// A section of a message: BODY[...].
struct Section {
  enum class Kind { kAll, kHeader, kHeaderFields, kHeaderFieldsNot, kText, kMime };
  std::vector<uint32_t> part;
  Kind kind = Kind::kAll;
  std::vector<std::string> fields;
  bool operator==(const Section&) const = default;
};

// <offset.length>; length is never 0.
struct Partial {
  uint64_t offset = 0;
  uint64_t length = 0;
  bool operator==(const Partial&) const = default;
};

struct FetchItem {
  enum class Kind {
    kFlags,
    kUid,
    kInternalDate,
    kSize,
    kEnvelope,
    // BODY without a section: BODYSTRUCTURE without extension data.
    kBody,
    kBodyStructure,
    kRfc822,
    kRfc822Header,
    kRfc822Text,
    // RFC 8514.
    kSaveDate,
    // RFC 8474.
    kEmailId,
    kThreadId,
    // RFC 8970; the text is always at hand, so LAZY makes no difference.
    kPreview,
    // RFC 7162.
    kModseq,
    // BODY[...].
    kSection,
    // RFC 3516: the section is a part and nothing else.
    kBinary,
    kBinarySize,
  };
  Kind kind = Kind::kFlags;
  // For kSection and kBinary.
  bool peek = false;
  // For those and kBinarySize.
  Section section;
  // For kSection and kBinary.
  std::optional<Partial> partial;
  bool operator==(const FetchItem&) const = default;
};

struct FetchArguments {
  SequenceSet set;
  // Macros (ALL, FAST, FULL) are expanded.
  std::vector<FetchItem> items;
  // RFC 7162: only messages whose modseq is above it.
  std::optional<uint64_t> changed_since;
  // Tell what has vanished since then; never without it.
  bool vanished = false;
  // RFC 9394: only some of the messages.
  std::optional<PartialRange> partial;
  bool operator==(const FetchArguments&) const = default;
};

struct StoreArguments {
  enum class Operation { kReplace, kAdd, kRemove };
  SequenceSet set;
  // RFC 7162: only messages whose modseq is not above it.
  std::optional<uint64_t> unchanged_since;
  Operation operation = Operation::kReplace;
  bool silent = false;
  FlagList flags;
  bool operator==(const StoreArguments&) const = default;
};

// UID EXPUNGE (RFC 4315).
struct UidExpungeArguments {
  SequenceSet set;
  bool operator==(const UidExpungeArguments&) const = default;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_MESSAGE_ARGUMENTS_H_

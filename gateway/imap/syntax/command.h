// Commands as typed values: what the parser makes and the command handlers take.
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_COMMAND_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_COMMAND_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "gateway/imap/syntax/sequence_set.h"

namespace rmail::gateway::imap {

// Flags as clients send them. Bits of `system` are those of store.v1.MessageFlags.
struct FlagList {
  uint64_t system = 0;
  std::vector<std::string> keywords;
  bool operator==(const FlagList&) const = default;
};

struct NoArguments {
  bool operator==(const NoArguments&) const = default;
};

struct AuthenticateArguments {
  // In upper case.
  std::string mechanism;
  // SASL-IR (RFC 4959), still in base64; "=" stands for an empty one.
  std::optional<std::string> initial_response;
  bool operator==(const AuthenticateArguments&) const = default;
};

struct LoginArguments {
  std::string user;
  std::string password;
  bool operator==(const LoginArguments&) const = default;
};

// ID (RFC 2971); empty for NIL.
struct IdArguments {
  std::vector<std::pair<std::string, std::optional<std::string>>> fields;
  bool operator==(const IdArguments&) const = default;
};

struct EnableArguments {
  // In upper case.
  std::vector<std::string> capabilities;
  bool operator==(const EnableArguments&) const = default;
};

// CREATE, SELECT, EXAMINE. Names are UTF-8.
struct MailboxArguments {
  std::string mailbox;
  bool operator==(const MailboxArguments&) const = default;
};

enum class StatusItem { kMessages, kRecent, kUidNext, kUidValidity, kUnseen, kSize };

struct StatusArguments {
  std::string mailbox;
  std::vector<StatusItem> items;
  bool operator==(const StatusArguments&) const = default;
};

// LIST and LSUB, LIST with the options of RFC 5258, RFC 5819 and RFC 6154.
struct ListArguments {
  // Whether a form of RFC 5258 was used.
  bool extended = false;
  bool select_subscribed = false;
  bool select_remote = false;
  bool select_recursive_match = false;
  bool select_special_use = false;
  std::string reference;
  // At least one; with '%' and '*'.
  std::vector<std::string> patterns;
  bool return_subscribed = false;
  bool return_children = false;
  bool return_special_use = false;
  std::vector<StatusItem> return_status;
  bool operator==(const ListArguments&) const = default;
};

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
    kSection,
  };
  Kind kind = Kind::kFlags;
  // The rest is for kSection only.
  bool peek = false;
  Section section;
  std::optional<Partial> partial;
  bool operator==(const FetchItem&) const = default;
};

struct FetchArguments {
  SequenceSet set;
  // Macros (ALL, FAST, FULL) are expanded.
  std::vector<FetchItem> items;
  bool operator==(const FetchArguments&) const = default;
};

struct StoreArguments {
  enum class Operation { kReplace, kAdd, kRemove };
  SequenceSet set;
  Operation operation = Operation::kReplace;
  bool silent = false;
  FlagList flags;
  bool operator==(const StoreArguments&) const = default;
};

// A search key (RFC 9051, 6.4.4, and RFC 3501's NEW, OLD and RECENT). FROM, TO, CC, BCC and SUBJECT
// are kHeader.
struct SearchKey {
  enum class Kind {
    kAll,
    // All of `children`.
    kAnd,
    // One of the two `children`.
    kOr,
    // Not the one of `children`.
    kNot,
    kSequence,
    kUid,
    // The system flag `number` (a bit of store.v1.MessageFlags) is set, or is not.
    kFlag,
    kNoFlag,
    // The keyword `text` is set, or is not.
    kKeyword,
    kNoKeyword,
    // INTERNALDATE or the Date field against `number`, days since 1970.
    kBefore,
    kOn,
    kSince,
    kSentBefore,
    kSentOn,
    kSentSince,
    // Size against `number`.
    kLarger,
    kSmaller,
    // Field `field` contains `text`.
    kHeader,
    kBody,
    kText,
    kNew,
    kOld,
    kRecent,
  };
  Kind kind = Kind::kAll;
  int64_t number = 0;
  std::string field;
  std::string text;
  SequenceSet set;
  std::vector<SearchKey> children;
  bool operator==(const SearchKey&) const = default;
};

struct SearchArguments {
  // As given, in upper case; empty when it was not.
  std::string charset;
  // All of them must match; at least one.
  std::vector<SearchKey> keys;
  bool operator==(const SearchArguments&) const = default;
};

// UID EXPUNGE (RFC 4315).
struct UidExpungeArguments {
  SequenceSet set;
  bool operator==(const UidExpungeArguments&) const = default;
};

// APPEND up to the message, whose octets the parser never sees.
struct AppendArguments {
  std::string mailbox;
  FlagList flags;
  // Microseconds since 1970.
  std::optional<int64_t> internal_date;
  uint64_t size = 0;
  // The client waits for a continuation.
  bool synchronizing = true;
  bool operator==(const AppendArguments&) const = default;
};

using Arguments =
    std::variant<NoArguments, AuthenticateArguments, LoginArguments, IdArguments, EnableArguments,
                 MailboxArguments, StatusArguments, ListArguments, FetchArguments, StoreArguments,
                 SearchArguments, UidExpungeArguments, AppendArguments>;

struct Command {
  std::string tag;
  // In upper case, without "UID".
  std::string name;
  // The UID form.
  bool uid = false;
  Arguments arguments;
  bool operator==(const Command&) const = default;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_COMMAND_H_

// Arguments of the commands that look for messages.
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_SEARCH_ARGUMENTS_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_SEARCH_ARGUMENTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gateway/imap/syntax/sequence_set.h"

namespace rmail::gateway::imap {

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
    // The day it came into the mailbox against `number`, days since 1970 (RFC 8514).
    kSavedBefore,
    kSavedOn,
    kSavedSince,
    kSaveDateSupported,
    // INTERNALDATE against the moment `number` seconds ago (RFC 5032).
    kOlder,
    kYounger,
    // Size against `number`.
    kLarger,
    kSmaller,
    // Modseq of at least `number`; `field` and `text` are the entry's name and type, empty when not
    // given (RFC 7162).
    kModseq,
    // The id `text` (RFC 8474).
    kEmailId,
    kThreadId,
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

// What follows RETURN (RFC 4731, RFC 5182, RFC 5267, RFC 9394). "RETURN ()" is ALL.
struct SearchReturn {
  bool min = false;
  bool max = false;
  // Not together with `partial`.
  bool all = false;
  bool count = false;
  bool save = false;
  bool context = false;
  bool update = false;
  std::optional<PartialRange> partial;
  bool operator==(const SearchReturn&) const = default;
};

struct SearchArguments {
  // nullopt without RETURN.
  std::optional<SearchReturn> returns;
  // As given, in upper case; empty when it was not.
  std::string charset;
  // All of them must match; at least one.
  std::vector<SearchKey> keys;
  bool operator==(const SearchArguments&) const = default;
};

// A sort key of RFC 5256, 3 or RFC 5957.
struct SortKey {
  enum class Kind {
    kArrival,
    kCc,
    kDate,
    kDisplayFrom,
    kDisplayTo,
    kFrom,
    kSize,
    kSubject,
    kTo,
  };
  Kind kind = Kind::kArrival;
  bool reverse = false;
  bool operator==(const SortKey&) const = default;
};

struct SortArguments {
  SearchArguments search;
  // At least one.
  std::vector<SortKey> keys;
  bool operator==(const SortArguments&) const = default;
};

struct ThreadArguments {
  enum class Algorithm { kOrderedSubject, kReferences, kRefs };
  Algorithm algorithm = Algorithm::kOrderedSubject;
  // Without RETURN.
  SearchArguments search;
  bool operator==(const ThreadArguments&) const = default;
};

// CANCELUPDATE (RFC 5267).
struct CancelUpdateArguments {
  // At least one.
  std::vector<std::string> tags;
  bool operator==(const CancelUpdateArguments&) const = default;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_SEARCH_ARGUMENTS_H_

// Arguments of the commands that look for messages.
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_SEARCH_ARGUMENTS_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_SEARCH_ARGUMENTS_H_

#include <cstdint>
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

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_SEARCH_ARGUMENTS_H_

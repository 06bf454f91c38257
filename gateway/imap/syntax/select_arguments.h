// Arguments of SELECT and EXAMINE, and the modifiers of RFC 7162.
#ifndef RMAIL_GATEWAY_IMAP_SYNTAX_SELECT_ARGUMENTS_H_
#define RMAIL_GATEWAY_IMAP_SYNTAX_SELECT_ARGUMENTS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "gateway/imap/syntax/sequence_set.h"

namespace rmail::gateway::imap {

// QRESYNC (RFC 7162, 3.2.5): what the client knows of the mailbox. The sets have no '*'.
struct QresyncParameter {
  uint32_t uid_validity = 0;
  uint64_t modseq = 0;
  // UIDs that the client knows; unset: all up to the highest.
  std::optional<SequenceSet> known_uids;
  // Some sequence numbers and their UIDs as the client knows them, ascending, as many of one as of
  // the other.
  SequenceSet match_numbers;
  SequenceSet match_uids;
  bool operator==(const QresyncParameter&) const = default;
};

struct SelectArguments {
  std::string mailbox;
  bool condstore = false;
  std::optional<QresyncParameter> qresync;
  bool operator==(const SelectArguments&) const = default;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SYNTAX_SELECT_ARGUMENTS_H_

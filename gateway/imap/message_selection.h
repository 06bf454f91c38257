// Some of the messages that a command names. Pure.
#ifndef RMAIL_GATEWAY_IMAP_MESSAGE_SELECTION_H_
#define RMAIL_GATEWAY_IMAP_MESSAGE_SELECTION_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "gateway/imap/selected_mailbox.h"
#include "gateway/imap/syntax/sequence_set.h"

namespace rmail::gateway::imap {

// How many messages.
size_t Count(const std::vector<IndexRange>& messages);

// Those whose modseq is above it; the mailbox tracks modseqs.
std::vector<IndexRange> ChangedSince(const SelectedMailbox& mailbox,
                                     const std::vector<IndexRange>& messages, uint64_t modseq);

// Those at some places, in the order of the ranges (RFC 9394).
std::vector<IndexRange> Part(const std::vector<IndexRange>& messages, const PartialRange& part);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_MESSAGE_SELECTION_H_

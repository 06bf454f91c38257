// Makes large mailboxes quickly: message files are put where the store keeps them, and the store
// makes the index from their names.
#ifndef RMAIL_TOOLS_BENCH_MAILBOX_WRITER_H_
#define RMAIL_TOOLS_BENCH_MAILBOX_WRITER_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "store/base/env.h"
#include "store/engine/mailbox.h"

namespace rmail::bench {

struct MailboxPlan {
  uint32_t messages = 0;
  // Octets of each message, of which only a few are files and the rest hard links to them; 0: each
  // is a file of its own, CorpusMessage(UID).
  uint64_t size = 0;
};

// Told now and then how many messages are done.
using Progress = std::function<void(uint32_t done)>;

// Fills an empty mailbox with UIDs 1 to plan.messages: dates a minute apart, three of four \Seen.
// No process of the store has it open but through `mailbox`. Nothing is synced. The index is made,
// and for a corpus also the records beside the messages.
absl::Status FillMailbox(Env* env, engine::Mailbox& mailbox, const MailboxPlan& plan,
                         const Progress& progress);

}  // namespace rmail::bench

#endif  // RMAIL_TOOLS_BENCH_MAILBOX_WRITER_H_

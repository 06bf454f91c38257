// A change of flags in steps of bounded size.
#ifndef RMAIL_GATEWAY_IMAP_FLAG_UPDATE_H_
#define RMAIL_GATEWAY_IMAP_FLAG_UPDATE_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "gateway/imap/selected_mailbox.h"
#include "rmail/store/v1/message.pb.h"

namespace rmail::gateway::imap {

// Splits one UpdateFlags call, whose answer has an entry a message, into calls whose answers stay
// small.
class FlagUpdate {
 public:
  static constexpr size_t kStep = 16 * 1024;

  // `request` without mailbox and UIDs; the mailbox outlives the update.
  FlagUpdate(store::v1::UpdateFlagsRequest request, const SelectedMailbox& mailbox,
             std::vector<IndexRange> messages);

  // The next call; nullopt at the end.
  std::optional<store::v1::UpdateFlagsRequest> Next();

 private:
  store::v1::UpdateFlagsRequest request_;
  const SelectedMailbox& mailbox_;
  std::vector<IndexRange> messages_;
  size_t next_ = 0;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_FLAG_UPDATE_H_

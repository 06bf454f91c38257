// The answers of FetchMessages.
#ifndef RMAIL_STORE_SERVICE_FETCH_H_
#define RMAIL_STORE_SERVICE_FETCH_H_

#include <memory>

#include "rmail/store/v1/message.pb.h"
#include "store/base/env.h"
#include "store/engine/mailbox.h"
#include "store/service/reactors.h"

namespace rmail::service {

// The messages of `rows` in batches of about 256 KiB. A message that is expunged meanwhile is left
// out.
Producer<store::v1::FetchMessagesResponse> NewFetch(Env* env,
                                                    std::shared_ptr<engine::Mailbox> mailbox,
                                                    engine::RowCursor rows,
                                                    store::v1::FetchMessagesRequest request);

}  // namespace rmail::service

#endif  // RMAIL_STORE_SERVICE_FETCH_H_

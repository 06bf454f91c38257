// What AppendMessage and DeliverMessage do with what they are sent.
#ifndef RMAIL_STORE_SERVICE_UPLOADS_H_
#define RMAIL_STORE_SERVICE_UPLOADS_H_

#include <memory>

#include "rmail/store/v1/message.pb.h"
#include "store/service/reactors.h"
#include "store/service/services.h"

namespace rmail::service {

// `call` outlives the receiver.
std::unique_ptr<Receiver<store::v1::AppendMessageRequest, store::v1::AppendMessageResponse>>
NewAppendReceiver(ServiceContext context, const grpc::CallbackServerContext* call);

std::unique_ptr<Receiver<store::v1::DeliverMessageRequest, store::v1::DeliverMessageResponse>>
NewDeliverReceiver(ServiceContext context, const grpc::CallbackServerContext* call);

}  // namespace rmail::service

#endif  // RMAIL_STORE_SERVICE_UPLOADS_H_

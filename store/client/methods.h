// The contract's calls, listed once: StoreClient declares and implements one overload for each. A
// request's type names its call, so `Call(options, GetMailboxRequest)` answers with a
// GetMailboxResponse.
#ifndef RMAIL_STORE_CLIENT_METHODS_H_
#define RMAIL_STORE_CLIENT_METHODS_H_

#include "rmail/store/v1/admin.pb.h"
#include "rmail/store/v1/auth.pb.h"
#include "rmail/store/v1/directory.pb.h"
#include "rmail/store/v1/limit.pb.h"
#include "rmail/store/v1/mailbox.pb.h"
#include "rmail/store/v1/message.pb.h"
#include "rmail/store/v1/metadata.pb.h"
#include "rmail/store/v1/queue.pb.h"
#include "rmail/store/v1/quota.pb.h"

// X(service, method)
#define RMAIL_STORE_UNARY_METHODS(X)    \
  X(MailboxService, CreateMailbox)      \
  X(MailboxService, GetMailbox)         \
  X(MailboxService, ListMailboxes)      \
  X(MailboxService, RenameMailbox)      \
  X(MailboxService, DeleteMailbox)      \
  X(MailboxService, SetSubscription)    \
  X(MessageService, UpdateFlags)        \
  X(MessageService, CopyMessages)       \
  X(MessageService, MoveMessages)       \
  X(MessageService, ExpungeMessages)    \
  X(DirectoryService, CreateAccount)    \
  X(DirectoryService, GetAccount)       \
  X(DirectoryService, ListAccounts)     \
  X(DirectoryService, UpdateAccount)    \
  X(DirectoryService, DeleteAccount)    \
  X(DirectoryService, ResolveRecipient) \
  X(DirectoryService, ListAliases)      \
  X(DirectoryService, SetAlias)         \
  X(DirectoryService, DeleteAlias)      \
  X(QuotaService, GetQuota)             \
  X(QuotaService, UpdateQuota)          \
  X(AuthService, Authenticate)          \
  X(AuthService, GetScramParameters)    \
  X(AuthService, AuthenticateScram)     \
  X(MetadataService, GetMetadata)       \
  X(MetadataService, SetMetadata)       \
  X(QueueService, LeaseMessages)        \
  X(QueueService, RenewLease)           \
  X(QueueService, ReportDelivery)       \
  X(QueueService, GetQueuedMessage)     \
  X(QueueService, RetryMessages)        \
  X(QueueService, HoldMessages)         \
  X(QueueService, DeleteMessages)       \
  X(LimitService, CountEvents)

#define RMAIL_STORE_READ_METHODS(X)  \
  X(MessageService, SyncMailbox)     \
  X(MessageService, FetchMessages)   \
  X(MessageService, SearchMessages)  \
  X(MessageService, SortMessages)    \
  X(MessageService, ThreadMessages)  \
  X(QueueService, ReadQueuedMessage) \
  X(QueueService, ListQueue)         \
  X(AdminService, ListShards)        \
  X(AdminService, CheckMailbox)      \
  X(AdminService, RebuildMailbox)

namespace rmail::client {

template <typename Request>
struct Method;

#define RMAIL_DEFINE_METHOD(Service, Name)      \
  template <>                                   \
  struct Method<store::v1::Name##Request> {     \
    using Response = store::v1::Name##Response; \
  };
RMAIL_STORE_UNARY_METHODS(RMAIL_DEFINE_METHOD)
RMAIL_STORE_READ_METHODS(RMAIL_DEFINE_METHOD)
#undef RMAIL_DEFINE_METHOD

template <typename Request>
using ResponseTo = typename Method<Request>::Response;

}  // namespace rmail::client

#endif  // RMAIL_STORE_CLIENT_METHODS_H_

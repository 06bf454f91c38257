#include <string>

#include "rmail/store/v1/mailbox.grpc.pb.h"
#include "store/base/error.h"
#include "store/base/logging.h"
#include "store/base/status.h"
#include "store/service/mailbox_view.h"
#include "store/service/reactors.h"
#include "store/service/services.h"

namespace rmail::service {
namespace {

namespace pb = ::rmail::store::v1;

class MailboxServicer : public pb::MailboxService::CallbackService {
 public:
  explicit MailboxServicer(ServiceContext context) : context_(context) {}

  grpc::ServerUnaryReactor* CreateMailbox(grpc::CallbackServerContext* call,
                                          const pb::CreateMailboxRequest* request,
                                          pb::CreateMailboxResponse* response) override {
    return RunUnary(context_.pool, call, [this, call, request, response]() -> absl::Status {
      RMAIL_ASSIGN_OR_RETURN(const AccountResource resource,
                             context_.authorizer.Resource(*call, request->parent()));
      RMAIL_ASSIGN_OR_RETURN(const std::string id, resource.account->CreateMailbox(
                                                       request->path(), request->special_use()));
      return FillMailboxWithCounts(*resource.account, id, response->mutable_mailbox());
    });
  }

  grpc::ServerUnaryReactor* GetMailbox(grpc::CallbackServerContext* call,
                                       const pb::GetMailboxRequest* request,
                                       pb::GetMailboxResponse* response) override {
    return RunUnary(context_.pool, call, [this, call, request, response]() -> absl::Status {
      const std::string& name = request->has_path() ? request->path().parent() : request->name();
      RMAIL_ASSIGN_OR_RETURN(AccountResource resource, context_.authorizer.Resource(*call, name));
      if (request->has_path()) {
        RMAIL_ASSIGN_OR_RETURN(resource.mailbox_id,
                               FindByPath(*resource.account, request->path().path()));
      }
      return FillMailboxWithCounts(*resource.account, resource.mailbox_id,
                                   response->mutable_mailbox());
    });
  }

  grpc::ServerUnaryReactor* RenameMailbox(grpc::CallbackServerContext* call,
                                          const pb::RenameMailboxRequest* request,
                                          pb::RenameMailboxResponse* response) override {
    return RunUnary(context_.pool, call, [this, call, request, response]() -> absl::Status {
      RMAIL_ASSIGN_OR_RETURN(const AccountResource resource,
                             context_.authorizer.Resource(*call, request->name()));
      RMAIL_ASSIGN_OR_RETURN(const std::string id,
                             resource.account->RenameMailbox(resource.mailbox_id, request->path()));
      return FillMailboxWithCounts(*resource.account, id, response->mutable_mailbox());
    });
  }

  grpc::ServerUnaryReactor* DeleteMailbox(grpc::CallbackServerContext* call,
                                          const pb::DeleteMailboxRequest* request,
                                          pb::DeleteMailboxResponse*) override {
    return RunUnary(context_.pool, call, [this, call, request]() -> absl::Status {
      RMAIL_ASSIGN_OR_RETURN(const AccountResource resource,
                             context_.authorizer.Resource(*call, request->name()));
      return resource.account->DeleteMailbox(resource.mailbox_id, request->with_children());
    });
  }

  grpc::ServerUnaryReactor* SetSubscription(grpc::CallbackServerContext* call,
                                            const pb::SetSubscriptionRequest* request,
                                            pb::SetSubscriptionResponse*) override {
    return RunUnary(context_.pool, call, [this, call, request]() -> absl::Status {
      const std::string& name = request->has_path() ? request->path().parent() : request->name();
      RMAIL_ASSIGN_OR_RETURN(const AccountResource resource,
                             context_.authorizer.Resource(*call, name));
      if (request->has_path()) {
        return resource.account->SetPathSubscription(request->path().path(), request->subscribed());
      }
      return resource.account->SetSubscription(resource.mailbox_id, request->subscribed());
    });
  }

  grpc::ServerUnaryReactor* ListMailboxes(grpc::CallbackServerContext* call,
                                          const pb::ListMailboxesRequest* request,
                                          pb::ListMailboxesResponse* response) override {
    return RunUnary(context_.pool, call, [this, call, request, response]() -> absl::Status {
      RMAIL_ASSIGN_OR_RETURN(const AccountResource resource,
                             context_.authorizer.Resource(*call, request->parent()));
      RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<const engine::MailboxList> list,
                             resource.account->Mailboxes());
      std::map<std::string_view, const std::string*> by_path;
      for (const auto& [id, entry] : list->mailboxes) by_path.emplace(entry.path, &id);
      const auto add = [&](const std::string& id) {
        const engine::MailboxEntry& entry = list->mailboxes.at(id);
        pb::Mailbox* const mailbox = response->add_mailboxes();
        FillMailbox(*resource.account, id, entry, mailbox);
        if (!request->with_counts()) return;
        const absl::StatusOr<engine::IndexCounts> counts = Counts(*resource.account, id);
        if (counts.ok()) {
          FillCounts(entry, *counts, mailbox->mutable_counts());
        } else {
          // One that is damaged must not hide the others.
          LogError("{}: {}", mailbox->name(), FromAbsl(counts.status().message()));
        }
      };
      if (const auto inbox = by_path.find("INBOX"); inbox != by_path.end()) {
        add(*inbox->second);
        by_path.erase(inbox);
      }
      for (const auto& [path, id] : by_path) add(*id);
      for (const std::string& path : list->subscribed_paths) response->add_subscribed_paths(path);
      return absl::OkStatus();
    });
  }

 private:
  static absl::StatusOr<engine::IndexCounts> Counts(engine::Account& account,
                                                    const std::string& id) {
    RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<engine::Mailbox> mailbox, account.OpenMailbox(id));
    return mailbox->Counts();
  }

  static absl::StatusOr<std::string> FindByPath(engine::Account& account, const std::string& path) {
    const absl::Status missing =
        Error(pb::ERROR_REASON_MAILBOX_NOT_FOUND, "no mailbox has this path");
    const absl::StatusOr<std::string> canonical = engine::CanonicalPath(path);
    // What cannot be a path is nobody's.
    if (!canonical.ok()) return missing;
    RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<const engine::MailboxList> list,
                           account.Mailboxes());
    const auto* const found = list->FindPath(*canonical);
    if (found == nullptr) return missing;
    return found->first;
  }

  const ServiceContext context_;
};

}  // namespace

std::unique_ptr<grpc::Service> NewMailboxService(ServiceContext context) {
  return std::make_unique<MailboxServicer>(context);
}

}  // namespace rmail::service

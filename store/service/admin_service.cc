#include <memory>
#include <string>
#include <utility>

#include "rmail/store/v1/admin.grpc.pb.h"
#include "store/base/status.h"
#include "store/service/reactors.h"
#include "store/service/services.h"

namespace rmail::service {
namespace {

namespace pb = ::rmail::store::v1;

constexpr size_t kMaxProblems = 1000;

class AdminServicer : public pb::AdminService::CallbackService {
 public:
  explicit AdminServicer(ServiceContext context) : context_(context) {}

  grpc::ServerUnaryReactor* CheckMailbox(grpc::CallbackServerContext* call,
                                         const pb::CheckMailboxRequest* request,
                                         pb::CheckMailboxResponse* response) override {
    return RunUnary(context_.pool, call, [this, call, request, response]() -> absl::Status {
      RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<engine::Mailbox> mailbox,
                             Open(*call, request->mailbox()));
      RMAIL_ASSIGN_OR_RETURN(engine::Mailbox::CheckResult result, mailbox->Check(kMaxProblems));
      response->set_indexed(result.indexed);
      response->set_files(result.files);
      for (std::string& problem : result.problems) response->add_problems(std::move(problem));
      return absl::OkStatus();
    });
  }

  grpc::ServerUnaryReactor* RebuildMailbox(grpc::CallbackServerContext* call,
                                           const pb::RebuildMailboxRequest* request,
                                           pb::RebuildMailboxResponse* response) override {
    return RunUnary(context_.pool, call, [this, call, request, response]() -> absl::Status {
      RMAIL_ASSIGN_OR_RETURN(const std::shared_ptr<engine::Mailbox> mailbox,
                             Open(*call, request->mailbox()));
      RMAIL_ASSIGN_OR_RETURN(const uint64_t messages, mailbox->Rebuild());
      response->set_messages(messages);
      return absl::OkStatus();
    });
  }

 private:
  absl::StatusOr<std::shared_ptr<engine::Mailbox>> Open(const grpc::CallbackServerContext& call,
                                                        const std::string& name) {
    RMAIL_ASSIGN_OR_RETURN(const AccountResource resource,
                           context_.authorizer.ResourceForAdmin(call, name));
    return resource.account->OpenMailbox(resource.mailbox_id);
  }

  const ServiceContext context_;
};

}  // namespace

std::unique_ptr<grpc::Service> NewAdminService(ServiceContext context) {
  return std::make_unique<AdminServicer>(context);
}

}  // namespace rmail::service

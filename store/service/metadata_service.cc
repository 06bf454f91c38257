#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rmail/store/v1/metadata.grpc.pb.h"
#include "store/base/status.h"
#include "store/service/reactors.h"
#include "store/service/services.h"

namespace rmail::service {
namespace {

namespace pb = ::rmail::store::v1;

class MetadataServicer : public pb::MetadataService::CallbackService {
 public:
  explicit MetadataServicer(ServiceContext context) : context_(context) {}

  grpc::ServerUnaryReactor* GetMetadata(grpc::CallbackServerContext* call,
                                        const pb::GetMetadataRequest* request,
                                        pb::GetMetadataResponse* response) override {
    return RunUnary(context_.pool, call, [this, call, request, response]() -> absl::Status {
      RMAIL_ASSIGN_OR_RETURN(const AccountResource resource,
                             context_.authorizer.Resource(*call, request->name()));
      RMAIL_ASSIGN_OR_RETURN(const engine::Annotations annotations,
                             resource.account->ReadMetadata(resource.mailbox_id));
      for (const auto& [name, value] : annotations) {
        pb::MetadataEntry* const entry = response->add_entries();
        entry->set_name(name);
        entry->set_value(value);
      }
      return absl::OkStatus();
    });
  }

  grpc::ServerUnaryReactor* SetMetadata(grpc::CallbackServerContext* call,
                                        const pb::SetMetadataRequest* request,
                                        pb::SetMetadataResponse*) override {
    return RunUnary(context_.pool, call, [this, call, request]() -> absl::Status {
      RMAIL_ASSIGN_OR_RETURN(const AccountResource resource,
                             context_.authorizer.Resource(*call, request->name()));
      std::vector<engine::MetadataChange> changes;
      for (const pb::MetadataEntry& entry : request->entries()) {
        engine::MetadataChange change{entry.name(), std::nullopt};
        if (entry.has_value()) change.value = entry.value();
        changes.push_back(std::move(change));
      }
      return resource.account->SetMetadata(resource.mailbox_id, changes);
    });
  }

 private:
  const ServiceContext context_;
};

}  // namespace

std::unique_ptr<grpc::Service> NewMetadataService(ServiceContext context) {
  return std::make_unique<MetadataServicer>(context);
}

}  // namespace rmail::service

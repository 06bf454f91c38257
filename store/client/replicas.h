// Which of several store replicas gets an account's calls.
#ifndef RMAIL_STORE_CLIENT_REPLICAS_H_
#define RMAIL_STORE_CLIENT_REPLICAS_H_

#include <grpcpp/channel.h>

#include <memory>
#include <string_view>
#include <vector>

namespace rmail::client {

// All replicas share one mail_root and each can serve each account; an account stays on one so that
// its caches are warm. Rendezvous hashing: when a replica goes, only its accounts move.
// Thread-safe; copies share the channels.
class Replicas {
 public:
  explicit Replicas(std::vector<std::shared_ptr<grpc::Channel>> channels);

  size_t size() const { return channels_.size(); }
  const std::shared_ptr<grpc::Channel>& channel(size_t i) const { return channels_[i]; }

  // The replica for `accounts/{user@domain}`, or for the resource of an account
  // (`accounts/a@b/mailboxes/1`): the first by hash that is not known to be out of reach.
  size_t Pick(std::string_view resource) const;

 private:
  std::vector<std::shared_ptr<grpc::Channel>> channels_;
};

}  // namespace rmail::client

#endif  // RMAIL_STORE_CLIENT_REPLICAS_H_

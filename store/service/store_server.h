// The store service: an engine behind gRPC.
#ifndef RMAIL_STORE_SERVICE_STORE_SERVER_H_
#define RMAIL_STORE_SERVICE_STORE_SERVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace grpc {
class Channel;
}

namespace rmail::service {

// Mutual TLS (PEM); all empty: plain.
struct StoreTls {
  std::string cert;
  std::string key;
  // Clients must have a certificate of this authority.
  std::string ca;
};

struct StoreOptions {
  // Made when it is missing.
  std::string mail_root;
  // Domains that are served although they have no account yet.
  std::vector<std::string> domains;
  // See store/base/token.h.
  std::string token_secret;
  // "127.0.0.1:9010", port 0 for any; empty: only the in-process channel.
  std::string listen;
  StoreTls tls;
  // What is to be durable is synced with the whole file system, rather than file by file.
  bool sync_file_system = false;
  // Threads that work on files: as many deliveries can wait for the disk at once.
  int workers = 64;
  // What time it is, for the queue: what is due, and which leases have run out.
  std::function<absl::Time()> now = absl::Now;
};

// Used by one thread.
class StoreServer {
 public:
  // Also offers reflection and health (grpc.health.v1).
  static absl::StatusOr<std::unique_ptr<StoreServer>> Start(StoreOptions options);
  // Drain(0).
  ~StoreServer();
  StoreServer(const StoreServer&) = delete;
  StoreServer& operator=(const StoreServer&) = delete;

  // The port that it listens on; 0 without `listen`.
  int port() const;
  // A channel to this server that crosses no network. It must not be used once Drain has been
  // called (gRPC 1.51 crashes).
  std::shared_ptr<grpc::Channel> InProcessChannel();
  // Takes no new calls, waits for those under way, then cancels what is left.
  void Drain(absl::Duration grace);

 private:
  struct Impl;
  explicit StoreServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace rmail::service

#endif  // RMAIL_STORE_SERVICE_STORE_SERVER_H_

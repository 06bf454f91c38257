// The IMAP gateway (RFC 3501): listeners and sessions over a store.
#ifndef RMAIL_GATEWAY_IMAP_IMAP_SERVER_H_
#define RMAIL_GATEWAY_IMAP_IMAP_SERVER_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/common/server.h"
#include "gateway/common/store_session.h"
#include "gateway/common/tls_context.h"
#include "gateway/imap/imap_options.h"

namespace rmail::gateway::imap {

// Thread-safe.
class ImapServer {
 public:
  // Opens the listeners. `threads`, `access` and `tls` outlive the server. `tls` null: no TLS, and
  // logins in clear.
  static absl::StatusOr<std::unique_ptr<ImapServer>> Start(IoThreads& threads, StoreAccess& access,
                                                           const TlsContext* tls,
                                                           ImapOptions options);
  // Drain(0 s).
  ~ImapServer();
  ImapServer(const ImapServer&) = delete;
  ImapServer& operator=(const ImapServer&) = delete;

  // The ports in use; imaps_port() is 0 without TLS.
  uint16_t port() const { return port_; }
  uint16_t imaps_port() const { return imaps_port_; }

  // Accepts no more, tells each session BYE once its command is done, and closes what is left after
  // `grace`.
  void Drain(absl::Duration grace);

 private:
  ImapServer(IoThreads& threads, StoreAccess& access, const TlsContext* tls, ImapOptions options);
  absl::Status Listen();

  StoreAccess& access_;
  const TlsContext* tls_;
  const ImapOptions options_;
  uint16_t port_ = 0;
  uint16_t imaps_port_ = 0;
  // Last: its sessions use all of the above until it is gone.
  Server server_;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_IMAP_SERVER_H_

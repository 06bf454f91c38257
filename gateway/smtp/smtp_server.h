// The SMTP gateway: receiving on port 25, submission on 587 and 465, LMTP.
#ifndef RMAIL_GATEWAY_SMTP_SMTP_SERVER_H_
#define RMAIL_GATEWAY_SMTP_SMTP_SERVER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/common/server.h"
#include "gateway/common/store_session.h"
#include "gateway/common/tls_context.h"
#include "gateway/smtp/message_filter.h"
#include "gateway/smtp/options.h"

namespace rmail::gateway::smtp {

// Thread-safe.
class SmtpServer {
 public:
  // Opens the listeners. `tls` null: TLS is off, there is no port 465 and AUTH is offered in the
  // clear. What is passed by reference or pointer outlives the server. `filters` are asked in their
  // order, after those that this gateway has itself.
  static absl::StatusOr<std::unique_ptr<SmtpServer>> Start(
      gateway::IoThreads& threads, gateway::StoreAccess& store, const gateway::TlsContext* tls,
      SmtpOptions options, std::vector<std::unique_ptr<MessageFilter>> filters = {});
  // Drain(0 s).
  ~SmtpServer();

  // The actual ports; 0 where there is none: smtps_port() when TLS is off, lmtp_port() by default.
  uint16_t port() const;
  uint16_t submission_port() const;
  uint16_t smtps_port() const;
  uint16_t lmtp_port() const;

  // Accepts nobody any more, ends each session with 421 between its commands, waits up to `grace`
  // for them.
  void Drain(absl::Duration grace);

 private:
  struct Impl;
  explicit SmtpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_SMTP_SERVER_H_

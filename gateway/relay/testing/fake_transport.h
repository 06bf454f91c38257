// Other servers, for tests of the relay: answers to order.
#ifndef RMAIL_GATEWAY_RELAY_TESTING_FAKE_TRANSPORT_H_
#define RMAIL_GATEWAY_RELAY_TESTING_FAKE_TRANSPORT_H_

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "gateway/relay/transport.h"
#include "store/base/mutex.h"

namespace rmail::gateway::relay {

// Every recipient is delivered, but for those with a script. Thread-safe.
class FakeTransport : public Transport {
 public:
  struct Sent {
    std::string domain;
    std::vector<std::string> recipients;
    std::string text;
    // What the relay says when it is answered.
    bool still_ours = false;
  };

  // The answers to a recipient's attempts, in turn; the last one is repeated.
  void Script(const std::string& address, std::deque<Delivered> answers);
  // Shipments to a domain get no answer until Release().
  void Hold(const std::string& domain);
  void Release();
  // Shipments to a domain throw.
  void Throw(const std::string& domain);

  std::vector<Sent> sent() const;
  // Shipments under way to a domain.
  int running(const std::string& domain) const;

  boost::asio::awaitable<std::vector<Delivered>> Send(Shipment shipment) override;
  void Stop() override;

 private:
  std::vector<Delivered> Answer(const Sent& sent, bool stopped);

  mutable Mutex mutex_;
  std::map<std::string, std::deque<Delivered>> scripts_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> held_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> throwing_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, int> running_ ABSL_GUARDED_BY(mutex_);
  std::vector<Sent> sent_ ABSL_GUARDED_BY(mutex_);
  std::vector<absl::AnyInvocable<void(bool)>> waiting_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

// "550 5.1.1 No such user", from `server`.
Delivered AnswerOf(int code, std::string enhanced, std::string text,
                   std::string server = "mx.elsewhere.test");

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_TESTING_FAKE_TRANSPORT_H_

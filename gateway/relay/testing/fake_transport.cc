#include "gateway/relay/testing/fake_transport.h"

#include <stdexcept>
#include <utility>

#include "gateway/common/await_callback.h"

namespace rmail::gateway::relay {

void FakeTransport::Script(const std::string& address, std::deque<Delivered> answers) {
  MutexLock lock(&mutex_);
  scripts_[address] = std::move(answers);
}

void FakeTransport::Hold(const std::string& domain) {
  MutexLock lock(&mutex_);
  held_.insert(domain);
}

void FakeTransport::Release() {
  std::vector<absl::AnyInvocable<void(bool)>> waiting;
  {
    MutexLock lock(&mutex_);
    held_.clear();
    waiting.swap(waiting_);
  }
  for (auto& done : waiting) done(false);
}

void FakeTransport::Throw(const std::string& domain) {
  MutexLock lock(&mutex_);
  throwing_.insert(domain);
}

void FakeTransport::Stop() {
  {
    MutexLock lock(&mutex_);
    stopped_ = true;
  }
  Release();
}

std::vector<FakeTransport::Sent> FakeTransport::sent() const {
  MutexLock lock(&mutex_);
  return sent_;
}

int FakeTransport::running(const std::string& domain) const {
  MutexLock lock(&mutex_);
  const auto found = running_.find(domain);
  return found == running_.end() ? 0 : found->second;
}

std::vector<Delivered> FakeTransport::Answer(const Sent& sent, bool stopped) {
  std::vector<Delivered> answers;
  MutexLock lock(&mutex_);
  --running_[sent.domain];
  if (throwing_.contains(sent.domain)) throw std::runtime_error("thrown to order");
  if (!stopped) sent_.push_back(sent);
  for (const std::string& address : sent.recipients) {
    std::deque<Delivered>& script = scripts_[address];
    if (stopped) {
      answers.push_back(AnswerOf(451, "4.3.2", "Stopped", ""));
    } else if (script.empty()) {
      answers.push_back(AnswerOf(250, "2.0.0", "OK"));
    } else {
      answers.push_back(script.front());
      if (script.size() > 1) script.pop_front();
    }
  }
  return answers;
}

boost::asio::awaitable<std::vector<Delivered>> FakeTransport::Send(Shipment shipment) {
  Sent sent{shipment.domain, {}, "", false};
  for (const int index : shipment.recipients) {
    sent.recipients.push_back(shipment.envelope->recipients(index).address());
  }
  const std::unique_ptr<MessageSource> source = shipment.open();
  while (true) {
    const auto piece = co_await source->Next();
    if (!piece.ok() || !piece->has_value()) break;
    sent.text += **piece;
  }
  const bool stopped = co_await AwaitCallback<bool>([&](auto done) {
    bool now = false;
    {
      MutexLock lock(&mutex_);
      ++running_[sent.domain];
      if (held_.contains(sent.domain) && !stopped_) {
        waiting_.push_back([this, done = std::move(done)](bool) mutable {
          bool over = false;
          {
            MutexLock again(&mutex_);
            over = stopped_;
          }
          done(over);
        });
        return;
      }
      now = stopped_;
    }
    done(now);
  });
  sent.still_ours = shipment.still_ours && shipment.still_ours();
  co_return Answer(sent, stopped);
}

Delivered AnswerOf(int code, std::string enhanced, std::string text, std::string server) {
  Delivered delivered;
  delivered.reply = {code, std::move(enhanced), std::move(text)};
  delivered.server = std::move(server);
  return delivered;
}

}  // namespace rmail::gateway::relay

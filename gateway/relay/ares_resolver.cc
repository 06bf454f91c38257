#include "gateway/relay/ares_resolver.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "gateway/common/await_callback.h"
#include "gateway/relay/dns_answer.h"
#include "store/base/mutex.h"
#include "store/base/status.h"

namespace rmail::gateway::relay {
namespace {

namespace asio = boost::asio;

// Of "no such record"; and of the hosts file, which may be edited.
constexpr absl::Duration kShortTime = absl::Minutes(1);

template <typename T>
using Done = std::function<void(absl::StatusOr<T>)>;

// std::function wants what can be copied.
template <typename T, typename Handler>
Done<T> Copyable(Handler handler) {
  return [shared = std::make_shared<Handler>(std::move(handler))](absl::StatusOr<T> result) {
    (*shared)(std::move(result));
  };
}

// Waits for the answers to the questions for both families.
class BothFamilies {
 public:
  explicit BothFamilies(Done<AddressAnswer> done) : done_(std::move(done)) {}

  void Add(absl::StatusOr<AddressAnswer> answer) {
    {
      MutexLock lock(&mutex_);
      (first_.has_value() ? second_ : first_) = std::move(answer);
      if (!second_.has_value()) return;
    }
    done_(Combine());
  }

 private:
  // Addresses of one family will do. "No such name" and "none of these" tell more than silence
  // about the other family, but not enough to give up for good.
  absl::StatusOr<AddressAnswer> Combine() {
    MutexLock lock(&mutex_);
    if (!first_->ok() && !second_->ok()) {
      return absl::IsNotFound(first_->status()) ? second_->status() : first_->status();
    }
    if (!first_->ok() || !second_->ok()) {
      absl::StatusOr<AddressAnswer>& good = first_->ok() ? *first_ : *second_;
      const absl::StatusOr<AddressAnswer>& bad = first_->ok() ? *second_ : *first_;
      if (good->addresses.empty() && !absl::IsNotFound(bad.status())) return bad.status();
      return std::move(good);
    }
    AddressAnswer all = *std::move(*first_);
    const AddressAnswer& more = **second_;
    // The time that a family has none for says nothing about the other's addresses.
    const bool both = !all.addresses.empty() && !more.addresses.empty();
    all.ttl = both || all.addresses.empty() == more.addresses.empty()
                  ? std::min(all.ttl, more.ttl)
                  : (all.addresses.empty() ? more.ttl : all.ttl);
    all.addresses.insert(all.addresses.end(), more.addresses.begin(), more.addresses.end());
    return all;
  }

  const Done<AddressAnswer> done_;
  Mutex mutex_;
  std::optional<absl::StatusOr<AddressAnswer>> first_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::StatusOr<AddressAnswer>> second_ ABSL_GUARDED_BY(mutex_);
};

absl::StatusOr<AddressAnswer> ToAddresses(absl::StatusOr<std::string> octets, DnsType type) {
  RMAIL_RETURN_IF_ERROR(octets.status());
  if (octets->empty()) return AddressAnswer{{}, kShortTime};
  return ParseAddressAnswer(*octets, type);
}

absl::StatusOr<MxAnswer> ToMx(absl::StatusOr<std::string> octets) {
  RMAIL_RETURN_IF_ERROR(octets.status());
  if (octets->empty()) return MxAnswer{{}, kShortTime};
  return ParseMxAnswer(*octets);
}

}  // namespace

AresResolver::AresResolver(std::shared_ptr<AresChannel> channel, bool hosts_file)
    : channel_(std::move(channel)), hosts_file_(hosts_file) {}

AresResolver::~AresResolver() { channel_->Close(); }

absl::StatusOr<std::unique_ptr<AresResolver>> AresResolver::Create(
    const asio::any_io_executor& executor, const AresOptions& options) {
  auto channel = std::make_shared<AresChannel>(executor);
  RMAIL_RETURN_IF_ERROR(channel->Open(options.servers, options.timeout));
  return std::unique_ptr<AresResolver>(new AresResolver(std::move(channel), options.hosts_file));
}

asio::awaitable<absl::StatusOr<MxAnswer>> AresResolver::LookUpMx(std::string domain) {
  const auto ask = [channel = channel_, domain = std::move(domain)](auto done) {
    channel->Query(domain, DnsType::kMx,
                   [done = Copyable<MxAnswer>(std::move(done))](
                       absl::StatusOr<std::string> octets) { done(ToMx(std::move(octets))); });
  };
  co_return co_await AwaitCallback<absl::StatusOr<MxAnswer>>(ask);
}

asio::awaitable<absl::StatusOr<AddressAnswer>> AresResolver::LookUpAddresses(std::string host) {
  if (hosts_file_) {
    std::vector<asio::ip::address> addresses = channel_->LookUpHostsFile(host);
    if (!addresses.empty()) co_return AddressAnswer{std::move(addresses), kShortTime};
  }
  const auto ask = [channel = channel_, host = std::move(host)](auto done) {
    const auto both = std::make_shared<BothFamilies>(Copyable<AddressAnswer>(std::move(done)));
    for (const DnsType type : {DnsType::kAaaa, DnsType::kA}) {
      channel->Query(host, type, [both, type](absl::StatusOr<std::string> octets) {
        both->Add(ToAddresses(std::move(octets), type));
      });
    }
  };
  co_return co_await AwaitCallback<absl::StatusOr<AddressAnswer>>(ask);
}

}  // namespace rmail::gateway::relay

#include "store/client/replicas.h"

#include <cstdint>
#include <utility>

namespace rmail::client {
namespace {

// FNV-1a: every gateway must come to the same order, whatever its process or version.
uint64_t Hash(std::string_view account, uint64_t replica) {
  uint64_t hash = 14695981039346656037u;
  const auto mix = [&hash](uint8_t byte) { hash = (hash ^ byte) * 1099511628211u; };
  for (int i = 0; i < 8; ++i) mix(static_cast<uint8_t>(replica >> (8 * i)));
  for (const char c : account) mix(static_cast<uint8_t>(c));
  // FNV's last octets reach the high bits badly: spread them.
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccdu;
  return hash ^ (hash >> 33);
}

std::string_view AccountOf(std::string_view resource) {
  const size_t first = resource.find('/');
  if (first == std::string_view::npos) return resource;
  return resource.substr(0, resource.find('/', first + 1));
}

}  // namespace

Replicas::Replicas(std::vector<std::shared_ptr<grpc::Channel>> channels)
    : channels_(std::move(channels)) {}

size_t Replicas::Pick(std::string_view resource) const {
  if (channels_.size() == 1) return 0;
  const std::string_view account = AccountOf(resource);
  size_t best = 0;
  uint64_t best_hash = 0;
  bool best_reachable = false;
  for (size_t i = 0; i < channels_.size(); ++i) {
    const bool reachable = channels_[i]->GetState(false) != GRPC_CHANNEL_TRANSIENT_FAILURE;
    const uint64_t hash = Hash(account, i);
    const bool better = reachable != best_reachable ? reachable : hash > best_hash;
    if (i == 0 || better) {
      best = i;
      best_hash = hash;
      best_reachable = reachable;
    }
  }
  return best;
}

}  // namespace rmail::client

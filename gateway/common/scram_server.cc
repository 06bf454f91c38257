#include "gateway/common/scram_server.h"

#include <openssl/rand.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "gateway/common/sasl.h"
#include "store/mime/utf8.h"

namespace rmail::gateway {
namespace {

constexpr size_t kMaxMessage = 4096;
constexpr size_t kMaxNonce = 512;
constexpr size_t kServerNonce = 18;  // octets, before base64
constexpr size_t kProofSize = 32;

// RFC 5802, 7: printable, no comma.
bool IsNonce(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNonce &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return c >= 0x21 && c <= 0x7e && c != ','; });
}

// Takes what stands before the next comma, and the comma.
std::string_view TakeField(std::string_view& rest) {
  const size_t comma = std::min(rest.find(','), rest.size());
  const std::string_view field = rest.substr(0, comma);
  rest.remove_prefix(std::min(comma + 1, rest.size()));
  return field;
}

// "r=..." without its name.
std::optional<std::string_view> Value(std::string_view field, std::string_view name) {
  if (!field.starts_with(name)) return std::nullopt;
  return field.substr(name.size());
}

}  // namespace

std::optional<std::string> DecodeSaslName(std::string_view name) {
  std::string decoded;
  while (!name.empty()) {
    if (name[0] == ',' || name[0] == '\0') return std::nullopt;
    if (name[0] != '=') {
      decoded += name[0];
      name.remove_prefix(1);
      continue;
    }
    if (name.starts_with("=2C")) {
      decoded += ',';
    } else if (name.starts_with("=3D")) {
      decoded += '=';
    } else {
      return std::nullopt;
    }
    name.remove_prefix(3);
  }
  if (!mime::IsValidUtf8(decoded)) return std::nullopt;
  return decoded;
}

ScramServer::ScramServer(Binding binding, std::string server_nonce)
    : binding_(std::move(binding)), nonce_(std::move(server_nonce)) {}

std::string ScramServer::NewNonce() {
  std::string octets(kServerNonce, '\0');
  // Without randomness there is no safe way on.
  if (RAND_bytes(reinterpret_cast<unsigned char*>(octets.data()),
                 static_cast<int>(octets.size())) != 1) {
    std::terminate();
  }
  return EncodeBase64(octets);
}

ScramServer::Result ScramServer::TakeGs2Header(std::string_view& message) {
  const std::string_view all = message;
  const std::string_view flag = TakeField(message);
  const std::string_view authzid = TakeField(message);
  binding_input_ = std::string(all.substr(0, all.size() - message.size()));
  if (!authzid.empty()) {
    const std::optional<std::string_view> name = Value(authzid, "a=");
    std::optional<std::string> decoded = name ? DecodeSaslName(*name) : std::nullopt;
    if (!decoded || decoded->empty()) return Result::kMalformed;
    authorize_as_ = *std::move(decoded);
  }
  if (const auto type = Value(flag, "p=")) {
    // RFC 5802, 6: only with the mechanism that has it.
    if (!binding_.chosen) return Result::kMalformed;
    const std::optional<std::string> data = binding_.data ? binding_.data(*type) : std::nullopt;
    if (!data) return Result::kRefused;
    binding_input_ += *data;
    return Result::kOk;
  }
  if (flag != "n" && flag != "y") return Result::kMalformed;
  if (binding_.chosen) return Result::kMalformed;
  if (flag == "y" && binding_.offered) return Result::kRefused;
  return Result::kOk;
}

ScramServer::Result ScramServer::TakeClientFirst(std::string_view message) {
  if (message.size() > kMaxMessage) return Result::kMalformed;
  const Result header = TakeGs2Header(message);
  if (header != Result::kOk) return header;
  const std::string_view bare = message;
  // "m=", in front, is an extension that must be understood: there is none.
  const std::optional<std::string_view> name = Value(TakeField(message), "n=");
  const std::optional<std::string_view> nonce = Value(TakeField(message), "r=");
  if (!name || !nonce || !IsNonce(*nonce)) return Result::kMalformed;
  std::optional<std::string> user = DecodeSaslName(*name);
  if (!user || user->empty()) return Result::kMalformed;
  user_ = *std::move(user);
  nonce_.insert(0, *nonce);
  auth_message_ = std::string(bare) + ",";
  return Result::kOk;
}

std::string ScramServer::ServerFirst(std::string_view salt, uint32_t iterations) {
  const std::string message =
      "r=" + nonce_ + ",s=" + EncodeBase64(salt) + ",i=" + std::to_string(iterations);
  auth_message_ += message + ",";
  return message;
}

ScramServer::Result ScramServer::TakeClientFinal(std::string_view message) {
  // A binding's data, a certificate's hash at most, is short too.
  if (message.size() > kMaxMessage * 2) return Result::kMalformed;
  const size_t end = message.rfind(",p=");
  if (end == std::string_view::npos) return Result::kMalformed;
  const std::string_view without_proof = message.substr(0, end);
  std::optional<std::string> proof = DecodeBase64(message.substr(end + 3));
  if (!proof || proof->size() != kProofSize) return Result::kMalformed;
  std::string_view rest = without_proof;
  const std::optional<std::string_view> binding = Value(TakeField(rest), "c=");
  const std::optional<std::string_view> nonce = Value(TakeField(rest), "r=");
  const std::optional<std::string> input = binding ? DecodeBase64(*binding) : std::nullopt;
  if (!input || !nonce) return Result::kMalformed;
  if (*input != binding_input_ || *nonce != nonce_) return Result::kRefused;
  auth_message_ += without_proof;
  proof_ = *std::move(proof);
  return Result::kOk;
}

std::string ScramServer::ServerFinal(std::string_view signature) {
  return "v=" + EncodeBase64(signature);
}

}  // namespace rmail::gateway

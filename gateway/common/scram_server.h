// The server's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677). Pure: what the
// password proves, the store knows.
#ifndef RMAIL_GATEWAY_COMMON_SCRAM_SERVER_H_
#define RMAIL_GATEWAY_COMMON_SCRAM_SERVER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace rmail::gateway {

// One exchange; its functions are called in this order, each after the last one's kOk. Not
// thread-safe.
class ScramServer {
 public:
  struct Binding {
    // The client chose the -PLUS mechanism.
    bool chosen = false;
    // The client could choose it: one that says it could not was deceived (RFC 5802, 6).
    bool offered = false;
    // The connection's data for a type of binding ("tls-exporter"); nullopt: there is none.
    std::function<std::optional<std::string>(std::string_view type)> data;
  };

  enum class Result {
    kOk,
    // Not what the standard says.
    kMalformed,
    // The channel binding is not that of this connection.
    kRefused,
  };

  ScramServer(Binding binding, std::string server_nonce);

  // A nonce that nobody can guess.
  static std::string NewNonce();

  Result TakeClientFirst(std::string_view message);
  // Whom the client wants to log in as; not empty, UTF-8, without NUL.
  const std::string& user() const { return user_; }
  // Whom it wants to act as; may be empty.
  const std::string& authorize_as() const { return authorize_as_; }

  std::string ServerFirst(std::string_view salt, uint32_t iterations);

  Result TakeClientFinal(std::string_view message);
  // What the proof is checked with.
  const std::string& auth_message() const { return auth_message_; }
  const std::string& proof() const { return proof_; }  // 32 octets

  static std::string ServerFinal(std::string_view signature);

 private:
  // Takes the GS2 header off the message's front.
  Result TakeGs2Header(std::string_view& message);

  const Binding binding_;
  std::string nonce_;  // the server's part, then both
  // What the client must repeat: the GS2 header and the binding's data.
  std::string binding_input_;
  std::string user_;
  std::string authorize_as_;
  // client-first-message-bare "," server-first-message; in the end the whole of it.
  std::string auth_message_;
  std::string proof_;
};

// "=2C" and "=3D" in a name stand for ',' and '='. nullopt: not a saslname (RFC 5802, 7).
std::optional<std::string> DecodeSaslName(std::string_view name);

}  // namespace rmail::gateway

#endif  // RMAIL_GATEWAY_COMMON_SCRAM_SERVER_H_

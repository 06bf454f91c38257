// The client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677) for tests.
#ifndef RMAIL_TESTS_SUPPORT_SCRAM_CLIENT_H_
#define RMAIL_TESTS_SUPPORT_SCRAM_CLIENT_H_

#include <string>

namespace rmail::testing {

// Messages are octets, not base64.
class ScramClient {
 public:
  // `header` is the GS2 header ("n,,"), `binding` the channel binding's data.
  ScramClient(std::string user, std::string password, std::string header = "n,,",
              std::string binding = "");

  std::string First() const;
  // "" when the server's message is none.
  std::string Final(const std::string& server_first);
  // Whether the server knows the password too.
  bool Trusts(const std::string& server_final) const;

 private:
  const std::string password_;
  const std::string header_;
  const std::string binding_;
  const std::string bare_;
  std::string server_signature_;
};

}  // namespace rmail::testing

#endif  // RMAIL_TESTS_SUPPORT_SCRAM_CLIENT_H_

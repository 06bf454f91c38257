// What fuzzing of whole sessions checks, for libFuzzer and for the deterministic test alike.
#ifndef RMAIL_GATEWAY_IMAP_SESSION_FUZZ_H_
#define RMAIL_GATEWAY_IMAP_SESSION_FUZZ_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/support/fuzz_client.h"

namespace rmail::gateway::imap {

// Plays a client to a server of its own process or another: honest commands, broken a little, with
// literals of both kinds, sent in pieces or several at once, before and after login. Aborts, and
// says what was sent, when
// - a complete command gets no tagged answer, or more than one, or another one's;
// - what the server says is no response at all, or nothing comes for long;
// - the connection ends without BYE, or stays open after it.
class SessionFuzzer : private testing::FuzzClient {
 public:
  // Of a server without TLS; `user` and `password` log in.
  SessionFuzzer(uint16_t port, std::string user, std::string password);

  // One session or a few, made from the input alone. The server keeps what they leave behind.
  void Run(std::string_view input);

  // Commands that were answered, and those with OK.
  uint64_t answered() const { return answered_; }
  uint64_t accepted() const { return accepted_; }

 private:
  void Connect();
  std::string MakeCommand();
  void Mutate(std::string& command);
  // One command at a time, answering what the server asks for.
  void Converse(const std::string& command);
  // Some that wait for nothing, all at once.
  void Pipeline();
  // The server is well.
  void CheckAlive();

  std::string Read();
  // Reads up to a continuation or the tagged answer; true for the former. With `ended`, the session
  // may end instead, see ended_.
  bool AwaitAnswer(const std::string& tag);

  const uint16_t port_;
  const std::string user_;
  const std::string password_;
  bool ended_ = false;  // with BYE
  int tags_ = 0;
  uint64_t answered_ = 0;
  uint64_t accepted_ = 0;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_SESSION_FUZZ_H_

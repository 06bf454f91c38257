// What fuzzing of whole sessions checks, for libFuzzer and for the deterministic test alike.
#ifndef RMAIL_GATEWAY_SMTP_SESSION_FUZZ_H_
#define RMAIL_GATEWAY_SMTP_SESSION_FUZZ_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/support/fuzz_client.h"

namespace rmail::gateway::smtp {

// Plays a client to a server without TLS: honest commands, broken a little, sent one at a time or
// several at once, messages by DATA and by BDAT. Aborts, and says what was sent, when
// - a command gets no reply, or more than one;
// - a reply is none: a code that does not fit its enhanced code, lines of several codes;
// - the connection ends after a reply that promises more, or stays open after 421 or 221.
class SessionFuzzer : private testing::FuzzClient {
 public:
  // What a command may be answered with depends on what the port is for.
  struct Ports {
    uint16_t receiving = 0;
    uint16_t submission = 0;
    uint16_t lmtp = 0;
  };
  // alice@example.com, "secret", may log in.
  explicit SessionFuzzer(Ports ports) : ports_(ports) {}

  // One session or a few, made from the input alone. The server keeps what they leave behind.
  void Run(std::string_view input);

  uint64_t replies() const { return replies_; }
  // Messages that were stored, for one recipient at least.
  uint64_t stored() const { return stored_; }

 private:
  void Connect();
  std::string MakeCommand();
  void Mutate(std::string& command);
  // One command at a time, answering what the server asks for.
  void Converse(const std::string& command);
  void SendMessage();
  void SendChunk();
  // Commands that wait for nothing, all at once.
  void Pipeline();

  // The code of the next reply; 0 when the session has ended.
  int ReadReply();
  // A reply for each recipient in LMTP, one else.
  void ReadFinalReplies();

  const Ports ports_;
  bool lmtp_ = false;
  // RCPTs that were accepted in this transaction.
  int recipients_ = 0;
  int last_code_ = 0;
  bool ended_ = false;
  uint64_t replies_ = 0;
  uint64_t stored_ = 0;
};

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_SESSION_FUZZ_H_

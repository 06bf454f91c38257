// For tests: a process of the store that does what it is told, one line at a time.
#ifndef RMAIL_STORE_ENGINE_MODEL_PROCESS_H_
#define RMAIL_STORE_ENGINE_MODEL_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rmail::engine {

// What a process is asked and answers: words. A word has no space and is not empty.
using Words = std::vector<std::string>;
Words SplitWords(std::string_view line);

// A child process with a TestStore on the real file system. Not thread-safe.
//
// clang-format off
// | question | answer after "ok" |
// |---|---|
// | append MAILBOX CONTENT FLAGS | UID MODSEQ |
// | together MAILBOX FLAGS CONTENT ... | UID MODSEQ |
// | replace MAILBOX UID CONTENT FLAGS | UID MODSEQ, and 1 if there was such a message, else 0 |
// | flags MAILBOX FIRST LAST OPERATION FLAGS UNCHANGED_SINCE (or -) | UID FLAGS ... / UID ... of conflicts |
// | copy or move MAILBOX FIRST LAST TARGET | UID UID ... |
// | expunge MAILBOX FIRST LAST | UID ... |
// | search MAILBOX FLAGS | UID ... that have all of them |
// | view MAILBOX | UID_NEXT MODSEQ then UID CONTENT FLAGS MODSEQ ... |
// | rebuild, checkpoint, check MAILBOX | |
// | usage | OCTETS |
// | reopen | |
// clang-format on
//
// Other answers: "error" and its text. `view` also brings a client's view up to date with what
// changed since its last one, and is an error when that is not the same.
class ModelProcess {
 public:
  // Forks: no other thread may run. `root`: the account's folder.
  explicit ModelProcess(const std::string& root);
  // Waits for its end.
  ~ModelProcess();
  ModelProcess(const ModelProcess&) = delete;
  ModelProcess& operator=(const ModelProcess&) = delete;

  void Ask(std::string_view question);
  // Empty when the process has ended.
  std::string Answer();
  std::string Call(std::string_view question) {
    Ask(question);
    return Answer();
  }
  // Can be read when there is an answer, or the process has ended.
  int answer_fd() const { return answers_; }
  // As kill -9.
  void Kill();

 private:
  pid_t pid_ = 0;
  int questions_ = -1;
  int answers_ = -1;
  std::string received_;
};

}  // namespace rmail::engine

#endif  // RMAIL_STORE_ENGINE_MODEL_PROCESS_H_

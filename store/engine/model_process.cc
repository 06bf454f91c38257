#include "store/engine/model_process.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "store/base/env.h"
#include "store/base/status.h"
#include "store/engine/test_store.h"

namespace rmail::engine {
namespace {

// A line without its end; nullopt at the end of the file. `rest`: what was read beyond it.
bool ReadLine(int fd, std::string* rest, std::string* line) {
  while (true) {
    const size_t end = rest->find('\n');
    if (end != std::string::npos) {
      *line = rest->substr(0, end);
      rest->erase(0, end + 1);
      return true;
    }
    char buffer[4096];
    const ssize_t size = read(fd, buffer, sizeof(buffer));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return false;
    rest->append(buffer, static_cast<size_t>(size));
  }
}

bool WriteLine(int fd, std::string_view text) {
  std::string line(text);
  for (char& c : line) c = c == '\n' ? '|' : c;
  line += '\n';
  std::string_view left = line;
  while (!left.empty()) {
    const ssize_t size = write(fd, left.data(), left.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return false;
    left.remove_prefix(static_cast<size_t>(size));
  }
  return true;
}

uint64_t Number(const std::string& word) { return std::strtoull(word.c_str(), nullptr, 10); }

class Server {
 public:
  explicit Server(std::string root) : root_(std::move(root)) { Reopen(); }

  std::string Answer(const Words& words) {
    const absl::StatusOr<std::string> answer = Do(words);
    if (!answer.ok()) return fmt::format("error {}", ToText(answer.status()));
    return answer->empty() ? "ok" : fmt::format("ok {}", *answer);
  }

 private:
  void Reopen() { store_ = std::make_unique<TestStore>(Env::Posix(), root_); }

  absl::StatusOr<std::string> Do(const Words& words) {
    if (words.empty()) return MakeStatus(absl::StatusCode::kInvalidArgument, "nothing asked");
    const std::string& what = words[0];
    if (what == "reopen") {
      Reopen();
      return std::string();
    }
    if (what == "usage") {
      RMAIL_ASSIGN_OR_RETURN(const uint64_t total, store_->usage().Total());
      return std::to_string(total);
    }
    Mailbox& mailbox = store_->mailbox(words.at(1)[0]);
    if (what == "append") return Append(words);
    if (what == "together") return AppendTogether(words);
    if (what == "replace") return Replace(words);
    if (what == "flags") return Flags(mailbox, words);
    if (what == "copy" || what == "move") return Transfer(mailbox, words);
    if (what == "expunge") return Expunge(mailbox, words);
    if (what == "search") return Search(mailbox, Number(words.at(2)));
    if (what == "view") return View(mailbox, words[1]);
    if (what == "check") return Check(mailbox);
    if (what == "checkpoint") {
      RMAIL_RETURN_IF_ERROR(mailbox.Checkpoint());
      return std::string();
    }
    if (what == "rebuild") {
      RMAIL_RETURN_IF_ERROR(mailbox.Rebuild().status());
      return std::string();
    }
    return MakeStatus(absl::StatusCode::kInvalidArgument, what);
  }

  static std::vector<UidSpan> Spans(const Words& words) {
    return {
        {static_cast<uint32_t>(Number(words.at(2))), static_cast<uint32_t>(Number(words.at(3)))}};
  }

  absl::StatusOr<std::string> Append(const Words& words) {
    RMAIL_ASSIGN_OR_RETURN(const auto appended,
                           store_->Append(words.at(1)[0], words.at(2), Number(words.at(3))));
    return fmt::format("{} {}", appended.uid, appended.modseq);
  }

  absl::StatusOr<std::string> AppendTogether(const Words& words) {
    const std::vector<std::string> contents(words.begin() + 3, words.end());
    RMAIL_ASSIGN_OR_RETURN(const auto appended,
                           store_->AppendAll(words.at(1)[0], contents, Number(words.at(2))));
    return fmt::format("{} {}", appended.uid, appended.modseq);
  }

  absl::StatusOr<std::string> Replace(const Words& words) {
    RMAIL_ASSIGN_OR_RETURN(const auto appended,
                           store_->AppendAll(words.at(1)[0], {words.at(3)}, Number(words.at(4)),
                                             static_cast<uint32_t>(Number(words.at(2)))));
    return fmt::format("{} {} {}", appended.uid, appended.modseq, appended.replaced ? 1 : 0);
  }

  static absl::StatusOr<std::string> Flags(Mailbox& mailbox, const Words& words) {
    Mailbox::FlagUpdate update;
    update.spans = Spans(words);
    update.operation = static_cast<FlagOperation>(Number(words.at(4)));
    update.flags = Number(words.at(5));
    if (words.at(6) != "-") update.unchanged_since = Number(words[6]);
    RMAIL_ASSIGN_OR_RETURN(const Mailbox::FlagResult result, mailbox.UpdateFlags(update));
    std::string text;
    for (const MessageRow& row : result.messages) {
      text += fmt::format("{} {} ", row.info.uid, row.info.flags);
    }
    text += "/";
    for (const uint32_t uid : result.conflicts) text += fmt::format(" {}", uid);
    return text;
  }

  absl::StatusOr<std::string> Transfer(Mailbox& source, const Words& words) {
    Mailbox::TransferOptions options;
    options.translate = [](uint64_t flags) { return flags; };
    const auto transfer = words[0] == "move" ? &Mailbox::Move : &Mailbox::Copy;
    RMAIL_ASSIGN_OR_RETURN(
        const Mailbox::TransferResult result,
        transfer(source, Spans(words), store_->mailbox(words.at(4)[0]), options));
    std::string text;
    for (size_t i = 0; i < result.source_uids.size(); ++i) {
      text += fmt::format("{}{} {}", i == 0 ? "" : " ", result.source_uids[i],
                          result.target_uids.at(i));
    }
    return text;
  }

  static absl::StatusOr<std::string> Expunge(Mailbox& mailbox, const Words& words) {
    RMAIL_ASSIGN_OR_RETURN(const Mailbox::ExpungeResult result, mailbox.Expunge(Spans(words)));
    return fmt::format("{}", fmt::join(result.uids, " "));
  }

  static absl::StatusOr<std::string> Search(Mailbox& mailbox, uint64_t flags) {
    RMAIL_ASSIGN_OR_RETURN(RowCursor cursor, mailbox.View({{1, UINT32_MAX}}));
    std::vector<uint32_t> uids;
    MessageRow row;
    while (cursor.Next(&row)) {
      if ((row.info.flags & flags) == flags) uids.push_back(row.info.uid);
    }
    return fmt::format("{}", fmt::join(uids, " "));
  }

  absl::StatusOr<std::string> View(Mailbox& mailbox, const std::string& name) {
    RMAIL_ASSIGN_OR_RETURN(const TestView view, ReadTestView(mailbox));
    TestView& client = clients_[name];
    const TestView before = client;
    RMAIL_ASSIGN_OR_RETURN(client, UpdatedTestView(mailbox, before));
    if (client != view) {
      return MakeStatus(absl::StatusCode::kInternal,
                        fmt::format("a client that knew {} believes {} instead of {}",
                                    FormatView(before), FormatView(client), FormatView(view)));
    }
    std::string text = fmt::format("{} {}", view.uid_next, view.highest_modseq);
    for (const auto& [uid, message] : view.messages) {
      text += fmt::format(" {} {} {} {}", uid, message.content, message.flags, message.modseq);
    }
    return text;
  }

  static absl::StatusOr<std::string> Check(Mailbox& mailbox) {
    RMAIL_ASSIGN_OR_RETURN(const Mailbox::CheckResult check, mailbox.Check(10));
    if (!check.problems.empty()) {
      return MakeStatus(absl::StatusCode::kInternal,
                        fmt::format("{}", fmt::join(check.problems, "; ")));
    }
    return std::string();
  }

  const std::string root_;
  std::unique_ptr<TestStore> store_;
  // As of the last `view`, by mailbox. They outlive the store.
  std::map<std::string, TestView> clients_;
};

[[noreturn]] void Serve(const std::string& root, int questions, int answers) {
  // The others' pipes: their ends must be noticed.
  for (int fd = STDERR_FILENO + 1; fd < 1024; ++fd) {
    if (fd != questions && fd != answers) close(fd);
  }
  {
    Server server(root);
    std::string rest;
    std::string line;
    while (ReadLine(questions, &rest, &line)) {
      if (!WriteLine(answers, server.Answer(SplitWords(line)))) break;
    }
  }
  _exit(0);
}

}  // namespace

Words SplitWords(std::string_view line) {
  Words words;
  for (size_t at = 0; at < line.size();) {
    const size_t end = std::min(line.find(' ', at), line.size());
    if (end > at) words.emplace_back(line.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

ModelProcess::ModelProcess(const std::string& root) {
  // Telling something to a process that was killed is no reason to end.
  signal(SIGPIPE, SIG_IGN);
  int questions[2];
  int answers[2];
  if (pipe(questions) != 0 || pipe(answers) != 0) std::abort();
  pid_ = fork();
  if (pid_ < 0) std::abort();
  if (pid_ == 0) Serve(root, questions[0], answers[1]);
  close(questions[0]);
  close(answers[1]);
  questions_ = questions[1];
  answers_ = answers[0];
}

ModelProcess::~ModelProcess() {
  close(questions_);
  close(answers_);
  waitpid(pid_, nullptr, 0);
}

void ModelProcess::Ask(std::string_view question) {
  // A process that ended is noticed when it does not answer.
  (void)WriteLine(questions_, question);
}

std::string ModelProcess::Answer() {
  std::string line;
  return ReadLine(answers_, &received_, &line) ? line : "";
}

void ModelProcess::Kill() { kill(pid_, SIGKILL); }

}  // namespace rmail::engine

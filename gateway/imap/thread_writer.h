// THREAD's answer (RFC 5256, 4).
#ifndef RMAIL_GATEWAY_IMAP_THREAD_WRITER_H_
#define RMAIL_GATEWAY_IMAP_THREAD_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rmail::gateway::imap {

// Writes threads that come as trees told from the root on, each when it is complete. Keeps 20
// octets a message of the thread under way. Not thread-safe.
class ThreadWriter {
 public:
  // "(3 6 (4 23)(44 7 96))" is appended for each thread to `out`, which outlives the writer;
  // `start` in front of the first one.
  ThreadWriter(std::string& out, std::string_view start) : out_(out), start_(start) {}

  // `number` is 0 for a message that is missing: what answers it then stands where it would stand.
  // `depth` is 0 for the root of a thread; deeper than the last one's by more than one is taken for
  // one more.
  void Add(uint32_t number, uint32_t depth);
  // Whether a thread was written.
  bool started() const { return started_; }
  // After the last thread.
  void Finish() { WriteThread(); }

 private:
  struct Node {
    uint32_t number;
    // Index of the message that it answers, or kNone.
    uint32_t parent;
    uint32_t children = 0;
  };
  static constexpr uint32_t kNone = UINT32_MAX;

  void WriteThread();

  std::string& out_;
  const std::string start_;
  bool started_ = false;
  // Of the thread under way; missing messages are not among them.
  std::vector<Node> nodes_;
  // How many of them answer no other.
  uint32_t roots_ = 0;
  // The nearest message that is there, at each depth of the place under way.
  std::vector<uint32_t> path_;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_THREAD_WRITER_H_

#include "gateway/imap/thread_writer.h"

#include <algorithm>

#include "gateway/imap/syntax/writer.h"

namespace rmail::gateway::imap {

void ThreadWriter::Add(uint32_t number, uint32_t depth) {
  if (depth == 0) WriteThread();
  path_.resize(std::min<size_t>(depth, path_.size()), kNone);
  const uint32_t parent = path_.empty() ? kNone : path_.back();
  if (number == 0) {
    path_.push_back(parent);
    return;
  }
  if (parent == kNone) {
    ++roots_;
  } else {
    ++nodes_[parent].children;
  }
  path_.push_back(static_cast<uint32_t>(nodes_.size()));
  nodes_.push_back({.number = number, .parent = parent});
}

void ThreadWriter::WriteThread() {
  if (!nodes_.empty()) {
    if (!started_) out_ += start_;
    started_ = true;
    out_ += '(';
  }
  // Messages on the way to the one under way, and whether each is in parentheses of its own.
  struct Open {
    uint32_t node;
    bool parenthesis;
  };
  std::vector<Open> open;
  for (uint32_t i = 0; i < nodes_.size(); ++i) {
    const Node& node = nodes_[i];
    while (!open.empty() && open.back().node != node.parent) {
      if (open.back().parenthesis) out_ += ')';
      open.pop_back();
    }
    // Of several that answer the same, each is a list of its own.
    const bool several = node.parent == kNone ? roots_ > 1 : nodes_[node.parent].children > 1;
    // Behind the message that it answers, unless another answer stands there.
    if (node.parent != kNone && node.parent + 1 == i) out_ += ' ';
    if (several) out_ += '(';
    AppendNumber(out_, node.number);
    open.push_back({i, several});
  }
  for (; !open.empty(); open.pop_back()) {
    if (open.back().parenthesis) out_ += ')';
  }
  if (!nodes_.empty()) out_ += ')';
  nodes_.clear();
  roots_ = 0;
  path_.clear();
}

}  // namespace rmail::gateway::imap

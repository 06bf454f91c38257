// Takes one kind of header field out of a message that passes by.
#ifndef RMAIL_GATEWAY_SMTP_SYNTAX_FIELD_COLLECTOR_H_
#define RMAIL_GATEWAY_SMTP_SYNTAX_FIELD_COLLECTOR_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rmail::gateway::smtp {

// It works on pieces cut anywhere and holds at most `limit` octets of values. Lines may end in LF:
// what others may read as a field is one here. Linear in the size of the header.
class FieldCollector {
 public:
  // `name` without colon, in any case.
  FieldCollector(std::string name, size_t limit) : name_(std::move(name)), limit_(limit) {}

  void Feed(std::string_view data);

  // What follows the colon, folding and line endings included, for each field of the name.
  const std::vector<std::string>& values() const { return values_; }
  // There was more than the limit allows.
  bool overflow() const { return overflow_; }

 private:
  enum class State {
    kName,   // at the start of a line, or in its name
    kValue,  // in the value of a field of the name, or in a line that continues it
    kSkip,   // in a line of another field
    kBody,   // the header has ended
  };
  // A line or a piece of one; an LF only at its end.
  void Take(std::string_view piece);
  void TakeName(std::string_view piece);
  void AddToName(std::string_view piece);
  void TakeValue(std::string_view piece);

  const std::string name_;
  const size_t limit_;
  State state_ = State::kName;
  // The line's start, while its name is not complete; without blanks behind `name_`.
  std::string line_;
  // The field that a folded line continues is one of the name.
  bool collecting_ = false;
  bool overflow_ = false;
  size_t size_ = 0;
  std::vector<std::string> values_;
};

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_SYNTAX_FIELD_COLLECTOR_H_

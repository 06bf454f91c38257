// The octets between DATA's 354 and the end of data (RFC 5321, 4.5.2).
#ifndef RMAIL_GATEWAY_SMTP_SYNTAX_DOT_READER_H_
#define RMAIL_GATEWAY_SMTP_SYNTAX_DOT_READER_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace rmail::gateway::smtp {

// Finds the end of data and takes off the dots that the client has stuffed. It works on pieces cut
// anywhere and holds at most two octets back.
//
// Only CRLF is a line ending: "\n.\n", "\n.\r\n", "\r.\r", "\r\n.\n" and "\r\n.\r" are content, so
// nothing that another server takes for content can end a message here. Bare CR and LF come out as
// they went in; MessageChecker finds them.
class DotReader {
 public:
  // Appends the content in `input` to `out` and returns how many octets of `input` belong to the
  // data: fewer than all when it ends within. Does nothing after the end.
  size_t Feed(std::string_view input, std::string& out);

  // The end of data has come.
  bool done() const { return state_ == State::kDone; }

 private:
  enum class State {
    kLineStart,  // after CRLF, or nothing has come yet
    kText,       // in a line
    kCr,         // after a CR in a line
    kDot,        // after the dot that starts a line; the dot is held back
    kDotCr,      // after ".\r" at the start of a line; both are held back
    kDone,       // after ".\r\n"
  };
  void Step(char c, std::string& out);

  State state_ = State::kLineStart;
};

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_SYNTAX_DOT_READER_H_

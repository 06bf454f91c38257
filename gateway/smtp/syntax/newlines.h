// Makes bare CR and LF line endings, for servers that are configured to take them.
#ifndef RMAIL_GATEWAY_SMTP_SYNTAX_NEWLINES_H_
#define RMAIL_GATEWAY_SMTP_SYNTAX_NEWLINES_H_

#include <string>
#include <string_view>

namespace rmail::gateway::smtp {

// For octets whose end has been found already: what it makes ends no data. It works on pieces cut
// anywhere.
class NewlineNormaliser {
 public:
  // `data` with each CR without LF and each LF without CR as CRLF. A CR at the end waits for what
  // comes next.
  std::string Feed(std::string_view data);
  // After the last piece: CRLF for a CR that waits, else nothing.
  std::string End();

 private:
  bool after_cr_ = false;
};

}  // namespace rmail::gateway::smtp

#endif  // RMAIL_GATEWAY_SMTP_SYNTAX_NEWLINES_H_

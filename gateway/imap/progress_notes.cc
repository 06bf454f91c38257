#include "gateway/imap/progress_notes.h"

#include "absl/time/time.h"
#include "gateway/imap/session.h"

namespace rmail::gateway::imap {

namespace {

constexpr std::chrono::seconds kInterval{10};

}  // namespace

ProgressNotes::ProgressNotes(Session& session, std::string_view tag)
    : session_(session),
      tag_(tag),
      due_(std::chrono::steady_clock::now() +
           absl::ToChronoNanoseconds(session.context().options.progress_delay)) {}

boost::asio::awaitable<void> ProgressNotes::NoteIfDue() {
  if (tag_.empty()) co_return;
  const auto now = std::chrono::steady_clock::now();
  if (now < due_) co_return;
  due_ = now + kInterval;
  std::string& out = session_.out().buffer();
  // How far it has come is not known. RFC 9585, 4: a tag with ']' must not stand in a response
  // code.
  const bool quotable = tag_.find(']') == std::string::npos;
  out += "* OK [INPROGRESS (";
  out += quotable ? '"' + tag_ + '"' : "NIL";
  out += " NIL NIL)] Still at it\r\n";
  co_await session_.out().Flush();
}

}  // namespace rmail::gateway::imap

// Signs of life while a command takes long (RFC 9585).
#ifndef RMAIL_GATEWAY_IMAP_PROGRESS_NOTES_H_
#define RMAIL_GATEWAY_IMAP_PROGRESS_NOTES_H_

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <string>
#include <string_view>

namespace rmail::gateway::imap {

class Session;

// Of one command, from its start on. The session outlives it.
class ProgressNotes {
 public:
  // `tag` is the command's; without one there are no notes.
  ProgressNotes(Session& session, std::string_view tag);

  // Sends a note when one is due: the first after ImapOptions::progress_delay, the next ones every
  // ten seconds, as RFC 9585, 4 recommends. Call it again and again, between untagged answers.
  boost::asio::awaitable<void> NoteIfDue();

 private:
  Session& session_;
  const std::string tag_;
  std::chrono::steady_clock::time_point due_;
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_PROGRESS_NOTES_H_

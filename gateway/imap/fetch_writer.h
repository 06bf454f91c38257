// Turns the store's answers to FetchMessages into FETCH answers as they come.
#ifndef RMAIL_GATEWAY_IMAP_FETCH_WRITER_H_
#define RMAIL_GATEWAY_IMAP_FETCH_WRITER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "gateway/imap/fetch_plan.h"
#include "gateway/imap/selected_mailbox.h"
#include "rmail/store/v1/message.pb.h"

namespace rmail::gateway::imap {

// One for each FETCH. Not thread-safe. Its memory does not grow with the messages.
class FetchWriter {
 public:
  // All outlive the writer. Flags that the store sends are noted in the mailbox. `newly_seen`,
  // ascending: UIDs that the command itself has marked as seen, whose flags are sent though they
  // were not asked for.
  FetchWriter(const FetchPlan& plan, SelectedMailbox& mailbox,
              const std::vector<uint32_t>& newly_seen, std::string& out)
      : plan_(plan), mailbox_(mailbox), newly_seen_(newly_seen), out_(out) {}

  // Takes the store's next answer. False: it contradicts the one before, and what was written can't
  // be mended.
  bool Consume(const store::v1::FetchMessagesResponse& response);

  // Ends the last message. False: it lacks octets that were announced, so the connection is of no
  // use any more.
  bool Finish();

  // How many messages were written.
  size_t messages() const { return messages_; }
  // A part's encoding could not be undone (RFC 3516, 4.3): NIL was written for it.
  bool unknown_encoding() const { return unknown_encoding_; }

 private:
  // Writes the message at `row` of the answer up to its sections.
  void Begin(const store::v1::FetchMessagesResponse& response, int row);
  // UID, FLAGS and MODSEQ.
  void AppendState(size_t index, uint64_t flags, uint64_t modseq);
  void AppendMetadata(const store::v1::FetchMessagesResponse& response, int row);
  void AppendIdentity(const store::v1::MessageDigest& digest);
  bool End();
  // The item up to the octets, if there are any.
  bool BeginSection(const store::v1::SectionData& data);
  bool AppendSectionData(const store::v1::SectionData& data);
  // A space, but for the first item of a message.
  void Separate();

  const FetchPlan& plan_;
  SelectedMailbox& mailbox_;
  const std::vector<uint32_t>& newly_seen_;
  std::string& out_;

  // The message under way; 0 when there is none.
  uint32_t uid_ = 0;
  bool first_item_ = true;
  // Octets of the literal under way that have not come yet, and where the next ones start.
  uint64_t literal_left_ = 0;
  uint64_t literal_position_ = 0;
  uint32_t literal_section_ = 0;
  bool literal8_ = false;
  size_t messages_ = 0;
  bool unknown_encoding_ = false;
};

// Replaces each NUL from `start` on: no string that is not a literal8 can carry one (RFC 9051,
// CHAR8). It becomes 0x80, which no text has that means NUL.
void ReplaceNul(std::string& text, size_t start);

// "* 3 FETCH (UID 7 FLAGS (\Seen))" without asking the store.
void AppendLocalFetch(std::string& out, const FetchPlan& plan, SelectedMailbox& mailbox,
                      size_t index);

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_FETCH_WRITER_H_

#include "gateway/relay/transaction.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "gateway/relay/dot_writer.h"
#include "gateway/relay/reply_parser.h"
#include "gateway/smtp/syntax/utf8.h"
#include "store/base/status.h"

namespace rmail::gateway::relay {
namespace {

namespace asio = boost::asio;
using smtp::Reply;
using Answer = TransactionResult::Answer;

constexpr size_t kMaxHeader = 1024 * 1024;
// How long a server that breaks off while it gets a message is given to say why.
constexpr absl::Duration kLastWords = absl::Seconds(5);

bool IsPositive(const Reply& reply) { return reply.code >= 200 && reply.code < 300; }

// The reply as an answer to a recipient.
Answer FromServer(const Reply& reply) {
  // 3yz where there is nothing to go on with.
  if (!IsPositive(reply) && !smtp::IsFailure(reply)) {
    return {{451, "4.5.0", fmt::format("Unexpected reply {}", reply.code)}, false};
  }
  return {Condensed(reply), true};
}

// Anything but 354 is one.
Answer RefusalOfData(const Reply& reply) {
  if (smtp::IsFailure(reply)) return FromServer(reply);
  return {{451, "4.5.0", fmt::format("Unexpected reply {} to DATA", reply.code)}, false};
}

class Transaction {
 public:
  Transaction(SmtpClient& client, const Mail& mail, std::string first,
              std::unique_ptr<MessageSource> source, const TransportTimeouts& timeouts)
      : client_(client),
        mail_(mail),
        piece_(std::move(first)),
        source_(std::move(source)),
        timeouts_(timeouts),
        accepted_(mail.recipients.size()) {
    result_.answers.resize(mail.recipients.size());
  }

  asio::awaitable<TransactionResult> Run();

 private:
  // Each returns false when the transaction is over.
  asio::awaitable<bool> SendPipelined();
  asio::awaitable<bool> SendInTurn();
  asio::awaitable<bool> ReadRcptReply(size_t recipient);
  asio::awaitable<bool> SendData();
  asio::awaitable<bool> SendChunks();
  asio::awaitable<bool> Next(bool& last);
  asio::awaitable<void> EndEmptyData();
  asio::awaitable<void> FinishData(absl::Status written);
  asio::awaitable<void> Reset();

  bool AnyAccepted() const;
  // The server said no (or yes) to all those that it has accepted so far.
  void AnswerAccepted(const Answer& answer);
  // The same for all without an answer.
  void AnswerRest(const Answer& answer);
  bool Lost(const absl::Status& status, std::string_view when);
  // True: the server says 421, which ends the connection (RFC 5321, 3.8).
  bool ClosedBy(const Reply& reply);

  SmtpClient& client_;
  const Mail& mail_;
  std::string piece_;
  std::unique_ptr<MessageSource> source_;  // null: piece_ is the last one
  const TransportTimeouts& timeouts_;
  std::vector<bool> accepted_;
  TransactionResult result_;
};

bool Transaction::AnyAccepted() const {
  for (const bool accepted : accepted_) {
    if (accepted) return true;
  }
  return false;
}

void Transaction::AnswerAccepted(const Answer& answer) {
  for (size_t i = 0; i < accepted_.size(); ++i) {
    if (accepted_[i]) result_.answers[i] = answer;
  }
}

void Transaction::AnswerRest(const Answer& answer) {
  for (std::optional<Answer>& slot : result_.answers) {
    if (!slot.has_value()) slot = answer;
  }
}

bool Transaction::Lost(const absl::Status& status, std::string_view when) {
  result_.lost = Answer{Broken(status, when), false};
  return false;
}

bool Transaction::ClosedBy(const Reply& reply) {
  if (reply.code != 421) return false;
  result_.lost = FromServer(reply);
  return true;
}

asio::awaitable<TransactionResult> Transaction::Run() {
  const bool quiet = co_await client_.IsQuiet();
  if (!quiet) {
    Lost(MakeStatus(absl::StatusCode::kUnavailable,
                    "the server spoke out of turn or closed the connection"),
         "before MAIL");
    co_return std::move(result_);
  }
  const bool chunks = mail_.envelope->binary();
  bool go_on = false;
  if (client_.features.pipelining) {
    go_on = co_await SendPipelined();
  } else {
    go_on = co_await SendInTurn();
  }
  if (go_on) {
    if (chunks) {
      go_on = co_await SendChunks();
    } else {
      go_on = co_await SendData();
    }
  }
  // It left something behind unless the message went through.
  if (!go_on && !result_.lost.has_value()) co_await Reset();
  if (go_on) ++client_.messages;
  co_return std::move(result_);
}

// MAIL, all RCPT and DATA in one go (RFC 2920, 3.1). They are small enough for the network's
// buffers, so no deadlock comes of not reading meanwhile.
asio::awaitable<bool> Transaction::SendPipelined() {
  const bool chunks = mail_.envelope->binary();
  std::string commands = MailCommand(mail_, client_.features);
  for (const Mail::Recipient& recipient : mail_.recipients) {
    commands += RcptCommand(mail_, recipient, client_.features);
  }
  if (!chunks) commands += "DATA\r\n";
  const absl::Status written = co_await client_.Write(commands, timeouts_.mail);
  if (!written.ok()) co_return Lost(written, "at MAIL");
  const absl::StatusOr<Reply> mail = co_await client_.ReadReply(timeouts_.mail);
  if (!mail.ok()) co_return Lost(mail.status(), "at MAIL");
  if (ClosedBy(*mail)) co_return false;
  bool read = true;
  for (size_t i = 0; read && i < mail_.recipients.size(); ++i) read = co_await ReadRcptReply(i);
  if (!IsPositive(*mail)) {
    accepted_.assign(accepted_.size(), false);
    for (std::optional<Answer>& answer : result_.answers) answer = FromServer(*mail);
  }
  if (!read || chunks) co_return read&& AnyAccepted();
  const absl::StatusOr<Reply> data = co_await client_.ReadReply(timeouts_.data);
  if (!data.ok()) co_return Lost(data.status(), "at DATA");
  if (data->code == 354) {
    if (AnyAccepted()) co_return true;
    co_await EndEmptyData();
    co_return false;
  }
  if (AnyAccepted() && ClosedBy(*data)) co_return false;
  AnswerAccepted(RefusalOfData(*data));
  co_return false;
}

asio::awaitable<bool> Transaction::SendInTurn() {
  const absl::StatusOr<Reply> mail =
      co_await client_.Command(MailCommand(mail_, client_.features), timeouts_.mail);
  if (!mail.ok()) co_return Lost(mail.status(), "at MAIL");
  if (ClosedBy(*mail)) co_return false;
  if (!IsPositive(*mail)) {
    AnswerRest(FromServer(*mail));
    co_return false;
  }
  for (size_t i = 0; i < mail_.recipients.size(); ++i) {
    const absl::Status written = co_await client_.Write(
        RcptCommand(mail_, mail_.recipients[i], client_.features), timeouts_.rcpt);
    if (!written.ok()) co_return Lost(written, "at RCPT");
    const bool read = co_await ReadRcptReply(i);
    if (!read) co_return false;
  }
  if (!AnyAccepted() || mail_.envelope->binary()) co_return AnyAccepted();
  const absl::StatusOr<Reply> data = co_await client_.Command("DATA\r\n", timeouts_.data);
  if (!data.ok()) co_return Lost(data.status(), "at DATA");
  if (data->code == 354) co_return true;
  if (ClosedBy(*data)) co_return false;
  AnswerAccepted(RefusalOfData(*data));
  co_return false;
}

asio::awaitable<bool> Transaction::ReadRcptReply(size_t recipient) {
  const absl::StatusOr<Reply> reply = co_await client_.ReadReply(timeouts_.rcpt);
  if (!reply.ok()) co_return Lost(reply.status(), "at RCPT");
  if (ClosedBy(*reply)) co_return false;
  if (IsPositive(*reply)) {
    accepted_[recipient] = true;
  } else {
    result_.answers[recipient] = FromServer(*reply);
  }
  co_return true;
}

// RFC 2920, 3.1: DATA was let through although no recipient was.
asio::awaitable<void> Transaction::EndEmptyData() {
  const absl::StatusOr<Reply> reply = co_await client_.Command(".\r\n", timeouts_.data_end);
  if (!reply.ok()) Lost(reply.status(), "after an empty message");
}

// The next piece of the message in piece_. False: the store broke off; then the message must not be
// ended.
asio::awaitable<bool> Transaction::Next(bool& last) {
  last = true;
  piece_.clear();
  if (source_ == nullptr) co_return true;
  absl::StatusOr<std::optional<std::string>> next = co_await source_->Next();
  if (!next.ok()) {
    const Answer trouble = {{451, "4.3.0", "The message cannot be read at the moment"}, false};
    AnswerAccepted(trouble);
    result_.lost = trouble;
    client_.connection().Close();
    co_return false;
  }
  if (next->has_value()) {
    last = false;
    piece_ = **std::move(next);
  }
  co_return true;
}

asio::awaitable<bool> Transaction::SendData() {
  DotWriter writer;
  std::string text;
  absl::Status written;
  for (bool last = false; written.ok();) {
    text.clear();
    writer.Feed(piece_, text);
    const bool read = co_await Next(last);
    if (!read) co_return false;
    if (last) writer.End(text);
    written = co_await client_.Write(text, timeouts_.data_block);
    if (last) break;
  }
  co_await FinishData(std::move(written));
  co_return !result_.lost.has_value();
}

// RFC 3030, 2. Each chunk's answer is waited for: a message that is BINARYMIME is rare.
asio::awaitable<bool> Transaction::SendChunks() {
  for (bool last = false; !last;) {
    std::string chunk = std::exchange(piece_, {});
    const bool read = co_await Next(last);
    if (!read) co_return false;
    std::string command = fmt::format("BDAT {}{}\r\n", chunk.size(), last ? " LAST" : "");
    absl::Status written = co_await client_.Write(command + chunk, timeouts_.data_block);
    if (last || !written.ok()) {
      co_await FinishData(std::move(written));
      co_return !result_.lost.has_value();
    }
    const absl::StatusOr<Reply> reply = co_await client_.ReadReply(timeouts_.data_block);
    if (!reply.ok()) co_return Lost(reply.status(), "at BDAT");
    if (ClosedBy(*reply)) co_return false;
    if (IsPositive(*reply)) continue;
    AnswerAccepted(FromServer(*reply));
    co_return false;
  }
  co_return false;
}

// The answer to the whole message. `written`: what became of its last octets.
asio::awaitable<void> Transaction::FinishData(absl::Status written) {
  client_.committing = written.ok();
  const absl::StatusOr<Reply> reply =
      co_await client_.ReadReply(written.ok() ? timeouts_.data_end : kLastWords);
  client_.committing = false;
  if (!written.ok()) {
    // The server can't have all of it; if it said why, that counts, else another one is tried.
    if (reply.ok() && smtp::IsFailure(*reply) && !ClosedBy(*reply)) {
      AnswerAccepted(FromServer(*reply));
    }
    Lost(written, "while the message was sent");
    co_return;
  }
  if (!reply.ok()) {
    // It may have been taken and may come twice (RFC 1047), so no other server gets it now.
    const Answer unknown = {Broken(reply.status(), "after the end of the message"), false};
    AnswerAccepted(unknown);
    result_.lost = unknown;
    co_return;
  }
  AnswerAccepted(FromServer(*reply));
  static_cast<void>(ClosedBy(*reply));
}

asio::awaitable<void> Transaction::Reset() {
  const absl::StatusOr<Reply> reply = co_await client_.Command("RSET\r\n", timeouts_.reset);
  if (!reply.ok()) {
    Lost(reply.status(), "at RSET");
  } else if (!IsPositive(*reply)) {
    result_.lost = FromServer(*reply);
  }
}

}  // namespace

asio::awaitable<TransactionResult> Transact(SmtpClient& client, const Mail& mail, std::string first,
                                            std::unique_ptr<MessageSource> source,
                                            const TransportTimeouts& timeouts) {
  Transaction transaction(client, mail, std::move(first), std::move(source), timeouts);
  co_return co_await transaction.Run();
}

asio::awaitable<absl::StatusOr<bool>> HasUtf8Header(std::unique_ptr<MessageSource> source) {
  std::string header;
  while (header.size() < kMaxHeader) {
    RMAIL_CO_ASSIGN_OR_RETURN(std::optional<std::string> piece, co_await source->Next());
    if (!piece.has_value()) break;
    const size_t searched = header.size() < 3 ? 0 : header.size() - 3;
    header += *piece;
    const size_t end = header.find("\r\n\r\n", searched);
    if (end == std::string::npos) continue;
    header.resize(end);
    break;
  }
  co_return !smtp::IsAscii(header);
}

}  // namespace rmail::gateway::relay

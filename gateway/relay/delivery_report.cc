#include "gateway/relay/delivery_report.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <exception>

#include "absl/strings/escaping.h"
#include "gateway/relay/report_fields.h"
#include "gateway/smtp/syntax/trace.h"
#include "gateway/smtp/syntax/utf8.h"
#include "store/base/status.h"

namespace rmail::gateway::relay {
namespace {

struct Wording {
  std::string_view subject;
  std::string_view explanation;
  std::string_view action;
  char status_class;
};

Wording WordingOf(ReportAction action) {
  switch (action) {
    case ReportAction::kFailed:
      return {"Undelivered mail",
              "Your message could not be delivered to the recipients below.\r\n"
              "Nothing more will be tried for them.\r\n",
              "failed", '5'};
    case ReportAction::kDelayed:
      return {"Delayed mail",
              "Your message has not been delivered to the recipients below yet.\r\n"
              "It is still being tried. You need not send it again.\r\n",
              "delayed", '4'};
    case ReportAction::kDelivered:
      return {"Delivered mail",
              "Your message has been delivered to the recipients below, as you\r\n"
              "have asked to be told.\r\n",
              "delivered", '2'};
    case ReportAction::kRelayed:
      break;
  }
  return {"Mail passed on",
          "Your message has been passed on to the servers of the recipients\r\n"
          "below, which do not tell when they deliver it.\r\n",
          "relayed", '2'};
}

// In plain words.
std::string Explanation(const DeliveryReport& report) {
  std::string text = fmt::format("This is the mail system at {}.\r\n\r\n{}", report.hostname,
                                 WordingOf(report.action).explanation);
  if (report.action == ReportAction::kDelayed) {
    text += fmt::format("It will be tried until {}.\r\n", smtp::MessageDate(report.retry_until));
  }
  for (const ReportedRecipient& recipient : report.recipients) {
    text += fmt::format("\r\n  <{}>\r\n", CleanLine(recipient.address, false));
    if (recipient.expired) {
      text += fmt::format("    It was tried since {}. In the end:\r\n",
                          smtp::MessageDate(report.arrived));
    }
    if (!recipient.server.empty()) {
      text += fmt::format("    {} said:\r\n", CleanLine(recipient.server, true));
    }
    text += fmt::format("    {}\r\n", ReplyText(recipient.reply, false));
  }
  text += fmt::format("\r\nThe message's id here was {}.\r\n", CleanLine(report.trace_id, true));
  return text;
}

std::string RecipientFields(const DeliveryReport& report, const ReportedRecipient& recipient,
                            bool utf8) {
  const Wording wording = WordingOf(report.action);
  std::string fields = "\r\n";
  if (!recipient.original_recipient.empty()) {
    fields += fmt::format("Original-Recipient: {}\r\n",
                          TypedAddressField(recipient.original_recipient, utf8));
  }
  fields +=
      fmt::format("Final-Recipient: {}\r\nAction: {}\r\nStatus: {}\r\n",
                  AddressField(recipient.address, utf8), wording.action,
                  recipient.expired ? "4.4.7" : StatusOf(recipient.reply, wording.status_class));
  const std::string reply = ReplyText(recipient.reply, true);
  if (recipient.server.empty()) {
    fields += fmt::format("Diagnostic-Code: x-rmail; {}\r\n", reply);
  } else {
    fields += fmt::format("Remote-MTA: dns; {}\r\nDiagnostic-Code: smtp; {}\r\n",
                          CleanLine(recipient.server, true), reply);
  }
  fields += fmt::format("Last-Attempt-Date: {}\r\n", smtp::MessageDate(report.time));
  if (report.action == ReportAction::kDelayed) {
    fields += fmt::format("Will-Retry-Until: {}\r\n", smtp::MessageDate(report.retry_until));
  }
  return fields;
}

// RFC 3464, 2.2 and 2.3.
std::string DeliveryStatus(const DeliveryReport& report, bool utf8) {
  std::string fields;
  if (!report.envelope_id.empty()) {
    fields += fmt::format("Original-Envelope-Id: {}\r\n", CleanLine(report.envelope_id, true));
  }
  fields += fmt::format("Reporting-MTA: dns; {}\r\nArrival-Date: {}\r\n", report.hostname,
                        smtp::MessageDate(report.arrived));
  for (const ReportedRecipient& recipient : report.recipients) {
    fields += RecipientFields(report, recipient, utf8);
  }
  return fields;
}

// A body part with its header, from the boundary on.
std::string Part(std::string_view boundary, std::string_view type, std::string_view content) {
  const bool unclean = IsUnclean(content);
  const std::string_view encoding = unclean ? "base64" : smtp::IsAscii(content) ? "7bit" : "8bit";
  return fmt::format("\r\n--{}\r\nContent-Type: {}\r\nContent-Transfer-Encoding: {}\r\n\r\n{}",
                     boundary, type, encoding,
                     unclean ? Base64Lines(content) : std::string(content));
}

std::string ReturnedPart(std::string_view boundary, const ReturnedContent& returned, bool utf8) {
  std::string_view header = returned.data;
  const size_t end = header.find("\r\n\r\n");
  if (end != std::string_view::npos) header = header.substr(0, end + 2);
  const bool global = utf8 && !smtp::IsAscii(header) && smtp::IsUtf8(header);
  // A whole message has no encoding (RFC 2046, 5.2.1): one that would need it is not returned.
  if (returned.whole && !IsUnclean(returned.data)) {
    return Part(boundary, global ? "message/global" : "message/rfc822", returned.data);
  }
  return Part(boundary, global ? "message/global-headers" : "text/rfc822-headers", header);
}

std::string Header(const DeliveryReport& report, std::string_view boundary) {
  std::string header = fmt::format(
      "From: Mail Delivery System <MAILER-DAEMON@{0}>\r\n"
      "To: <{1}>\r\n"
      "Date: {2}\r\n"
      "Message-ID: <{3}@{0}>\r\n",
      report.hostname, CleanLine(report.sender, false), smtp::MessageDate(report.time),
      report.unique);
  const std::string message_id = MessageIdOf(report.returned.data);
  if (!message_id.empty()) header += fmt::format("References: {}\r\n", message_id);
  header += fmt::format(
      "Subject: {}\r\n"
      "Auto-Submitted: auto-replied\r\n"
      "MIME-Version: 1.0\r\n"
      "Content-Type: multipart/report; report-type=delivery-status;\r\n"
      "\tboundary=\"{}\"\r\n",
      WordingOf(report.action).subject, boundary);
  return header;
}

}  // namespace

ComposedReport ComposeReport(const DeliveryReport& report) {
  const std::string boundary = fmt::format("=_{}", report.unique);
  const std::string status = DeliveryStatus(report, report.utf8);
  ComposedReport composed;
  composed.message = Header(report, boundary);
  composed.message += Part(boundary, "text/plain; charset=utf-8", Explanation(report));
  composed.message += Part(
      boundary,
      smtp::IsAscii(status) ? "message/delivery-status" : "message/global-delivery-status", status);
  if (!report.returned.data.empty()) {
    composed.message += ReturnedPart(boundary, report.returned, report.utf8);
  }
  composed.message += fmt::format("\r\n--{}--\r\n", boundary);
  composed.utf8 = !smtp::IsAscii(report.sender);
  composed.eight_bit = !smtp::IsAscii(composed.message);
  return composed;
}

void DescribeReport(const DeliveryReport& report, const ComposedReport& composed, bool require_tls,
                    store::v1::DeliverHeader& header) {
  header.set_mailbox_fields(smtp::ReturnPathField(""));
  if (!header.has_queue()) return;
  store::v1::QueueEnvelope& envelope = *header.mutable_queue();
  envelope.set_trace_id(report.unique);
  envelope.set_utf8(composed.utf8);
  envelope.set_eight_bit(composed.eight_bit);
  envelope.set_require_tls(require_tls);
}

std::string NewReportId() {
  unsigned char random[16];
  if (RAND_bytes(random, sizeof(random)) != 1) std::terminate();
  return "dsn" + absl::BytesToHexString({reinterpret_cast<const char*>(random), sizeof(random)});
}

}  // namespace rmail::gateway::relay

#include "gateway/smtp/non_delivery.h"

#include <fmt/format.h>

#include <string_view>

#include "gateway/smtp/syntax/trace.h"
#include "gateway/smtp/syntax/utf8.h"

namespace rmail::gateway::smtp {
namespace {

// RFC 6533, 3: an address that is not ASCII has the type utf-8, here in its unencoded form, which
// an 8-bit part may carry.
std::string_view AddressType(std::string_view address) {
  return IsAscii(address) ? "rfc822" : "utf-8";
}

std::string Explanation(const NonDelivery& notice) {
  std::string text = fmt::format(
      "This is the mail system at {}.\r\n\r\n"
      "Your message (id {}) could not be delivered to:\r\n\r\n",
      notice.hostname, notice.id);
  for (const FailedRecipient& failed : notice.failed) {
    text += fmt::format("  <{}>: {}\r\n", failed.address, failed.reply.text);
  }
  text +=
      "\r\nAll other recipients on this server have received it. "
      "Nothing more will be tried.\r\n";
  return text;
}

// RFC 3464, 2.
std::string DeliveryStatus(const NonDelivery& notice) {
  std::string fields = fmt::format("Reporting-MTA: dns; {}\r\nArrival-Date: {}\r\n",
                                   notice.hostname, MessageDate(notice.time));
  for (const FailedRecipient& failed : notice.failed) {
    // The status of a notice of failure is permanent (RFC 3464, 2.3.4): this server does not try
    // again.
    std::string status = failed.reply.enhanced;
    if (!status.empty()) status[0] = '5';
    fields += fmt::format(
        "\r\nFinal-Recipient: {}; {}\r\nAction: failed\r\nStatus: {}\r\n"
        "Diagnostic-Code: smtp; {} {} {}\r\n",
        AddressType(failed.address), failed.address, status, failed.reply.code,
        failed.reply.enhanced, failed.reply.text);
  }
  return fields;
}

}  // namespace

std::string ComposeNonDelivery(const NonDelivery& notice) {
  const std::string boundary = fmt::format("=_{}", notice.id);
  return fmt::format(
      "Return-Path: <>\r\n"
      "From: Mail Delivery System <MAILER-DAEMON@{0}>\r\n"
      "To: <{1}>\r\n"
      "Date: {2}\r\n"
      "Message-ID: <ndn-{3}@{0}>\r\n"
      "Subject: Undelivered mail\r\n"
      "Auto-Submitted: auto-replied\r\n"
      "MIME-Version: 1.0\r\n"
      "Content-Type: multipart/report; report-type=delivery-status;\r\n"
      "\tboundary=\"{4}\"\r\n\r\n"
      "--{4}\r\nContent-Type: text/plain; charset=utf-8\r\n"
      "Content-Transfer-Encoding: 8bit\r\n\r\n{5}\r\n"
      "--{4}\r\nContent-Type: message/delivery-status\r\n"
      "Content-Transfer-Encoding: 8bit\r\n\r\n{6}\r\n"
      "--{4}--\r\n",
      notice.hostname, notice.sender, MessageDate(notice.time), notice.id, boundary,
      Explanation(notice), DeliveryStatus(notice));
}

}  // namespace rmail::gateway::smtp

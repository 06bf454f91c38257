// Delivery status notifications (RFC 3464): what a sender is told of its mail. One composer for all
// of them; no I/O.
#ifndef RMAIL_GATEWAY_RELAY_DELIVERY_REPORT_H_
#define RMAIL_GATEWAY_RELAY_DELIVERY_REPORT_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "gateway/smtp/syntax/reply.h"
#include "rmail/store/v1/message.pb.h"

namespace rmail::gateway::relay {

// RFC 3464, 2.3.3.
enum class ReportAction {
  // It will never be delivered.
  kFailed,
  // It takes long, and is still being tried.
  kDelayed,
  // It is in a mailbox.
  kDelivered,
  // A server has it that will send no notices.
  kRelayed,
};

struct ReportedRecipient {
  // `user@domain`.
  std::string address;
  // The recipient that the sender meant, `type;address` (RFC 3461, 4.2); empty: not given.
  std::string original_recipient;
  // What the last attempt ended with.
  smtp::Reply reply;
  // The server that said so; empty: the reply is our own.
  std::string server;
  // kFailed: the reply was no refusal, but it was tried for too long (RFC 3463, X.4.7).
  bool expired = false;
};

// What of the message is brought back.
struct ReturnedContent {
  // Octets from the message's start; empty: nothing.
  std::string data;
  // All of it is there; else its header.
  bool whole = false;
};

struct DeliveryReport {
  ReportAction action = ReportAction::kFailed;
  // This server.
  std::string hostname;
  // Whom to tell: the reverse-path, never null.
  std::string sender;
  // This server's name of the message.
  std::string trace_id;
  // The client's, decoded (RFC 3461, 4.4); empty: none.
  std::string envelope_id;
  // Letters and digits, new and not to be guessed: no text in the message may look like the
  // report's own boundary.
  std::string unique;
  absl::Time arrived;
  // Of the last attempt, and of the report.
  absl::Time time;
  // Until when it is tried; for kDelayed.
  absl::Time retry_until;
  // All that share the action, 1 or more.
  std::vector<ReportedRecipient> recipients;
  ReturnedContent returned;
  // The message came with SMTPUTF8 (RFC 6531): its sender can read what RFC 6533 adds.
  bool utf8 = false;
};

struct ComposedReport {
  // With CRLF, no line over 998 octets. It has no Return-Path: it is sent with the null
  // reverse-path, so that no report is ever answered by another.
  std::string message;
  // Needs SMTPUTF8: the sender's address is not ASCII.
  bool utf8 = false;
  // Has octets above 127.
  bool eight_bit = false;
};

// multipart/report: a text, a message/delivery-status, and what is returned. Nothing that came from
// a client or a server gets into it unescaped.
ComposedReport ComposeReport(const DeliveryReport& report);

// Puts into the header of a report's delivery all but where it goes: the null reverse-path (RFC
// 5321, 4.5.5), and, where it has a queue, what is to be known there. `require_tls`: the message
// that it is about came with REQUIRETLS, and so must the report (RFC 8689, 5).
void DescribeReport(const DeliveryReport& report, const ComposedReport& composed, bool require_tls,
                    store::v1::DeliverHeader& header);

// A value for DeliveryReport::unique.
std::string NewReportId();

}  // namespace rmail::gateway::relay

#endif  // RMAIL_GATEWAY_RELAY_DELIVERY_REPORT_H_

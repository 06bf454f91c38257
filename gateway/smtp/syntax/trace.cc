#include "gateway/smtp/syntax/trace.h"

#include <fmt/format.h>

namespace rmail::gateway::smtp {

std::string_view WithProtocol(const Trace& trace) {
  if (trace.utf8) {
    if (trace.tls) return trace.authenticated ? "UTF8SMTPSA" : "UTF8SMTPS";
    return trace.authenticated ? "UTF8SMTPA" : "UTF8SMTP";
  }
  if (!trace.extended) return "SMTP";
  if (trace.tls) return trace.authenticated ? "ESMTPSA" : "ESMTPS";
  return trace.authenticated ? "ESMTPA" : "ESMTP";
}

std::string ReceivedField(const Trace& trace) {
  const bool ipv6 = trace.peer.find(':') != std::string::npos;
  return fmt::format(
      "Received: from {} ([{}{}])\r\n\tby {} with {}{}\r\n\tid {}{};\r\n\t{}\r\n", trace.hello,
      ipv6 ? "IPv6:" : "", trace.peer, trace.hostname, WithProtocol(trace),
      trace.tls_description.empty() ? "" : fmt::format(" ({})", trace.tls_description), trace.id,
      trace.recipient.empty() ? "" : fmt::format(" for <{}>", trace.recipient),
      MessageDate(trace.time));
}

std::string ReturnPathField(std::string_view address) {
  return fmt::format("Return-Path: <{}>\r\n", address);
}

std::string MessageDate(absl::Time time) {
  return absl::FormatTime("%a, %d %b %Y %H:%M:%S +0000", time, absl::UTCTimeZone());
}

}  // namespace rmail::gateway::smtp

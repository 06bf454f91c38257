#include "gateway/smtp/syntax/trace.h"

#include <fmt/format.h>

namespace rmail::gateway::smtp {

std::string WithProtocol(const Trace& trace) {
  if (!trace.extended && !trace.utf8 && !trace.lmtp) return "SMTP";
  std::string_view name = trace.lmtp ? "LMTP" : "ESMTP";
  if (trace.utf8) name = trace.lmtp ? "UTF8LMTP" : "UTF8SMTP";
  return fmt::format("{}{}{}", name, trace.tls ? "S" : "", trace.authenticated ? "A" : "");
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

// What a client has switched on, by ENABLE (RFC 5161) or by using it.
#ifndef RMAIL_GATEWAY_IMAP_ENABLED_FEATURES_H_
#define RMAIL_GATEWAY_IMAP_ENABLED_FEATURES_H_

namespace rmail::gateway::imap {

struct EnabledFeatures {
  // RFC 7162: answers carry MODSEQ. QRESYNC brings CONDSTORE with it.
  bool condstore = false;
  // RFC 7162: VANISHED instead of EXPUNGE.
  bool qresync = false;
  // RFC 6855: UTF-8 in quoted strings and names, both ways.
  bool utf8 = false;
  // IMAP4rev2 (RFC 9051): ESEARCH instead of SEARCH, no RECENT, names in UTF-8.
  bool rev2 = false;

  // Mailbox names are UTF-8 in commands and answers; otherwise modified UTF-7.
  bool utf8_names() const { return utf8 || rev2; }
};

}  // namespace rmail::gateway::imap

#endif  // RMAIL_GATEWAY_IMAP_ENABLED_FEATURES_H_

#include "gateway/imap/syntax/digest_writer.h"

#include "gateway/imap/syntax/characters.h"
#include "gateway/imap/syntax/writer.h"

namespace rmail::gateway::imap {

namespace {

using google::protobuf::RepeatedPtrField;
using store::v1::BodyPart;
using store::v1::Envelope;
using store::v1::EnvelopeAddress;
using store::v1::Parameter;

void AppendNString(std::string& out, bool present, std::string_view text) {
  if (present) {
    AppendString(out, text);
  } else {
    out += "NIL";
  }
}

void AppendAddresses(std::string& out, const RepeatedPtrField<EnvelopeAddress>& addresses) {
  if (addresses.empty()) {
    out += "NIL";
    return;
  }
  out += '(';
  for (const EnvelopeAddress& address : addresses) {
    out += '(';
    AppendNString(out, address.has_name(), address.name());
    // The source route is long obsolete.
    out += " NIL ";
    AppendNString(out, address.has_mailbox(), address.mailbox());
    out += ' ';
    AppendNString(out, address.has_host(), address.host());
    out += ')';
  }
  out += ')';
}

void AppendParameters(std::string& out, const RepeatedPtrField<Parameter>& parameters) {
  if (parameters.empty()) {
    out += "NIL";
    return;
  }
  char separator = '(';
  for (const Parameter& parameter : parameters) {
    out += separator;
    separator = ' ';
    AppendString(out, parameter.name());
    out += ' ';
    AppendString(out, parameter.value());
  }
  out += ')';
}

void AppendDisposition(std::string& out, const BodyPart& part) {
  if (!part.has_disposition()) {
    out += "NIL";
    return;
  }
  out += '(';
  AppendString(out, part.disposition());
  out += ' ';
  AppendParameters(out, part.disposition_parameters());
  out += ')';
}

void AppendLanguages(std::string& out, const RepeatedPtrField<std::string>& languages) {
  if (languages.empty()) {
    out += "NIL";
    return;
  }
  char separator = '(';
  for (const std::string& language : languages) {
    out += separator;
    separator = ' ';
    AppendString(out, language);
  }
  out += ')';
}

// body-fld-dsp, body-fld-lang and body-fld-loc, which both kinds of bodies end with.
void AppendCommonExtensions(std::string& out, const BodyPart& part) {
  out += ' ';
  AppendDisposition(out, part);
  out += ' ';
  AppendLanguages(out, part.languages());
  out += ' ';
  AppendNString(out, part.has_location(), part.location());
}

void AppendMultipart(std::string& out, const BodyPart& part, bool extended) {
  for (const BodyPart& child : part.parts()) AppendBodyStructure(out, child, extended);
  // The grammar wants at least one part; a multipart without any is shown with an empty text.
  if (part.parts().empty()) {
    out += R"(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0))";
  }
  out += ' ';
  AppendString(out, part.subtype());
  if (!extended) return;
  out += ' ';
  AppendParameters(out, part.parameters());
  AppendCommonExtensions(out, part);
}

void AppendSinglePart(std::string& out, const BodyPart& part, bool extended) {
  AppendString(out, part.type());
  out += ' ';
  AppendString(out, part.subtype());
  out += ' ';
  AppendParameters(out, part.parameters());
  out += ' ';
  AppendNString(out, part.has_content_id(), part.content_id());
  out += ' ';
  AppendNString(out, part.has_description(), part.description());
  out += ' ';
  AppendString(out, part.encoding());
  out += ' ';
  AppendNumber(out, part.body_size());
  const bool message = part.type() == "message" && part.subtype() == "rfc822";
  if (message) {
    out += ' ';
    AppendEnvelope(out, part.envelope());
    out += ' ';
    AppendBodyStructure(out, part.parts().empty() ? BodyPart::default_instance() : part.parts(0),
                        extended);
  }
  if (message || part.type() == "text") {
    out += ' ';
    AppendNumber(out, part.lines());
  }
  if (!extended) return;
  out += ' ';
  AppendNString(out, part.has_md5(), part.md5());
  AppendCommonExtensions(out, part);
}

}  // namespace

void AppendEnvelope(std::string& out, const Envelope& envelope) {
  out += '(';
  AppendNString(out, envelope.has_date(), envelope.date());
  out += ' ';
  AppendNString(out, envelope.has_subject(), envelope.subject());
  for (const auto* addresses : {&envelope.from(), &envelope.sender(), &envelope.reply_to(),
                                &envelope.to(), &envelope.cc(), &envelope.bcc()}) {
    out += ' ';
    AppendAddresses(out, *addresses);
  }
  out += ' ';
  AppendNString(out, envelope.has_in_reply_to(), envelope.in_reply_to());
  out += ' ';
  AppendNString(out, envelope.has_message_id(), envelope.message_id());
  out += ')';
}

void AppendBodyStructure(std::string& out, const BodyPart& part, bool extended) {
  out += '(';
  if (part.type() == "multipart") {
    AppendMultipart(out, part, extended);
  } else {
    AppendSinglePart(out, part, extended);
  }
  out += ')';
}

}  // namespace rmail::gateway::imap

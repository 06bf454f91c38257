#include "store/mime/part_header.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "store/mime/chars.h"
#include "store/mime/parameters.h"
#include "store/mime/utf8.h"

namespace rmail::mime {
namespace {

using store::v1::Parameter;

constexpr std::string_view kPrefix = "content-";

// Longer words are no types, encodings or languages.
constexpr size_t kMaxToken = 127;

// RFC 2045, 5.1.
bool IsTokenOctet(char c) {
  constexpr std::string_view kSpecials = "()<>@,;:\\\"/[]?=";
  return c > ' ' && c < '\x7F' && kSpecials.find(c) == std::string_view::npos;
}

bool IsToken(std::string_view text) {
  return !text.empty() && text.size() <= kMaxToken &&
         std::all_of(text.begin(), text.end(), IsTokenOctet);
}

// The first word of a value without comments, in lower case; empty when it is no token.
std::string Token(std::string_view value) {
  std::string token = ParseParameterized(value, 0).value;
  return IsToken(token) ? token : std::string();
}

void KeepParameters(std::vector<MimeParameter> parameters, DigestBudget* budget,
                    google::protobuf::RepeatedPtrField<Parameter>* list) {
  const size_t max_text = budget->limits().max_field_bytes;
  for (MimeParameter& parameter : parameters) {
    if (budget->exhausted()) return;
    const size_t octets = parameter.name.size() + parameter.value.size();
    if (octets > max_text || !budget->Take(octets)) continue;
    Parameter* kept = list->Add();
    kept->set_name(std::move(parameter.name));
    kept->set_value(std::move(parameter.value));
  }
}

}  // namespace

void PartHeaderReader::Add(const HeaderField& field) {
  if (field.name.size() <= kPrefix.size() ||
      !EqualsIgnoreCase(field.name.substr(0, kPrefix.size()), kPrefix)) {
    return;
  }
  const std::string_view name = field.name.substr(kPrefix.size());
  const auto is = [&](std::string_view lower) { return EqualsIgnoreCase(name, lower); };
  if (is("type")) {
    if (!has_type_) AddType(field.value);
  } else if (is("transfer-encoding")) {
    if (part_->encoding().empty()) part_->set_encoding(Token(field.value));
  } else if (is("disposition")) {
    if (!part_->has_disposition()) AddDisposition(field.value);
  } else if (is("id")) {
    if (part_->has_content_id()) return;
    if (auto text = budget_->Keep(field.value)) part_->set_content_id(*std::move(text));
  } else if (is("description")) {
    if (part_->has_description()) return;
    if (auto text = budget_->Keep(field.value)) part_->set_description(*std::move(text));
  } else if (is("md5")) {
    if (part_->has_md5()) return;
    if (auto text = budget_->Keep(field.value)) part_->set_md5(*std::move(text));
  } else if (is("location")) {
    if (part_->has_location()) return;
    if (auto text = budget_->Keep(field.value)) part_->set_location(*std::move(text));
  } else if (is("language")) {
    if (part_->languages().empty()) AddLanguages(field.value);
  }
}

void PartHeaderReader::Finish(bool in_digest) {
  if (part_->type().empty()) {
    part_->set_type(in_digest && !has_type_ ? "message" : "text");
    part_->set_subtype(in_digest && !has_type_ ? "rfc822" : "plain");
  }
  if (part_->encoding().empty()) part_->set_encoding("7bit");
}

void PartHeaderReader::AddType(std::string_view value) {
  has_type_ = true;
  // The boundary counts even when no parameter is kept.
  ParameterizedValue type = ParseParameterized(value, budget_->limits().max_parameters);
  const size_t slash = type.value.find('/');
  const std::string_view whole = type.value;
  // RFC 2045, 5.2: what is no type is text/plain.
  if (slash != std::string_view::npos && IsToken(whole.substr(0, slash)) &&
      IsToken(whole.substr(slash + 1))) {
    part_->set_type(std::string(whole.substr(0, slash)));
    part_->set_subtype(std::string(whole.substr(slash + 1)));
  }
  boundary_ = std::move(type.boundary);
  // RFC 2046, 5.1.1: a boundary does not end in white space.
  while (!boundary_.empty() && IsSpace(boundary_.back())) boundary_.pop_back();
  KeepParameters(std::move(type.parameters), budget_, part_->mutable_parameters());
}

void PartHeaderReader::AddDisposition(std::string_view value) {
  ParameterizedValue disposition = ParseParameterized(value, budget_->limits().max_parameters);
  // RFC 2183, 2.8: an unknown disposition is an attachment.
  part_->set_disposition(IsToken(disposition.value) ? disposition.value : "attachment");
  KeepParameters(std::move(disposition.parameters), budget_,
                 part_->mutable_disposition_parameters());
}

void PartHeaderReader::AddLanguages(std::string_view value) {
  const size_t max = budget_->limits().max_parameters;
  for (size_t i = 0; i < max && !value.empty(); ++i) {
    const size_t comma = std::min(value.find(','), value.size());
    std::string language = Unfold(value.substr(0, comma));
    if (IsToken(language) && budget_->Take(language.size())) {
      part_->add_languages(std::move(language));
    }
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
}

}  // namespace rmail::mime

// What a server says (RFC 9051, 7), as far as the stress test asks for it. Pure.
#ifndef RMAIL_TOOLS_IMAP_STRESS_RESPONSE_H_
#define RMAIL_TOOLS_IMAP_STRESS_RESPONSE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rmail::imap_stress {

// One value of a response. NIL is an atom; "BODY[HEADER.FIELDS (A)]<0>" is one atom.
struct Value {
  enum class Kind { kAtom, kString, kList };
  Kind kind = Kind::kAtom;
  std::string text;         // of atoms and strings
  std::vector<Value> list;  // of lists

  bool IsAtom(std::string_view upper) const;
};

struct Response {
  std::string tag;                 // "*", "+" or a command's
  std::string name;                // in upper case: "OK", "FETCH", "EXISTS"
  std::optional<uint32_t> number;  // the 3 of "* 3 EXISTS"
  std::vector<Value> values;       // what comes behind the name
  std::vector<Value> code;         // what stands in the brackets of OK, NO, BAD, BYE and PREAUTH

  bool HasCode(std::string_view upper) const { return !code.empty() && code[0].IsAtom(upper); }
};

// Of a response as Wire reads it. nullopt: it breaks the grammar.
std::optional<Response> ParseResponse(std::string_view text);

std::optional<uint64_t> ParseNumber(std::string_view text);

// "1:3,7" as it is written: {1, 2, 3, 7}. nullopt for what is no set, has '*', or is absurdly
// large.
std::optional<std::vector<uint32_t>> ParseSet(std::string_view text);
// The other way around; merges neighbours that ascend.
std::string FormatSet(const std::vector<uint32_t>& numbers);

std::string ToUpper(std::string_view text);

// What a FETCH response says of a message.
struct FetchData {
  uint32_t number = 0;
  std::optional<uint32_t> uid;
  std::optional<std::vector<std::string>> flags;
  std::optional<uint64_t> modseq;
  std::optional<uint64_t> size;
  std::optional<std::string> internal_date;
  std::optional<std::string> body;     // of BODY[]
  std::optional<std::string> subject;  // of ENVELOPE
};
// nullopt: not the grammar of the items above. Items that nobody asks for are an error.
std::optional<FetchData> ParseFetch(const Response& response);

}  // namespace rmail::imap_stress

#endif  // RMAIL_TOOLS_IMAP_STRESS_RESPONSE_H_

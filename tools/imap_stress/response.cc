#include "tools/imap_stress/response.h"

#include <algorithm>
#include <charconv>

namespace rmail::imap_stress {

namespace {

constexpr int kMaxDepth = 40;
constexpr size_t kMaxSet = 10'000'000;

char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

// Reads values one by one; after an error nothing more.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  bool failed() const { return failed_; }
  std::string_view rest() const { return rest_; }

  bool Take(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // Up to a space or the end.
  std::string_view Word() {
    const std::string_view word = rest_.substr(0, rest_.find(' '));
    rest_.remove_prefix(word.size());
    return word;
  }

  // Values with one space between them, up to `end` or to the end of the text.
  std::vector<Value> List(char end, int depth) {
    std::vector<Value> values;
    while (!failed_ && !rest_.empty() && rest_[0] != end) {
      if (!values.empty() && !Take(' ')) {
        // Lists may follow each other without a space, as an envelope's addresses do.
        if (rest_[0] != '(') Fail();
      }
      if (!failed_) values.push_back(One(depth, end));
    }
    return values;
  }

 private:
  void Fail() { failed_ = true; }

  Value One(int depth, char end) {
    Value value;
    if (rest_.empty() || depth > kMaxDepth) {
      Fail();
    } else if (Take('(')) {
      value.kind = Value::Kind::kList;
      value.list = List(')', depth + 1);
      if (!Take(')')) Fail();
    } else if (Take('"')) {
      value.kind = Value::Kind::kString;
      Quoted(value.text);
    } else if (rest_[0] == '{' || rest_.starts_with("~{")) {
      value.kind = Value::Kind::kString;
      Literal(value.text);
    } else {
      value.text = Atom(end);
    }
    return value;
  }

  void Quoted(std::string& out) {
    while (!rest_.empty() && rest_[0] != '"') {
      if (rest_[0] == '\\') rest_.remove_prefix(1);
      if (rest_.empty()) break;
      out += rest_[0];
      rest_.remove_prefix(1);
    }
    if (!Take('"')) Fail();
  }

  void Literal(std::string& out) {
    const size_t close = rest_.find("}\r\n");
    if (close == std::string_view::npos) return Fail();
    const size_t open = rest_.find('{');
    const auto size = ParseNumber(rest_.substr(open + 1, close - open - 1));
    rest_.remove_prefix(close + 3);
    if (!size || *size > rest_.size()) return Fail();
    out = rest_.substr(0, *size);
    rest_.remove_prefix(*size);
  }

  // An atom; what stands in brackets belongs to it.
  std::string Atom(char end) {
    size_t at = 0;
    int brackets = 0;
    for (; at < rest_.size(); ++at) {
      const char c = rest_[at];
      if (c == '[') ++brackets;
      if (c == ']' && brackets > 0) {
        --brackets;
        continue;
      }
      if (brackets == 0 && (c == ' ' || c == '(' || c == ')' || c == '"' || c == end)) break;
    }
    if (at == 0 || brackets != 0) Fail();
    std::string atom(rest_.substr(0, at));
    rest_.remove_prefix(at);
    return atom;
  }

  std::string_view rest_;
  bool failed_ = false;
};

bool IsStatus(std::string_view name) {
  return name == "OK" || name == "NO" || name == "BAD" || name == "BYE" || name == "PREAUTH";
}

bool AllDigits(std::string_view word) {
  return !word.empty() &&
         std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool TakeItem(const std::string& name, const Value& value, FetchData& data) {
  const auto number = ParseNumber(value.text);
  const bool string = value.kind == Value::Kind::kString;
  if (name == "UID") {
    if (!number || *number == 0 || *number > UINT32_MAX) return false;
    data.uid = static_cast<uint32_t>(*number);
  } else if (name == "FLAGS") {
    if (value.kind != Value::Kind::kList) return false;
    data.flags.emplace();
    for (const Value& flag : value.list) data.flags->push_back(flag.text);
  } else if (name == "MODSEQ") {
    if (value.list.size() != 1) return false;
    data.modseq = ParseNumber(value.list[0].text);
    return data.modseq && *data.modseq > 0;
  } else if (name == "RFC822.SIZE") {
    data.size = number;
    return number.has_value();
  } else if (name == "INTERNALDATE") {
    data.internal_date = value.text;
    return string;
  } else if (name == "BODY[]") {
    data.body = value.text;
    return string;
  } else if (name == "ENVELOPE") {
    if (value.list.size() != 10) return false;
    data.subject = value.list[1].text;
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::string ToUpper(std::string_view text) {
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(), Upper);
  return upper;
}

bool Value::IsAtom(std::string_view upper) const {
  return kind == Kind::kAtom && ToUpper(text) == upper;
}

std::optional<uint64_t> ParseNumber(std::string_view text) {
  if (!AllDigits(text)) return std::nullopt;
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  return number;
}

std::optional<Response> ParseResponse(std::string_view text) {
  Scanner scanner(text);
  Response response;
  response.tag = scanner.Word();
  if (response.tag.empty()) return std::nullopt;
  // Behind "+" comes text for people.
  if (response.tag == "+") return response;
  if (!scanner.Take(' ')) return std::nullopt;
  std::string_view word = scanner.Word();
  if (AllDigits(word)) {
    const auto number = ParseNumber(word);
    if (!number || *number > UINT32_MAX || !scanner.Take(' ')) return std::nullopt;
    response.number = static_cast<uint32_t>(*number);
    word = scanner.Word();
  }
  response.name = ToUpper(word);
  if (response.name.empty()) return std::nullopt;
  const bool more = scanner.Take(' ');
  if (IsStatus(response.name)) {
    // RFC 9051, 9: resp-text has at least a character.
    if (!more) return std::nullopt;
    if (scanner.Take('[')) {
      response.code = scanner.List(']', 0);
      if (scanner.failed() || !scanner.Take(']') || response.code.empty()) return std::nullopt;
      if (!scanner.Take(' ')) return std::nullopt;
    }
    if (scanner.at_end()) return std::nullopt;
    return response;
  }
  // "* SEARCH" with nothing found; a space at the end is nobody's grammar.
  if (more && scanner.at_end()) return std::nullopt;
  response.values = scanner.List('\0', 0);
  if (scanner.failed() || !scanner.at_end()) return std::nullopt;
  return response;
}

std::optional<std::vector<uint32_t>> ParseSet(std::string_view text) {
  std::vector<uint32_t> numbers;
  while (true) {
    const std::string_view part = text.substr(0, text.find(','));
    const size_t colon = part.find(':');
    const auto first = ParseNumber(part.substr(0, colon));
    const auto last = colon == std::string_view::npos ? first : ParseNumber(part.substr(colon + 1));
    if (!first || !last || *first == 0 || *last == 0) return std::nullopt;
    const uint64_t low = std::min(*first, *last);
    const uint64_t high = std::max(*first, *last);
    if (high > UINT32_MAX || numbers.size() + (high - low) > kMaxSet) return std::nullopt;
    for (uint64_t n = low; n <= high; ++n) numbers.push_back(static_cast<uint32_t>(n));
    if (part.size() == text.size()) return numbers;
    text.remove_prefix(part.size() + 1);
  }
}

std::string FormatSet(const std::vector<uint32_t>& numbers) {
  std::string set;
  for (size_t i = 0; i < numbers.size();) {
    size_t last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    if (!set.empty()) set += ',';
    set += std::to_string(numbers[i]);
    if (last > i) set += ":" + std::to_string(numbers[last]);
    i = last + 1;
  }
  return set;
}

std::optional<FetchData> ParseFetch(const Response& response) {
  if (!response.number || *response.number == 0 || response.values.size() != 1) {
    return std::nullopt;
  }
  const std::vector<Value>& items = response.values[0].list;
  if (items.empty() || items.size() % 2 != 0) return std::nullopt;
  FetchData data;
  data.number = *response.number;
  for (size_t i = 0; i < items.size(); i += 2) {
    if (!TakeItem(ToUpper(items[i].text), items[i + 1], data)) return std::nullopt;
  }
  return data;
}

}  // namespace rmail::imap_stress

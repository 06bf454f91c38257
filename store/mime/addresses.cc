#include "store/mime/addresses.h"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "store/mime/address_lexer.h"
#include "store/mime/chars.h"
#include "store/mime/utf8.h"

namespace rmail::mime {
namespace {

// No address has more words; the rest of them is dropped.
constexpr size_t kMaxTokens = 1000;

using store::v1::EnvelopeAddress;
using Tokens = std::span<const AddressToken>;

// As people read it: one space where there was white space.
std::string Phrase(Tokens tokens) {
  std::string phrase;
  for (const AddressToken& token : tokens) {
    const bool quoted = token.kind == AddressToken::Kind::kQuoted;
    if ((token.space_before || quoted) && !phrase.empty()) phrase.push_back(' ');
    phrase += token.text;
  }
  return ToValidUtf8(Trim(phrase));
}

// As a machine reads it: without white space.
std::string Joined(Tokens tokens) {
  std::string text;
  for (const AddressToken& token : tokens) text += token.text;
  return ToValidUtf8(text);
}

class AddressListParser {
 public:
  AddressListParser(std::string_view value, size_t max) : lexer_(value), max_(max) {}

  std::vector<EnvelopeAddress> Parse() {
    while (addresses_.size() < max_) {
      std::optional<AddressToken> token = lexer_.Next();
      if (!token) break;
      Take(*std::move(token));
    }
    if (addresses_.size() < max_) EndAddress();
    EndGroup();
    return std::move(addresses_);
  }

 private:
  void Take(AddressToken token) {
    if (token.kind == AddressToken::Kind::kComment) {
      comment_ = std::move(token.text);
      space_ = true;
      return;
    }
    token.space_before |= std::exchange(space_, false);
    if (state_ == State::kAngle) {
      TakeInAngle(std::move(token));
    } else if (token.Is(',')) {
      EndAddress();
    } else if (token.Is(';')) {
      EndAddress();
      EndGroup();
    } else if (token.Is('<')) {
      // A second one without a comma before it starts another address.
      if (state_ == State::kAfterAngle) EndAddress();
      state_ = State::kAngle;
    } else if (token.Is(':') && !in_group_ && state_ == State::kStart && !before_.empty()) {
      StartGroup();
    } else if (!token.Is('>')) {
      if (state_ == State::kAfterAngle) EndAddress();
      Keep(std::move(token), &before_);
    }
  }

  // Between "<" and ">". A route (RFC 5322, 4.4) starts with "@", has commas and ends with ":".
  void TakeInAngle(AddressToken token) {
    const bool route = !angle_.empty() && angle_.front().Is('@');
    if (token.Is('>')) {
      state_ = State::kAfterAngle;
    } else if (token.Is(':') && route) {
      angle_.clear();
    } else if (token.Is(',') && !route) {
      EndAddress();
    } else if (!token.Is('<')) {
      Keep(std::move(token), &angle_);
    }
  }

  static void Keep(AddressToken token, std::vector<AddressToken>* tokens) {
    if (tokens->size() < kMaxTokens) tokens->push_back(std::move(token));
  }

  void StartGroup() {
    EnvelopeAddress start;
    start.set_mailbox(Phrase(before_));
    addresses_.push_back(std::move(start));
    in_group_ = true;
    Reset();
  }

  void EndGroup() {
    if (std::exchange(in_group_, false)) addresses_.emplace_back();
  }

  void EndAddress() {
    if (state_ == State::kStart) {
      if (!before_.empty()) AddBare();
    } else {
      EnvelopeAddress address;
      SetName(Phrase(before_), &address);
      SetAddress(angle_, &address);
      addresses_.push_back(std::move(address));
    }
    Reset();
  }

  // An address without angle brackets, or words that are no address at all.
  void AddBare() {
    EnvelopeAddress address;
    bool has_at = false;
    size_t spaces = 0;
    for (size_t i = 0; i < before_.size(); ++i) {
      has_at |= before_[i].Is('@');
      if (i > 0 && before_[i].space_before) ++spaces;
    }
    if (!has_at && spaces > 0) {
      address.set_name(Phrase(before_));
      SetAddress({}, &address);
    } else {
      SetName("", &address);
      SetAddress(before_, &address);
    }
    addresses_.push_back(std::move(address));
  }

  void SetName(std::string name, EnvelopeAddress* address) {
    if (name.empty()) name = ToValidUtf8(Trim(comment_));
    if (!name.empty()) address->set_name(std::move(name));
  }

  // Splits at the last "@".
  void SetAddress(Tokens tokens, EnvelopeAddress* address) {
    size_t at = tokens.size();
    while (at > 0 && !tokens[at - 1].Is('@')) --at;
    const bool has_host = at > 0;
    address->set_mailbox(Joined(has_host ? tokens.first(at - 1) : tokens));
    address->set_host(has_host ? Joined(tokens.subspan(at)) : std::string());
  }

  void Reset() {
    state_ = State::kStart;
    before_.clear();
    angle_.clear();
    comment_.clear();
  }

  enum class State {
    // Before any "<".
    kStart,
    // Between "<" and ">".
    kAngle,
    // Behind ">": nothing but comments should come before the next separator.
    kAfterAngle,
  };

  AddressLexer lexer_;
  const size_t max_;
  std::vector<EnvelopeAddress> addresses_;
  State state_ = State::kStart;
  bool in_group_ = false;
  // A comment stood before the next token.
  bool space_ = false;
  std::vector<AddressToken> before_;
  std::vector<AddressToken> angle_;
  std::string comment_;
};

}  // namespace

std::vector<EnvelopeAddress> ParseAddressList(std::string_view value, size_t max_addresses) {
  return AddressListParser(value, max_addresses).Parse();
}

}  // namespace rmail::mime

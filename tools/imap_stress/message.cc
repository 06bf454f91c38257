#include "tools/imap_stress/message.h"

#include <fmt/format.h>

#include <cstdint>
#include <random>

namespace rmail::imap_stress {

namespace {

constexpr std::string_view kSubject = "Subject: ";

// FNV-1a: the same on every machine, as std::hash is not.
uint64_t Hash(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

}  // namespace

std::string MessageOf(std::string_view token) {
  std::string message = fmt::format(
      "From: Stress <stress@example.com>\r\nTo: <alice@example.com>\r\n{}{}\r\n"
      "Message-ID: <{}@stress.example.com>\r\nDate: Tue, 24 Nov 2026 12:00:00 +0100\r\n\r\n",
      kSubject, token, token);
  std::mt19937_64 random(Hash(token));
  // Mostly small, some that take several reads, none at all now and then.
  const uint64_t lines = random() % 16 == 0 ? random() % 800 : random() % 20;
  for (uint64_t i = 0; i < lines; ++i) {
    message += fmt::format("{:016x} {} {:016x}\r\n", random(), token, random());
  }
  return message;
}

std::string InternalDateOf(std::string_view token) {
  const uint64_t hash = Hash(token);
  return fmt::format("{:2}-Feb-2024 {:02}:{:02}:{:02} +0000", 1 + hash % 28, hash / 28 % 24,
                     hash / 1000 % 60, hash / 100'000 % 60);
}

std::string TokenIn(std::string_view message) {
  const size_t start = message.find(kSubject);
  if (start == std::string_view::npos) return "";
  const std::string_view rest = message.substr(start + kSubject.size());
  return std::string(rest.substr(0, rest.find("\r\n")));
}

}  // namespace rmail::imap_stress

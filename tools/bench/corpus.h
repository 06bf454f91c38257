// Mail to measure with: the same numbers give the same messages, on each machine.
#ifndef RMAIL_TOOLS_BENCH_CORPUS_H_
#define RMAIL_TOOLS_BENCH_CORPUS_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace rmail::bench {

// A word that one in 50,000 messages has in its text.
inline constexpr std::string_view kRareWord = "zyzzyva";

// The n-th message, about 3 KB: one of 1,000 senders ("User 123" <user123@ext.test>), a subject
// with its number ("invoice 12345 ..."), every third an answer. One in ten has HTML and an
// attachment.
std::string CorpusMessage(uint64_t number);

// A message of exactly so many octets, 400 at least.
std::string MessageOfSize(uint64_t size);

}  // namespace rmail::bench

#endif  // RMAIL_TOOLS_BENCH_CORPUS_H_

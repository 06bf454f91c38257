// What must hold for any octets that the engine finds on disk.
#ifndef RMAIL_STORE_ENGINE_FORMAT_FUZZ_H_
#define RMAIL_STORE_ENGINE_FORMAT_FUZZ_H_

#include <cstddef>
#include <cstdint>

// libFuzzer's entry. The first octet picks the reader: log, snapshot, file name, user.json,
// mailboxes.json, aliases.json, records of a shard, log records. Aborts when what was read is not
// what writing it again gives.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace rmail::engine {
inline constexpr uint8_t kFuzzReaders = 8;
}

#endif  // RMAIL_STORE_ENGINE_FORMAT_FUZZ_H_

// What must hold for any bytes.
#ifndef RMAIL_STORE_MIME_DIGEST_FUZZ_H_
#define RMAIL_STORE_MIME_DIGEST_FUZZ_H_

#include <cstddef>
#include <cstdint>

// libFuzzer's entry. Aborts when a digest depends on how the message is cut, an offset lies outside
// the message, a string is not UTF-8, or a part lacks what its type promises.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

#endif  // RMAIL_STORE_MIME_DIGEST_FUZZ_H_

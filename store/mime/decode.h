// Everything that turns a message's bytes into text, dates and addresses.
#ifndef RMAIL_STORE_MIME_DECODE_H_
#define RMAIL_STORE_MIME_DECODE_H_

#include "store/mime/addresses.h"          // IWYU pragma: export
#include "store/mime/charset.h"            // IWYU pragma: export
#include "store/mime/dates.h"              // IWYU pragma: export
#include "store/mime/transfer_encoding.h"  // IWYU pragma: export
#include "store/mime/words.h"              // IWYU pragma: export

#endif  // RMAIL_STORE_MIME_DECODE_H_

/* base/digest.h -- SHA-256 and random tokens, through libnettle.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_BASE_DIGEST_H
#define LATHE_BASE_DIGEST_H

#include <stddef.h>

#include "base/error.h"

enum { DIGEST_HEX = 65 }; /* 64 hex digits and a zero */

void digest_bytes(const void *p, size_t len, char hex[DIGEST_HEX]);
bool
digest_file(const char *path, char hex[DIGEST_HEX], struct error *err) MUST_USE;
/* n random bytes as 2n hex digits and a zero: run ids are n = 16. */
void digest_token(size_t n, char *hex);
#endif

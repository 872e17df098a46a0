/* store/artifact.h -- files by SHA-256, written once, mode 0444.
 *
 * objects/ab/cdef...: the digest's first two digits are the folder.  Blocks
 * for the disk: not for the main thread of the screen.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_STORE_ARTIFACT_H
#define LATHE_STORE_ARTIFACT_H

#include "base/digest.h"
#include "store/db.h"

/* On disk when it returns.  What is there already is not written again unless
 * its content no longer has its name. */
bool artifact_put(struct store *s, const void *p, size_t len,
                  char digest[DIGEST_HEX], struct error *err) MUST_USE;
/* Path of an artifact that is there; caller frees.  ERR_NOTFOUND, or ERR_RANGE
 * for what is no digest (64 digits, small letters). */
char *
artifact_path(struct store *s, const char *digest, struct error *err) MUST_USE;
/* Does the content still have its name? ERR_CORRUPT when not. */
bool artifact_verify(struct store *s, const char *digest,
                     struct error *err) MUST_USE;
#endif

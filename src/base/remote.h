/* base/remote.h -- http requests, through libcurl.
 * Blocks: never on the main thread of the screen.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_BASE_REMOTE_H
#define LATHE_BASE_REMOTE_H

#include "base/buf.h"
#include "base/error.h"

struct remote; /* a connection kept alive between requests; one thread */

struct remote *remote_new(void); /* aborts without memory */
void remote_free(struct remote *r);
/* method "GET" or "POST"; type and body may be NULL.  The answer's body goes
 * into out (at most 64 MiB), its status into *status.  ERR_IO when nothing
 * answers, ERR_TIMEOUT after timeout_ms. */
bool remote_call(struct remote *r, const char *method, const char *url,
                 const char *type, const void *body, size_t len, long timeout_ms,
                 struct buf *out, long *status, struct error *err) MUST_USE;
#endif

/* base/remote.h -- http requests, through libcurl.
 *
 * Only http and https; no redirect is followed.  A proxy of the environment
 * is used as curl uses it, but never for this machine.
 * Blocks: never on the main thread of the screen.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_BASE_REMOTE_H
#define LATHE_BASE_REMOTE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

enum { REMOTE_MAX_ANSWER = 64 << 20 }; /* bytes; larger answers: ERR_LIMIT */

struct remote; /* a connection kept alive between requests; one thread */

struct remote *remote_new(void); /* aborts without memory */
void remote_free(struct remote *r);
/* A header line ("Accept: text/csv") sent with every later call; NULL forgets
 * them all.  Aborts without memory. */
void remote_header(struct remote *r, const char *line);
/* What is asked. */
struct remote_request {
    const char *method, *url; /* any method: "GET", "POST", ... */
    const char *type; /* of the body, "application/json"; NULL: not said */
    struct str body;  /* p NULL: none */
    long timeout_ms;
};
/* The answer's body replaces what is in out, its status goes into *status.
 * ERR_IO when nothing answers, ERR_TIMEOUT after timeout_ms. */
bool remote_call(struct remote *r, const struct remote_request *q,
                 struct buf *out, long *status, struct error *err) MUST_USE;
/* A header of the last answer ("Allow"), or NULL; valid until the next call. */
const char *remote_answer_header(struct remote *r, const char *name);
#endif

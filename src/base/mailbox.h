/* base/mailbox.h -- how other threads speak to the main thread.
 *
 * Any thread posts a function and its context; the main thread runs them in
 * the order they came, from mailbox_drain(), which the loop calls when the
 * wake-up descriptor is readable.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_BASE_MAILBOX_H
#define LATHE_BASE_MAILBOX_H

#include <stddef.h>

struct mailbox;
typedef void mail_fn(void *ctx);

struct mailbox *mailbox_new(void);
void mailbox_free(struct mailbox *m); /* undelivered mail is dropped */
/* From any thread.  Aborts when there is no memory (a mail is 32 bytes). */
void mailbox_post(struct mailbox *m, mail_fn *fn, void *ctx);
int mailbox_fd(const struct mailbox *m); /* readable while mail waits */
/* Main thread: deliver what is there now, not what the mail itself posts. */
size_t mailbox_drain(struct mailbox *m);
#endif

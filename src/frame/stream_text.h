/* frame/stream_text.h -- the text of a file, packed or not and in any
 * encoding, a window at a time.  Private to stream*.c and the readers of text.
 *
 * Windows move forward: what lies before the last one that was asked for is
 * given back.
 * Threads: one owner.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_STREAM_TEXT_H
#define LATHE_FRAME_STREAM_TEXT_H

#include "base/file.h"
#include "base/str.h"
#include "frame/encoding.h"

struct stream_text;

/* Takes m over, also when it fails. */
struct stream_text *
stream_text_new(struct file_map *m, struct error *err) MUST_USE;
void stream_text_free(struct stream_text *t);
/* From now on the UTF-8 of a text in another encoding; before anything but its
 * first bytes `head` was asked for. */
bool stream_text_decode(struct stream_text *t, struct str head,
                        enum encoding encoding, struct pool *pool,
                        struct error *err) MUST_USE;
/* Of the bytes from `from` on `want`, or as many as there are; borrowed until
 * the next call.  *last: they end where the text ends. */
bool stream_text_get(struct stream_text *t, uint64_t from, size_t want,
                     struct str *out, bool *last, struct error *err) MUST_USE;
bool stream_text_rewind(struct stream_text *t, struct error *err) MUST_USE;
/* For the progress: bytes of the file, and how many of them stand before byte
 * `at` of the text or were unpacked so far. */
size_t stream_text_len(const struct stream_text *t);
size_t stream_text_used(const struct stream_text *t, uint64_t at);
/* Are these other bytes than those of the text? */
bool stream_text_packed(const struct stream_text *t);
/* file_map_whole(); the other with what was read of it, NULL or to be unrefed
 * when it is not to be believed. */
bool stream_text_whole(const struct stream_text *t, struct error *err) MUST_USE;
struct frame;
bool stream_text_believe(const struct stream_text *t, struct frame **read,
                         struct error *err) MUST_USE;
#endif

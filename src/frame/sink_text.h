/* frame/sink_text.h -- delimited text and JSON lines, batch by batch.  Private
 * to sink*.c and csv_write.c.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_SINK_TEXT_H
#define LATHE_FRAME_SINK_TEXT_H

#include "base/pool.h"
#include "frame/codec.h"
#include "frame/frame.h"
#include "frame/sink_part.h"

struct sink_text_options {
    bool lines; /* of JSON */
    char delimiter;
    enum codec codec;
    const struct progress *progress; /* that may stop it; or NULL */
};
struct sink_text;

struct sink_text *
sink_text_begin(struct sink_bytes *out, const struct frame *head,
                const struct sink_text_options *o, struct pool *pool,
                struct error *err) MUST_USE;
bool sink_text_put(struct sink_text *t, const struct frame *f,
                   struct error *err) MUST_USE;
bool sink_text_end(struct sink_text *t, struct error *err) MUST_USE;
void sink_text_free(struct sink_text *t);
#endif

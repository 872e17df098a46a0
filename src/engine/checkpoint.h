/* engine/checkpoint.h -- a file from which a fit that was ended can go on.
 *
 * It holds what cannot be found again: the family's tensors, and a manifest
 * with what it is of, a hash of all else that decides about the result, and
 * the family's own numbers.  It replaces the one before when it is whole.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_CHECKPOINT_H
#define LATHE_ENGINE_CHECKPOINT_H

#include "base/json.h"
#include "engine/safetensors.h"

struct checkpoint {
    const char *path;
    const char *key;     /* of the fit, all that decides about its result */
    const char *of;      /* a JSON object: what the key is a hash of, to name
                            what differs; NULL: not known */
    size_t every_rounds; /* 0: every half minute */
    bool resume;         /* go on from what is there, if it is there */
};

/* When the last one was written. */
struct checkpoint_mark {
    size_t round;
    int64_t ms;
};

void checkpoint_mark(struct checkpoint_mark *last, size_t round);
/* Is it time for one after so many rounds?  NULL: never. */
bool checkpoint_due(const struct checkpoint *c,
                    const struct checkpoint_mark *last, size_t round);
/* A manifest that stands open for numbers; kind: of the fit, "gbdt". */
void checkpoint_open(const struct checkpoint *c, const char *kind,
                     struct json_writer *w, struct buf *manifest);
/* The tensors of `st`, with the manifest, which it closes. */
bool checkpoint_write(const struct checkpoint *c, struct json_writer *w,
                      struct buf *manifest, struct st_writer *st,
                      struct error *err) MUST_USE;

/* Takes tensors and numbers, checked as those of a model are. */
typedef bool checkpoint_take(void *ctx, const struct st_file *f,
                             const struct json *manifest, struct error *err);
/* Calls take where there is something to go on from; NULL: nothing.  ERR_STATE
 * when that is of another fit, naming what differs where it has `of`,
 * ERR_CORRUPT when it is damaged; the error begins with its path. */
bool
checkpoint_read(const struct checkpoint *c, const char *kind,
                checkpoint_take *take, void *ctx, struct error *err) MUST_USE;
#endif

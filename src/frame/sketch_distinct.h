/* frame/sketch_distinct.h -- how many values differ, how often each occurs.
 *
 * A sample of the distinct keys, each with the exact number of its values: at
 * level L those whose hash begins with L zero bits.  When more than `most` keys
 * are held, or their texts take over SKETCH_TEXTS bytes while there are more
 * than an eighth of `most`, the level rises, which drops about every other
 * key.  What is left at the end was counted from its first value on, whatever
 * the order of the values; the state depends on their set alone.
 *
 * At level 0 all is exact.  Else n * 2^L keys are estimated; the standard error
 * is 1.2 / sqrt(most) (0.7 % at 32,768), and the one stated three times that of
 * the keys now held: 3 / sqrt(n), at most 2.4 % there.
 * Source: Flajolet, "On adaptive sampling", Computing 34 (1990); Gibbons,
 *         "Distinct sampling for highly-accurate answers", VLDB 2001.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_SKETCH_DISTINCT_H
#define LATHE_FRAME_SKETCH_DISTINCT_H

#include <stddef.h>

#include "frame/sketch.h"

enum {
    SKETCH_TEXTS = 4 << 20,
    SKETCH_TEXT = 1024 /* longer ones are cut to so many bytes */
};

struct sketch_text {
    uint32_t at, len;
};

struct sketch_distinct {
    struct sketch_point *slot; /* weight 0: free */
    struct sketch_text *text;  /* of each slot; NULL: no texts */
    size_t n_slots;            /* a power of two */
    size_t n, most;
    unsigned level;
    bool texts;
    char *bytes;
    size_t n_bytes, cap_bytes;
};

bool sketch_distinct_init(struct sketch_distinct *d, size_t most, bool texts,
                          struct error *err) MUST_USE;
void sketch_distinct_fini(struct sketch_distinct *d);

/* Does it hold keys of that hash, sketch_mix(key)? */
static inline bool
sketch_distinct_wants(const struct sketch_distinct *d, uint64_t hash)
{
    return d->level == 0 || hash >> (64 - d->level) == 0;
}

/* One key that it wants, `weight` times; s is looked at when it has texts. */
bool
sketch_distinct_add(struct sketch_distinct *d, uint64_t key, uint64_t weight,
                    struct str s, struct error *err) MUST_USE;
/* Would another key raise the level, or nearly so? */
bool sketch_distinct_is_full(const struct sketch_distinct *d);
/* Of the n keys those before the first that would raise the level, each once;
 * at level 0 and without texts only.  *done: how many. */
bool sketch_distinct_count(struct sketch_distinct *d, const uint64_t *key,
                           size_t n, size_t *done, struct error *err) MUST_USE;
/* NULL when the key is not held. */
const struct sketch_point *
sketch_distinct_find(const struct sketch_distinct *d, uint64_t key);
struct str sketch_distinct_text(const struct sketch_distinct *d,
                                const struct sketch_point *p);
/* Those held, in order of their keys; the caller frees them. */
struct sketch_point *sketch_distinct_points(const struct sketch_distinct *d,
                                            struct error *err) MUST_USE;
double sketch_distinct_estimate(const struct sketch_distinct *d);
/* Share of the estimate that it is within, but for 3 cases of 1000; 0 where it
 * is exact. */
double sketch_distinct_error(const struct sketch_distinct *d);
#endif

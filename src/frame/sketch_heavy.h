/* frame/sketch_heavy.h -- the keys that occur most often.
 *
 * At most `most` keys are held.  Those of a block that are new join them; when
 * there are more than `most`, the count of the (most + 1)-th goes off all, and
 * those at nothing leave.  Instead of all counts one number rises, `lost`:
 *
 *   count - slack <= true count of a key that is held <= count
 *   0 <= true count of any other key <= lost <= values / (most + 1)
 *
 * where slack is what was lost when the key came (last): 0 for what was there
 * from the beginning.  Exact while all keys fit.
 * Source: Misra & Gries, "Finding repeated elements", 1982.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_SKETCH_HEAVY_H
#define LATHE_FRAME_SKETCH_HEAVY_H

#include <stddef.h>

#include "frame/sketch.h"

enum { SKETCH_BLOCK = 4096 }; /* keys that are added at once */

struct sketch_heavy_item {
    uint64_t key;
    uint64_t count; /* 0: free */
    uint64_t slack;
    uint64_t tag; /* the caller's */
    void *held;   /* the caller's; freed with the item */
};

struct sketch_heavy {
    struct sketch_heavy_item *slot; /* in hash order */
    size_t n_slots, n, most;
    uint64_t lost;
};

/* What adding takes beside; as it is, for any sketch. */
struct sketch_heavy_scratch {
    struct sketch_heavy_item fresh[2 * SKETCH_BLOCK];
    uint64_t count[2 * SKETCH_BLOCK];
};

/* most: 1..SKETCH_BLOCK */
bool sketch_heavy_init(struct sketch_heavy *h, size_t most,
                       struct error *err) MUST_USE;
void sketch_heavy_fini(struct sketch_heavy *h);
/* At most SKETCH_BLOCK different keys; tag of each, or NULL for none, is kept
 * with those that are new. */
void sketch_heavy_add(struct sketch_heavy *h, const struct sketch_point *p,
                      const uint64_t *tag, size_t n,
                      struct sketch_heavy_scratch *scratch);
/* The item of a key, whose count may be raised; NULL when it is not held. */
struct sketch_heavy_item *
sketch_heavy_find(const struct sketch_heavy *h, uint64_t key);
/* Items in the order of their counts, the most frequent first, then of their
 * keys; borrowed, the caller frees the list. */
const struct sketch_heavy_item **
sketch_heavy_list(const struct sketch_heavy *h, struct error *err) MUST_USE;
#endif

/* engine/trees/tree_set.c -- the sets of a forest: how many blocks each has, and
 * how they are saved.
 *
 * Sets of one block are saved as they are.  Longer ones are mostly one bit all
 * through, since levels that a node has not seen all go one way; and what
 * differs is few levels, or half of them in no order.  So each set is saved as
 * its bit 0 and the bytes that are not all that bit:
 *
 *     bit 0 | bytes alike | others | those bytes | bytes alike | others | ...
 *
 * with counts of seven bits a byte, the lowest first, all but the last with
 * 128.  Sets come in the order of their nodes.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "engine/trees/tree_state.h"

enum { BLOCK_BYTES = TREE_SET_WORDS * 8 };

bool
tree_count_blocks(struct forest *f, struct error *err)
{
    f->blocks = mem_try_array(f->n_cols, sizeof *f->blocks, err);
    if (!f->blocks)
        return false;
    for (size_t c = 0; c < f->n_cols; c++) {
        unsigned most = 0;

        for (uint32_t l = f->level_start[c]; l < f->level_start[c + 1]; l++)
            most = f->level_code[l] > most ? f->level_code[l] : most;
        f->blocks[c] = (uint16_t)(most / 256 + 1);
        if (f->blocks[c] > f->most_blocks)
            f->most_blocks = f->blocks[c];
    }
    return true;
}

size_t
tree_blocks_of(const struct forest *f, size_t node)
{
    return f->flags[node] & TREE_CATEGORY ? f->blocks[tree_feature(f, node)]
                                          : 0;
}

/* ---- writing ---- */

static void
put_count(struct buf *b, size_t n)
{
    for (; n > 127; n >>= 7)
        buf_putc(b, (char)((n & 127) | 128));
    buf_putc(b, (char)n);
}

/* How many bytes from `at` on are `base`, or are not. */
static size_t
run_of(const uint8_t *byte, size_t at, size_t len, uint8_t base, bool same)
{
    size_t n = 0;

    while (at + n < len && (byte[at + n] == base) == same)
        n++;
    return n;
}

static void
put_set(struct buf *b, const uint64_t *set, size_t len)
{
    const uint8_t *byte = (const uint8_t *)set;
    uint8_t base = set[0] & 1 ? 0xff : 0;

    buf_putc(b, (char)(base & 1));
    for (size_t at = 0; at < len;) {
        size_t same = run_of(byte, at, len, base, true);
        size_t other = run_of(byte, at + same, len, base, false);

        put_count(b, same);
        put_count(b, other);
        for (size_t i = 0; i < other; i++)
            buf_putc(b, (char)byte[at + same + i]);
        at += same + other;
    }
}

bool
tree_code_sets(struct forest *f, struct error *err)
{
    struct buf b;
    bool ok;

    if (f->most_blocks <= 1)
        return true;
    buf_init(&b);
    for (size_t i = 0; i < f->n_nodes; i++)
        if (f->flags[i] & TREE_CATEGORY)
            put_set(&b, f->set + (size_t)f->threshold[i] * TREE_SET_WORDS,
                    tree_blocks_of(f, i) * BLOCK_BYTES);
    ok = buf_check(&b, err) &&
         (f->set_code = mem_try_array(b.len, 1, err)) != NULL;
    if (ok && b.len > 0)
        memcpy(f->set_code, b.data, b.len);
    f->n_set_code = ok ? b.len : 0;
    buf_fini(&b);
    return ok;
}

/* ---- reading: nothing in the file is believed ---- */

struct reader {
    const uint8_t *at, *end;
};

static bool
take_count(struct reader *r, size_t *n)
{
    unsigned shift = 0;

    *n = 0;
    do {
        if (r->at == r->end || shift > 21)
            return false;
        *n |= (size_t)(*r->at & 127) << shift;
        shift += 7;
    } while (*r->at++ > 127);
    return true;
}

static bool
take_set(struct reader *r, uint64_t *set, size_t len)
{
    uint8_t *byte = (uint8_t *)set;
    size_t at = 0, same, other;

    if (r->at == r->end)
        return false;
    memset(byte, *r->at++ ? 0xff : 0, len);
    while (at < len) {
        if (!take_count(r, &same) || !take_count(r, &other) ||
            same + other == 0 || same > len - at || other > len - at - same ||
            other > (size_t)(r->end - r->at))
            return false;
        at += same;
        if (other > 0)
            memcpy(byte + at, r->at, other);
        r->at += other;
        at += other;
    }
    return true;
}

bool
tree_decode_sets(struct forest *f, struct error *err)
{
    struct reader r = {f->set_code, f->set_code + f->n_set_code};
    size_t n = 0;

    for (size_t i = 0; i < f->n_nodes; i++) {
        if (tree_feature(f, i) >= f->n_cols)
            return error_set(err, ERR_CORRUPT, "trees: node %zu is damaged", i);
        n += tree_blocks_of(f, i);
    }
    f->set = mem_try_array(n, BLOCK_BYTES, err);
    if (!f->set)
        return false;
    for (size_t i = 0; i < f->n_nodes; i++) {
        size_t blocks = tree_blocks_of(f, i);

        if (blocks > 0 && (f->threshold[i] != (double)f->n_sets ||
                           !take_set(&r, f->set + f->n_sets * TREE_SET_WORDS,
                                     blocks * BLOCK_BYTES)))
            return error_set(err, ERR_CORRUPT,
                             "trees: set of node %zu is "
                             "damaged",
                             i);
        f->n_sets += blocks;
    }
    return r.at == r.end ||
           error_set(err, ERR_CORRUPT, "trees: bytes behind the sets");
}

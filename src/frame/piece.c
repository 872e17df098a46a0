/* frame/piece.c -- joining what several threads read of one column.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/piece.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void
piece_fini(struct piece *p)
{
    free(p->missing);
    dict_unref(p->dict);
    p->missing = NULL;
    p->dict = NULL;
}

bool
piece_set_missing(struct piece *p, size_t row, struct error *err)
{
    if (!p->missing &&
        !(p->missing = mem_try_array(p->n / 64 + 1, sizeof *p->missing, err)))
        return false;
    p->missing[row / 64] |= UINT64_C(1) << (row % 64);
    return true;
}

/* The bits of the piece are those from row p->first on, wherever in a word
 * that falls. */
static void
clear_missing(const struct piece *p, uint64_t *valid)
{
    size_t word = p->first / 64, shift = p->first % 64;

    for (size_t i = 0; i * 64 < p->n; i++) {
        uint64_t bits = p->missing[i];

        if (p->n - i * 64 < 64)
            bits &= (UINT64_C(1) << (p->n - i * 64)) - 1;
        valid[word + i] &= ~(bits << shift);
        if (shift > 0 && bits >> (64 - shift))
            valid[word + i + 1] &= ~(bits >> (64 - shift));
    }
}

bool
piece_join_missing(const struct piece *piece, size_t n, size_t n_rows,
                   uint64_t **out, struct error *err)
{
    size_t n_words = n_rows / 64 + 1;
    uint64_t *valid = NULL;

    *out = NULL;
    for (size_t i = 0; i < n; i++) {
        if (!piece[i].missing)
            continue;
        if (!valid) {
            if (!(valid = mem_try_array(n_words, sizeof *valid, err)))
                return false;
            memset(valid, 0xff, n_words * sizeof *valid);
        }
        clear_missing(&piece[i], valid);
    }
    *out = valid;
    return true;
}

/* From codes that each piece counted for itself to codes of the column.  The
 * code of a missing row is 0, whatever that means by now. */
static bool
join_codes(struct piece *p, struct dict *dict, uint32_t *codes,
           struct error *err)
{
    size_t n = p->dict ? dict_count(p->dict) : 0;
    uint32_t *map;

    if (n == 0)
        return true;
    if (!(map = mem_try_array(n, sizeof *map, err)))
        return false;
    if (!dict_add_all(dict, p->dict, map, err)) {
        free(map);
        return false;
    }
    for (size_t i = 0; i < p->n; i++)
        codes[p->first + i] = map[codes[p->first + i]];
    for (size_t i = 0; p->missing && i < p->n; i++)
        if (p->missing[i / 64] >> (i % 64) & 1)
            codes[p->first + i] = 0;
    free(map);
    dict_unref(p->dict);
    p->dict = NULL;
    return true;
}

static struct dict *
join_texts(struct piece *piece, size_t n, uint32_t *codes, struct error *err)
{
    struct dict *dict = dict_new(err);

    for (size_t i = 0; dict && i < n; i++)
        if (!join_codes(&piece[i], dict, codes, err)) {
            dict_unref(dict);
            return NULL;
        }
    return dict;
}

struct column *
piece_join(struct piece *piece, size_t n, enum col_type type, size_t n_rows,
           void *data, struct error *err)
{
    struct column *c = NULL;
    struct dict *dict = NULL;
    uint64_t *valid = NULL;

    if (piece_join_missing(piece, n, n_rows, &valid, err) &&
        (type != COL_TEXT || (dict = join_texts(piece, n, data, err)))) {
        c = column_new(type, n_rows, data, valid, dict, err);
    } else {
        free(valid);
        free(data);
    }
    for (size_t i = 0; i < n; i++)
        piece_fini(&piece[i]);
    return c;
}

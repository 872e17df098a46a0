/* frame/piece.c -- joining what several threads read of one column.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/piece.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void
list_free(struct piece_list *l)
{
    if (!l)
        return;
    free(l->text);
    free(l->hash);
    arena_fini(&l->arena);
    free(l);
}

void
piece_fini(struct piece *p)
{
    free(p->missing);
    dict_unref(p->dict);
    list_free(p->list);
    p->missing = NULL;
    p->dict = NULL;
    p->list = NULL;
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

/* ---- texts ---- */

bool
piece_list_new(struct piece *p, struct error *err)
{
    struct piece_list *l = mem_try_array(1, sizeof *l, err);

    if (!l)
        return false;
    arena_init(&l->arena);
    if (!(l->text = mem_try_unset(p->n, sizeof *l->text, err)) ||
        !(l->hash = mem_try_unset(p->n, sizeof *l->hash, err))) {
        list_free(l);
        return false;
    }
    p->list = l;
    return true;
}

static bool
is_missing(const struct piece *p, size_t i)
{
    return p->missing && (p->missing[i / 64] >> (i % 64) & 1);
}

/* From codes that the piece counted for itself to codes of the column.  The
 * code of a missing row is 0, whatever that means by now. */
static bool
fold_codes(const struct piece *p, struct dict *dict, uint32_t *codes,
           struct error *err)
{
    size_t n = dict_count(p->dict);
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
        codes[i] = map[codes[i]];
    for (size_t i = 0; p->missing && i < p->n; i++)
        if (is_missing(p, i))
            codes[i] = 0;
    free(map);
    return true;
}

/* Rows that are there, many at a time, since the dict likes that better. */
static bool
fold_list(const struct piece *p, struct dict *dict, uint32_t *codes,
          struct error *err)
{
    enum { BATCH = 512 };
    const struct piece_list *l = p->list;
    struct str text[BATCH];
    uint32_t hash[BATCH], code[BATCH], row[BATCH];

    if (!p->missing)
        return dict_add_hashed(dict, l->text, l->hash, p->n, codes, err);
    for (size_t at = 0; at < p->n; at += BATCH) {
        size_t end = p->n - at < BATCH ? p->n : at + BATCH, n = 0;

        for (size_t i = at; i < end; i++) {
            codes[i] = 0;
            if (is_missing(p, i))
                continue;
            text[n] = l->text[i];
            hash[n] = l->hash[i];
            row[n++] = (uint32_t)i;
        }
        if (!dict_add_hashed(dict, text, hash, n, code, err))
            return false;
        for (size_t i = 0; i < n; i++)
            codes[row[i]] = code[i];
    }
    return true;
}

bool
piece_fold_texts(struct piece *piece, size_t n, struct dict *dict,
                 uint32_t *codes, struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        struct piece *p = &piece[i];

        if (p->list && !fold_list(p, dict, codes + p->first, err))
            return false;
        if (p->dict && !fold_codes(p, dict, codes + p->first, err))
            return false;
        list_free(p->list);
        dict_unref(p->dict);
        p->list = NULL;
        p->dict = NULL;
    }
    return true;
}

/* ---- columns ---- */

struct column *
piece_column(struct piece *piece, size_t n, enum col_type type, size_t n_rows,
             void *data, struct dict *dict, struct error *err)
{
    struct column *c = NULL;
    uint64_t *valid = NULL;

    if (dict)
        dict_trim(dict);
    if (piece_join_missing(piece, n, n_rows, &valid, err)) {
        c = column_new(type, n_rows, data, valid, dict, err);
    } else {
        free(data);
        dict_unref(dict);
    }
    for (size_t i = 0; i < n; i++)
        piece_fini(&piece[i]);
    return c;
}

struct column *
piece_join(struct piece *piece, size_t n, enum col_type type, size_t n_rows,
           void *data, struct error *err)
{
    struct dict *dict = type == COL_TEXT ? dict_new(err) : NULL;

    if (type != COL_TEXT ||
        (dict && piece_fold_texts(piece, n, dict, data, err)))
        return piece_column(piece, n, type, n_rows, data, dict, err);
    dict_unref(dict);
    free(data);
    for (size_t i = 0; i < n; i++)
        piece_fini(&piece[i]);
    return NULL;
}

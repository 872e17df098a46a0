/* frame/arrow_texts.c -- the texts of a batch as a dictionary or as values.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/arrow_texts.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void
arrow_texts_fini(struct arrow_texts *t)
{
    free(t->codes);
    free(t->used);
    free(t->ends);
    free(t->bytes);
    *t = (struct arrow_texts){0};
}

static bool
arrow_texts_known(const struct dict *d)
{
    const size_t *end;
    struct str block;

    if (!dict_block(d, &block, &end))
        goto each;
    /* Texts of ASCII, as most are, are looked at in one go; a text may be cut
     * within a character, so that the block alone does not tell. */
    for (size_t i = 0; i < block.n; i++)
        if ((unsigned char)block.p[i] >= 0x80)
            goto each;
    return true;
each:
    for (size_t i = 0; i < dict_count(d); i++)
        if (!str_utf8_valid(dict_text(d, (uint32_t)i)))
            return false;
    return true;
}

/* Which texts occur, in order of first appearance. */
static bool
note_used(struct arrow_texts *t, const struct column *c, struct error *err)
{
    const uint32_t *code = column_codes(c);
    size_t n = column_rows(c), n_texts = dict_count(column_dict(c));
    uint32_t *place = mem_try_array(n_texts, sizeof *place, err);

    t->codes = place ? mem_try_array(n, sizeof *t->codes, err) : NULL;
    t->used = t->codes ? mem_try_array(n, sizeof *t->used, err) : NULL;
    for (size_t i = 0; t->used && i < n; i++) {
        if (!column_is_valid(c, i))
            continue;
        if (!place[code[i]]) {
            t->used[t->n_used++] = code[i];
            place[code[i]] = (uint32_t)t->n_used;
        }
        t->codes[i] = place[code[i]] - 1;
    }
    free(place);
    return t->used != NULL;
}

/* The texts of t->used, or all of them. */
static bool
copy_used(struct arrow_texts *t, const struct dict *d, struct error *err)
{
    size_t *ends = t->ends = mem_try_array(t->n_used + 1, sizeof *ends, err);
    const uint32_t *used = t->used;

    if (!ends)
        return false;
    for (size_t i = 0; i < t->n_used; i++)
        ends[i + 1] = ends[i] + dict_text(d, used ? used[i] : (uint32_t)i).n;
    t->len = ends[t->n_used];
    if (!(t->bytes = mem_try_unset(t->len, 1, err)))
        return false;
    for (size_t i = 0; i < t->n_used; i++) {
        struct str s = dict_text(d, used ? used[i] : (uint32_t)i);

        if (s.n > 0)
            memcpy(t->bytes + ends[i], s.p, s.n);
    }
    return true;
}

bool
arrow_texts_all(struct arrow_texts *t, const struct dict *d, struct error *err)
{
    const size_t *end;
    struct str block;

    t->n_used = dict_count(d);
    if (!dict_block(d, &block, &end))
        return copy_used(t, d, err);
    t->len = block.n;
    if (!(t->ends = mem_try_array(t->n_used + 1, sizeof *end, err)))
        return false;
    if (t->n_used > 0)
        memcpy((size_t *)t->ends + 1, end, t->n_used * sizeof *end);
    return true;
}

bool
arrow_texts_gather(struct arrow_texts *t, const struct column *c,
                   struct error *err)
{
    const struct dict *d = column_dict(c);

    *t = (struct arrow_texts){0};
    if (dict_count(d) > column_rows(c)) {
        if (!note_used(t, c, err) || !copy_used(t, d, err))
            return false;
        for (size_t i = 0; i < t->n_used && !t->foreign; i++)
            t->foreign = !str_utf8_valid(dict_text(d, t->used[i]));
        return true;
    }
    t->foreign = !arrow_texts_known(d);
    return arrow_texts_all(t, d, err);
}

bool
arrow_texts_spell(struct arrow_texts *t, const struct column *c, size_t begin,
                  size_t n, struct error *err)
{
    int32_t *ends = mem_try_array(n + 1, sizeof *ends, err);

    *t = (struct arrow_texts){.ends = ends};
    if (!ends)
        return false;
    for (size_t i = 0; i < n; i++) {
        t->len += column_text(c, begin + i).n;
        if (t->len > INT32_MAX)
            return error_set(err, ERR_LIMIT, "texts of over 2 GiB");
        ends[i + 1] = (int32_t)t->len;
    }
    if (!(t->bytes = mem_try_array(t->len, 1, err)))
        return false;
    for (size_t i = 0; i < n; i++) {
        struct str s = column_text(c, begin + i);

        if (s.n > 0)
            memcpy(t->bytes + ends[i], s.p, s.n);
    }
    t->foreign = !arrow_texts_known(column_dict(c));
    return true;
}

/* engine/port/doc.c -- what documents of both kinds share.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/port/doc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/progress.h"
#include "engine/port/doc_scratch.h"

enum { LOOK_EVERY = 1 << 14 }; /* numbers of lists that are open */

/* ---- construction ---- */

void
doc_scratch_fini(struct doc_scratch *s)
{
    free(s->number);
    free(s->item);
    free(s->key);
}

bool
doc_push_number(struct doc_scratch *s, double x)
{
    double *more = mem_try_grow(s->number, s->n_numbers, &s->cap_numbers,
                                sizeof *more, s->err);

    if (!more)
        return false;
    s->number = more;
    more[s->n_numbers++] = x;
    return s->n_numbers % LOOK_EVERY != 0 ||
           progress_check(s->arena->stop, s->err);
}

bool
doc_push_item(struct doc_scratch *s, const struct doc *d)
{
    struct doc *more =
        mem_try_grow(s->item, s->n_items, &s->cap_items, sizeof *more, s->err);

    if (!more)
        return false;
    s->item = more;
    more[s->n_items++] = *d;
    return true;
}

bool
doc_push_key(struct doc_scratch *s, struct str key)
{
    struct str *more =
        mem_try_grow(s->key, s->n_keys, &s->cap_keys, sizeof *more, s->err);

    if (!more)
        return false;
    s->key = more;
    more[s->n_keys++] = key;
    return true;
}

bool
doc_take_numbers(struct doc_scratch *s, size_t since, struct doc *out)
{
    size_t n = s->n_numbers - since;
    double *x = arena_try(s->arena, n, sizeof *x, s->err);

    if (!x)
        return false;
    if (n)
        memcpy(x, s->number + since, n * sizeof *x);
    s->n_numbers = since;
    *out = (struct doc){.type = DOC_NUMBERS, .n = n, .numbers = x};
    return true;
}

bool
doc_take_items(struct doc_scratch *s, size_t since, struct doc *out)
{
    size_t n = s->n_items - since;
    struct doc *item = arena_try(s->arena, n, sizeof *item, s->err);

    if (!item)
        return false;
    if (n)
        memcpy(item, s->item + since, n * sizeof *item);
    s->n_items = since;
    *out = (struct doc){.type = DOC_LIST, .n = n, .item = item};
    return true;
}

bool
doc_take_object(struct doc_scratch *s, size_t since_items, size_t since_keys,
                struct doc *out)
{
    size_t n = s->n_keys - since_keys;
    struct str *key = arena_try(s->arena, n, sizeof *key, s->err);

    if (!key || !doc_take_items(s, since_items, out))
        return false;
    if (n)
        memcpy(key, s->key + since_keys, n * sizeof *key);
    s->n_keys = since_keys;
    out->type = DOC_OBJECT;
    out->key = key;
    return true;
}

bool
doc_enter(struct doc_scratch *s)
{
    if (++s->depth > DOC_MAX_DEPTH)
        return error_set(s->err, ERR_LIMIT, "nested deeper than %d",
                         DOC_MAX_DEPTH);
    return true;
}

/* ---- looking ---- */

const struct doc *
doc_find(const struct doc *d, const char *key)
{
    for (size_t i = 0; d && d->type == DOC_OBJECT && i < d->n; i++)
        if (str_is(d->key[i], key))
            return &d->item[i];
    return NULL;
}

bool
doc_need(const struct doc *d, const char *key, enum doc_type type,
         const struct doc **out, struct error *err)
{
    const struct doc *v = doc_find(d, key);

    if (!v)
        return error_set(err, ERR_PARSE, "no '%s'", key);
    /* An empty list may be of anything. */
    if (v->type != type &&
        !(type == DOC_LIST && v->type == DOC_NUMBERS && v->n == 0))
        return error_set(err, ERR_PARSE, "'%s' is of another type", key);
    *out = v;
    return true;
}

bool
doc_numbers(const struct doc *d, const char *key, size_t n, const double **out,
            size_t *got, struct error *err)
{
    const struct doc *v = NULL;

    if (!doc_need(d, key, DOC_NUMBERS, &v, err))
        return false;
    if (n != SIZE_MAX && v->n != n)
        return error_set(err, ERR_PARSE, "'%s' has %zu numbers, expected %zu",
                         key, v->n, n);
    *out = v->numbers;
    if (got)
        *got = v->n;
    return true;
}

bool
doc_number(const struct doc *d, const char *key, double fallback, double *out,
           struct error *err)
{
    const struct doc *v = doc_find(d, key);
    struct str t;

    *out = fallback;
    if (!v)
        return true;
    if (v->type == DOC_NUMBER) {
        *out = v->number;
        return true;
    }
    t = v->text;
    if (v->type == DOC_TEXT && t.n > 2 && t.p[0] == '[' && t.p[t.n - 1] == ']')
        t = (struct str){t.p + 1, t.n - 2};
    if (v->type == DOC_TEXT && str_to_f64(str_trim(t), out))
        return true;
    return error_set(err, ERR_PARSE, "'%s' is '%.64s', expected a number", key,
                     v->type == DOC_TEXT ? v->text.p : "no text");
}

bool
doc_count(const struct doc *d, const char *key, size_t max, size_t *out,
          struct error *err)
{
    double x;

    if (!doc_number(d, key, 0, &x, err))
        return false;
    if (!(x >= 0 && x <= (double)max) || x != floor(x))
        return error_set(err, ERR_PARSE, "'%s' is %g, expected 0..%zu", key, x,
                         max);
    *out = (size_t)x;
    return true;
}

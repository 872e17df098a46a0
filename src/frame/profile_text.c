/* Statistics of categories: counted by dictionary entry.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/fmath.h"
#include "base/mem.h"
#include "frame/profile_part.h"

bool
profile_is_category(const struct profile_column *c)
{
    return !c->numeric || (c->n_distinct < PROFILE_FEW &&
                           (c->type == COL_INT64 || c->type == COL_FLOAT64));
}

bool
profile_top_wants(const struct profile_column *c, size_t count)
{
    return c->n_top < PROFILE_TOP || count > c->top[PROFILE_TOP - 1].count;
}

static bool
insert_top(struct profile_column *c, size_t at, size_t count, const char *text,
           size_t len, struct error *err)
{
    char *copy = mem_try_text(text, len, err);

    if (!copy)
        return false;
    if (c->n_top == PROFILE_TOP)
        free(c->top[--c->n_top].text);
    memmove(&c->top[at + 1], &c->top[at], (c->n_top - at) * sizeof *c->top);
    c->top[at].text = copy;
    c->top[at].count = count;
    c->n_top++;
    return true;
}

bool
profile_top_add(struct profile_column *c, size_t count, const char *text,
                size_t len, struct error *err)
{
    size_t at = c->n_top;

    while (at > 0 && c->top[at - 1].count < count)
        at--;
    return insert_top(c, at, count, text, len, err);
}

/* H = log n - (sum of c log c) / n: a value that occurs once adds nothing. */
void
profile_distinct_add(struct profile_column *c, size_t count)
{
    c->n_distinct++;
    if (count > 1)
        c->entropy += (double)count * fm_log((double)count);
}

void
profile_distinct_end(struct profile_column *c)
{
    double n = (double)(c->n - c->n_missing);

    c->entropy =
        c->n_distinct > 1 ? (fm_log(n) - c->entropy / n) / fm_log(2) : 0;
}

static size_t
code_points(struct str s)
{
    size_t at = 0, n = 0;

    while (str_next(s, &at) >= 0)
        n++;
    return n;
}

static void
set_lengths(struct profile_column *out, struct str s)
{
    size_t len = code_points(s);

    if (out->n_distinct == 1 || len < out->min_length)
        out->min_length = len;
    if (len > out->max_length)
        out->max_length = len;
}

/* Is the text more frequent, or as frequent and before it in order? */
static bool
comes_before(size_t count, struct str s, const struct profile_top *t)
{
    return count > t->count ||
           (count == t->count && str_cmp(s, str_of(t->text)) < 0);
}

static bool
text_value(struct profile_column *out, size_t count, struct str s,
           struct error *err)
{
    size_t at = out->n_top;

    profile_distinct_add(out, count);
    set_lengths(out, s);
    while (at > 0 && comes_before(count, s, &out->top[at - 1]))
        at--;
    return at == PROFILE_TOP || insert_top(out, at, count, s.p, s.n, err);
}

/* A dictionary may hold texts that no row has. */
static bool
text_column(const struct column *c, struct profile_column *out,
            struct error *err)
{
    const struct dict *d = column_dict(c);
    size_t n = dict_count(d);
    size_t *count = mem_try_array(n, sizeof *count, err);
    bool ok = count;

    for (size_t i = 0; ok && i < out->n; i++)
        if (column_is_valid(c, i))
            count[column_codes(c)[i]]++;
    for (size_t i = 0; ok && i < n; i++)
        if (count[i])
            ok = text_value(out, count[i], dict_text(d, (uint32_t)i), err);
    free(count);
    return ok;
}

static bool
bool_column(const struct column *c, struct profile_column *out,
            struct error *err)
{
    static const char *const words[] = {"false", "true"};
    size_t count[2] = {0, 0};

    for (size_t i = 0; i < out->n; i++)
        if (column_is_valid(c, i))
            count[column_bools(c)[i]]++;
    for (size_t v = 0; v < 2; v++) {
        if (!count[v])
            continue;
        profile_distinct_add(out, count[v]);
        if (!profile_top_add(out, count[v], words[v], strlen(words[v]), err))
            return false;
    }
    return true;
}

bool
profile_category(const struct column *c, struct profile_column *out,
                 const struct progress *progress, struct error *err)
{
    out->n_missing = column_missing(c);
    if (!(column_type(c) == COL_TEXT ? text_column(c, out, err)
                                     : bool_column(c, out, err)))
        return false;
    profile_distinct_end(out);
    return progress_check(progress, err);
}

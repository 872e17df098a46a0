/* Statistics of categories: counted by dictionary entry.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmath.h"
#include "base/mem.h"
#include "frame/distance.h"
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
insert_top(struct profile_top *top, size_t *n, size_t at, size_t count,
           struct str s, struct error *err)
{
    char *copy = mem_try_text(s.p, s.n, err);

    if (!copy)
        return false;
    if (*n == PROFILE_TOP)
        free(top[--*n].text);
    memmove(&top[at + 1], &top[at], (*n - at) * sizeof *top);
    top[at].text = copy;
    top[at].count = count;
    ++*n;
    return true;
}

bool
profile_top_add(struct profile_column *c, size_t count, const char *text,
                size_t len, struct error *err)
{
    size_t at = c->n_top;

    while (at > 0 && c->top[at - 1].count < count)
        at--;
    return insert_top(c->top, &c->n_top, at, count, (struct str){text, len},
                      err);
}

/* Is the text more frequent, or as frequent and before it in order? */
static bool
comes_before(size_t count, struct str s, const struct profile_top *t)
{
    return count > t->count ||
           (count == t->count && str_cmp(s, str_of(t->text)) < 0);
}

bool
profile_top_insert(struct profile_top *top, size_t *n_top, size_t count,
                   struct str s, struct error *err)
{
    size_t at = *n_top;

    while (at > 0 && comes_before(count, s, &top[at - 1]))
        at--;
    return at == PROFILE_TOP || insert_top(top, n_top, at, count, s, err);
}

/* H = log n - (sum of c log c) / n: a value that occurs once adds nothing. */
void
profile_distinct_add(struct profile_column *c, size_t count)
{
    c->n_distinct++;
    c->n_unique += count == 1;
    c->uniform += (double)count * (double)count;
    if (count > 1)
        c->entropy += (double)count * fm_log((double)count);
}

void
profile_distinct_end(struct profile_column *c)
{
    double n = (double)(c->n - c->n_missing);

    c->entropy =
        c->n_distinct > 1 ? (fm_log(n) - c->entropy / n) / fm_log(2) : 0;
    /* Of counts c against n / k each: sum of c^2 k / n - n. */
    c->uniform =
        c->n_distinct > 1
            ? distance_chi2_tail(c->uniform * (double)c->n_distinct / n - n,
                                 (double)(c->n_distinct - 1))
            : NAN;
}

/* ---- lengths --------------------------------------------------------- */

/* Every byte of UTF-8 but those that go on with a character. */
size_t
profile_code_points(struct str s)
{
    size_t at = 0, n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    if (str_utf8_valid(s))
        return n;
    for (n = 0; str_next(s, &at) >= 0;)
        n++;
    return n;
}

static void
add_length(struct profile_column *out, size_t len, size_t count, size_t *tally)
{
    if (out->n_distinct == 1 || len < out->min_length)
        out->min_length = len;
    if (len > out->max_length)
        out->max_length = len;
    out->mean_length += (double)len * (double)count;
    tally[len < PROFILE_LENGTHS ? len : PROFILE_LENGTHS - 1] += count;
}

/* Value number i in order of length. */
static double
length_at(const size_t *tally, size_t i)
{
    size_t len = 0;

    while (len + 1 < PROFILE_LENGTHS && i >= tally[len])
        i -= tally[len++];
    return (double)len;
}

void
profile_lengths(struct profile_column *out, const size_t *tally)
{
    size_t n = out->n - out->n_missing, first = out->min_length;
    size_t range = out->max_length - first, end = out->max_length + 1;

    if (n == 0)
        return;
    out->mean_length /= (double)n;
    out->median_length =
        (length_at(tally, (n - 1) / 2) + length_at(tally, n / 2)) / 2;
    out->n_bins = range < PROFILE_BINS ? range + 1 : PROFILE_BINS;
    for (size_t len = first; len < end && len < PROFILE_LENGTHS; len++)
        out->histogram[(len - first) * out->n_bins / (range + 1)] += tally[len];
}

/* ---- values ---------------------------------------------------------- */

static bool
text_value(struct profile_column *out, size_t count, struct str s,
           size_t *tally, struct error *err)
{
    profile_distinct_add(out, count);
    add_length(out, profile_code_points(s), count, tally);
    return profile_top_insert(out->top, &out->n_top, count, s, err);
}

/* A dictionary may hold texts that no row has. */
static bool
text_column(const struct column *c, struct profile_column *out,
            struct error *err)
{
    const struct dict *d = column_dict(c);
    size_t n = dict_count(d);
    size_t *count = mem_try_array(n, sizeof *count, err);
    size_t *tally =
        count ? mem_try_array(PROFILE_LENGTHS, sizeof *tally, err) : NULL;
    bool ok = tally;

    for (size_t i = 0; ok && i < out->n; i++)
        if (column_is_valid(c, i))
            count[column_codes(c)[i]]++;
    for (size_t i = 0; ok && i < n; i++)
        if (count[i])
            ok = text_value(out, count[i], dict_text(d, (uint32_t)i), tally,
                            err);
    if (ok)
        profile_lengths(out, tally);
    free(tally);
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

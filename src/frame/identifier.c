/* frame/identifier.c -- columns that name rows.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/identifier.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "frame/order.h"

enum { LOOK = 64, LOOK_ALIKE = 16 };

static bool
ends_with(struct str s, const char *end)
{
    size_t n = strlen(end);

    return s.n >= n &&
           str_eq_nocase((struct str){s.p + s.n - n, n}, str_of(end));
}

bool
identifier_name(const char *name)
{
    struct str s = str_of(name);

    return str_eq_nocase(s, STR("id")) || ends_with(s, "_id") ||
           ends_with(s, "-id") || ends_with(s, " id") || ends_with(s, ".id") ||
           (s.n > 2 && strcmp(name + s.n - 2, "Id") == 0) ||
           ends_with(s, "uuid") || ends_with(s, "guid");
}

/* Do some rows, evenly spaced, say already that values are often alike? */
static bool
looks_alike(const struct column *c)
{
    size_t rows = column_rows(c), n = rows < LOOK ? rows : LOOK, alike = 0;
    double x[LOOK];

    for (size_t i = 0; i < n; i++) {
        size_t j = 0;

        x[i] = column_number(c, i * rows / n);
        while (j < i && x[j] != x[i])
            j++;
        alike += j < i;
    }
    return alike > LOOK_ALIKE;
}

/* By its name, because they only rise or fall, or fill a range. */
static bool
could_name(const char *name, const struct column *c, size_t n)
{
    const int64_t *x = column_int64s(c);
    double least = 0, most = 0, last = 0;
    size_t at = 0, n_rise = 0, n_fall = 0;

    for (size_t i = 0; i < column_rows(c); i++) {
        double v = (double)x[i];

        if (!column_is_valid(c, i))
            continue;
        n_rise += at > 0 && v > last;
        n_fall += at > 0 && v < last;
        least = at == 0 || v < least ? v : least;
        most = at == 0 || v > most ? v : most;
        last = v;
        at++;
    }
    return identifier_name(name) || n_rise + 1 == n || n_fall + 1 == n ||
           most - least < 1.5 * (double)n;
}

static bool
count_distinct(const struct column *c, size_t *n, struct error *err)
{
    size_t rows = column_rows(c), m = 0;
    uint64_t *key = mem_try_array(rows, sizeof *key, err);
    uint64_t *scratch = key ? mem_try_array(rows, sizeof *key, err) : NULL;
    const uint64_t *sorted;
    bool ok = scratch != NULL;

    *n = 0;
    for (size_t i = 0; i < rows && ok; i++)
        if (column_is_valid(c, i))
            key[m++] = order_of_int(column_int64s(c)[i]);
    sorted = ok ? order_sort(key, scratch, m) : NULL;
    for (size_t i = 0; i < m && ok; i++)
        *n += i == 0 || sorted[i] != sorted[i - 1];
    free(key);
    free(scratch);
    return ok;
}

bool
identifier_numbers(const struct frame *f, size_t col, bool *is,
                   struct error *err)
{
    const struct column *c = frame_column(f, col);
    size_t n, distinct;

    *is = false;
    if (column_type(c) != COL_INT64)
        return true;
    n = column_rows(c) - column_missing(c);
    if (n <= IDENTIFIER_LEAST || looks_alike(c) ||
        !could_name(frame_name(f, col), c, n))
        return true;
    if (!count_distinct(c, &distinct, err))
        return false;
    *is = (double)distinct >= IDENTIFIER_SHARE * (double)n;
    return true;
}

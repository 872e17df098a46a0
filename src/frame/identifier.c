/* frame/identifier.c -- columns that name rows.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/identifier.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "frame/order.h"

enum { LOOK = 64, LOOK_ALIKE = 16, COUNTED = 1 << 20 };

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

bool
identifier_range(size_t n, size_t n_rise, size_t n_fall, double min, double max)
{
    return n_rise + 1 == n || n_fall + 1 == n || max - min < 1.5 * (double)n;
}

/* Do some rows, evenly spaced, say already that values are often alike? */
static bool
looks_alike(const struct column *c)
{
    const int64_t *x = column_int64s(c);
    size_t rows = column_rows(c), n = rows < LOOK ? rows : LOOK, alike = 0;

    for (size_t i = 0; i < n; i++) {
        int64_t v = x[i * rows / n];
        size_t j = 0;

        while (j < i && x[j * rows / n] != v)
            j++;
        alike += j < i;
    }
    return alike > LOOK_ALIKE;
}

static bool
is_range(const struct column *c, size_t n)
{
    const int64_t *x = column_int64s(c);
    int64_t least = INT64_MAX, most = INT64_MIN, last = 0;
    size_t at = 0, n_rise = 0, n_fall = 0;

    for (size_t i = 0; i < column_rows(c); i++) {
        if (!column_is_valid(c, i))
            continue;
        n_rise += at > 0 && x[i] > last;
        n_fall += at > 0 && x[i] < last;
        least = x[i] < least ? x[i] : least;
        most = x[i] > most ? x[i] : most;
        last = x[i];
        at++;
    }
    return identifier_range(n, n_rise, n_fall, (double)least, (double)most);
}

/* Do nearly all values differ, of COUNTED rows, evenly spaced, where there are
 * more? */
static bool
nearly_all_differ(const struct column *c)
{
    size_t rows = column_rows(c), n = rows < COUNTED ? rows : COUNTED;
    size_t m = 0, distinct = 0;
    struct error ignored;
    uint64_t *key = mem_try_array(2 * n, sizeof *key, &ignored);
    const uint64_t *sorted;

    if (!key)
        return false;
    for (size_t i = 0; i < n; i++) {
        size_t row = i * rows / n;

        if (column_is_valid(c, row))
            key[m++] = order_of_int(column_int64s(c)[row]);
    }
    sorted = order_sort(key, key + n, m);
    for (size_t i = 0; i < m; i++)
        distinct += i == 0 || sorted[i] != sorted[i - 1];
    free(key);
    return (double)distinct >= IDENTIFIER_SHARE * (double)m;
}

bool
identifier_numbers(const struct frame *f, size_t col)
{
    const struct column *c = frame_column(f, col);
    size_t n;

    if (column_type(c) != COL_INT64)
        return false;
    n = column_rows(c) - column_missing(c);
    return n > IDENTIFIER_LEAST && !looks_alike(c) &&
           (identifier_name(frame_name(f, col)) || is_range(c, n)) &&
           nearly_all_differ(c);
}

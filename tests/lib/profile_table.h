/* lib/profile_table.h -- a table that pandas and lathe make by the same
 * formulas, for tests of profiles.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_TESTS_PROFILE_TABLE_H
#define LATHE_TESTS_PROFILE_TABLE_H

#include <math.h>
#include <string.h>

#include "frame/builder.h"
#include "frame/profile.h"

enum { N = 1000 };
enum { X, K, WORD, FLAG, DAY, Z, V, Y, N_COLS };

/* x float, missing where i % 10 is 3; z = x * x + k; the rest is complete. */
static inline struct frame *
table(void)
{
    static const char *const names[] = {"x",   "k", "word", "flag",
                                        "day", "z", "v",    "y"};
    static const enum col_type types[] = {COL_FLOAT64, COL_INT64, COL_TEXT,
                                          COL_BOOL,    COL_DATE,  COL_FLOAT64,
                                          COL_TEXT,    COL_BOOL};
    static const char *const words[] = {"a", "bb", "ccc", "d\xc3\xa9"};
    struct error err = {0};
    struct builder *b = builder_new(N_COLS, names, types, &err);
    struct frame *f;

    assert_non_null(b);
    for (int64_t i = 0; i < N; i++) {
        double x = (double)(i * 7919 % 1009) * 0.1 - 20.0;
        int64_t k = i * i % 97;
        int64_t w = i * i % 7 % 4;
        bool ok = true;

        if (i % 10 != 3)
            ok = builder_f64(b, X, x, &err) &&
                 builder_f64(b, Z, x * x + (double)k, &err);
        assert_true(ok && builder_i64(b, K, k, &err) &&
                    builder_text(b, WORD, str_of(words[w]), &err) &&
                    builder_i64(b, FLAG, i % 10 == 0, &err) &&
                    builder_i64(b, DAY, 19000 + i * 13 % 400, &err) &&
                    builder_text(b, V,
                                 str_of(i % 11 == 0 ? "z"
                                        : w > 1     ? "q"
                                                    : "r"),
                                 &err) &&
                    builder_i64(b, Y, (k > 60) != (i % 13 == 0), &err) &&
                    builder_end_row(b, &err));
    }
    f = builder_finish(b, &err);
    assert_non_null(f);
    return f;
}

static inline struct profile *
profile_of(struct frame *f, const char *target)
{
    struct error err = {0};
    struct profile *p = profile_new(
        f, &(struct profile_options){.target = target}, NULL, NULL, &err);

    if (!p)
        fail_msg("%s", err.message);
    frame_unref(f);
    return p;
}

static inline void
expect_near(const char *what, double got, double want)
{
    if (!(fabs(got - want) <= 1e-9 * fmax(1, fabs(want))))
        fail_msg("%s: got %.17g, want %.17g", what, got, want);
}

/* No line of the printed profile is wider than the page. */
static inline void
expect_widths(const struct profile *p)
{
    static const size_t widths[] = {40, 60, 80, 100, 132, 160, 240};

    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        for (int utf8 = 0; utf8 < 2; utf8++) {
            struct buf b;
            char *line, *rest;

            buf_init(&b);
            profile_print(p, widths[i], utf8, &b);
            for (rest = b.data; (line = strsep(&rest, "\n"));) {
                size_t w = str_width(str_of(line));

                if (w > widths[i])
                    fail_msg("%zu cells, at most %zu: %s", w, widths[i], line);
                if (*line && line[strlen(line) - 1] == ' ')
                    fail_msg("blanks at the end of: %s", line);
            }
            buf_fini(&b);
        }
}
#endif

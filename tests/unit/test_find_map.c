/* Which cells match a pattern: against each cell printed and matched by
 * itself.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "frame/builder.h"
#include "ui/find_map.h"

enum { ROWS = 9000, COLS = 5 };

/* Few and many whole numbers, texts, dates, floats; a tenth is missing. */
static struct frame *
make_frame(void)
{
    static const char *const names[] = {"few", "many", "text", "day", "x"};
    static const enum col_type types[] = {COL_INT64, COL_INT64, COL_TEXT,
                                          COL_DATE, COL_FLOAT64};
    static const char *const words[] = {"",     "Anna",        "BANANA", "1",
                                        "na-1", "\xc3\xa4nna", "x",      "a.c"};
    struct error err;
    struct builder *b = builder_new(COLS, names, types, &err);
    struct frame *f;

    for (uint64_t i = 0; i < ROWS; i++) {
        uint64_t x = rng_at(7, 1, i);

        if (x % 10 != 0)
            assert_true(builder_i64(b, 0, (int64_t)(x % 90) - 9, &err) &&
                        builder_i64(b, 1, (int64_t)(x >> 8), &err) &&
                        builder_text(b, 2, str_of(words[x >> 3 & 7]), &err) &&
                        builder_i64(b, 3, (int64_t)(x % 4000), &err) &&
                        builder_f64(b, 4, (double)(x % 300) / 8, &err));
        assert_true(builder_end_row(b, &err));
    }
    f = builder_finish(b, &err);
    assert_non_null(f);
    return f;
}

/* Every third row, backwards; or all of them. */
static struct rowset *
some_rows(bool some)
{
    uint32_t *id = mem_new(ROWS * sizeof *id);
    size_t n = 0;

    for (uint32_t i = ROWS; some && i-- > 0;)
        if (i % 3 == 0)
            id[n++] = i;
    if (some)
        return rowset_new(id, n);
    free(id);
    return NULL;
}

static bool
matches(const struct find_what *w, size_t row, size_t col)
{
    const struct column *c = frame_column(w->frame, col);
    size_t id = w->rows ? rowset_ids(w->rows)[row] : row;
    struct error err;
    bool found = false;
    struct buf b;

    if (!column_is_valid(c, id) || (w->only >= 0 && w->only != (long)col))
        return false;
    buf_init(&b);
    column_print(c, id, &b);
    assert_true(regex_find(w->regex, (struct str){b.data, b.len}, &found, 0,
                           NULL, &err));
    buf_fini(&b);
    return found;
}

/* Forwards from the first cell all matches are met, each with its number, and
 * backwards the same. */
static void
expect_walks(const struct find_map *m, size_t first, size_t n_cols)
{
    size_t row = first, n = find_map_count(m), dir_row;
    long col = -1;

    for (uint64_t k = 1; k <= n; k++) {
        if (!find_map_next_in_row(m, row, &col, 1)) {
            assert_true(find_map_next_row(m, &row, 1));
            col = -1;
            assert_true(find_map_next_in_row(m, row, &col, 1));
        }
        assert_int_equal(find_map_place(m, row, (size_t)col), k);
    }
    dir_row = row;
    for (uint64_t k = n; k > 1; k--) {
        if (!find_map_next_in_row(m, dir_row, &col, -1)) {
            assert_true(find_map_next_row(m, &dir_row, -1));
            col = (long)n_cols;
            assert_true(find_map_next_in_row(m, dir_row, &col, -1));
        }
        assert_int_equal(find_map_place(m, dir_row, (size_t)col), k - 1);
    }
}

static void
expect_map(struct frame *f, const char *pattern, bool some, long only)
{
    struct error err;
    struct progress progress;
    struct pool *pool = pool_new(2);
    struct rowset *rows = some_rows(some);
    struct find_what w = {
        regex_new(str_of(pattern), true, &err), pattern, f, rows,
        rows ? rowset_n(rows) : ROWS,           only};
    struct find_map *m;
    size_t n = 0, columns = 0, first = 0;

    progress_init(&progress);
    assert_non_null(w.regex);
    m = find_map_new(&w, pool, &progress, &err);
    assert_non_null(m);
    assert_int_equal(find_map_rows(m), w.n_rows);
    for (size_t col = 0; col < COLS; col++) {
        size_t here = 0;

        for (size_t row = 0; row < w.n_rows; row++) {
            bool want = matches(&w, row, col);

            if (find_map_at(m, row, col) != want)
                fail_msg("/%s/ row %zu column %zu", pattern, row, col);
            here += want;
        }
        n += here;
        columns += here > 0;
    }
    assert_int_equal(find_map_count(m), n);
    assert_int_equal(find_map_columns(m), columns);
    if (n > 0) {
        first = w.n_rows - 1; /* the row before the first, around the end */
        if (find_map_next_row(m, &first, 1))
            expect_walks(m, first, COLS);
    }
    find_map_free(m);
    rowset_unref(rows);
    regex_free(w.regex);
    pool_free(pool);
}

static void
test_cells_are_those_that_match_one_by_one(void **state)
{
    static const char *const patterns[] = {"1",     "na",  "^-",    "a.c",
                                           "a\\.c", "2.5", "1971-", "anna$",
                                           "zebra", "^$",  "."};
    struct frame *f = make_frame();

    (void)state;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        for (int some = 0; some < 2; some++) {
            expect_map(f, patterns[i], some, -1);
            expect_map(f, patterns[i], some, 2);
        }
    frame_unref(f);
}

static void
test_no_memory_to_search_is_an_error(void **state)
{
    struct frame *f = make_frame();
    struct error err;
    struct progress progress;
    struct find_what w = {
        regex_new(STR("1"), true, &err), "1", f, NULL, ROWS, -1};
    struct find_map *m = NULL;

    (void)state;
    progress_init(&progress);
    for (unsigned long n = 1; !m; n++) {
        mem_fault_arm(n, false);
        m = find_map_new(&w, NULL, &progress, &err);
        mem_fault_arm(0, false);
        if (!m)
            assert_int_equal(err.code, ERR_NOMEM);
        assert_true(n < 100);
    }
    find_map_free(m);
    regex_free(w.regex);
    frame_unref(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cells_are_those_that_match_one_by_one),
        cmocka_unit_test(test_no_memory_to_search_is_an_error),
    };

    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}

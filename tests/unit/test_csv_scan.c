/* The masks of the two twins, and the state machine on them against one that
 * goes byte by byte.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/pool.h"
#include "base/rng.h"
#include "frame/csv_scan.h"

enum { BLOCKS = 40, LEN = BLOCKS * CSV_BLOCK };

static void
fill(char *p, size_t len, uint64_t seed, bool any_byte)
{
    static const char likely[] = "a,;\"\n\r|\t\"";

    for (size_t i = 0; i < len; i++)
        p[i] = any_byte ? (char)rng_below(seed, 1, i, 256)
                        : likely[rng_below(seed, 2, i, sizeof likely - 1)];
}

static void
marks_are_the_bytes_that_match(void **state)
{
    static char text[LEN];
    static struct csv_marks m[BLOCKS];

    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++) {
        fill(text, LEN, seed, seed % 2);
        csv_kernels_plain.mark(text, BLOCKS, ",;\t|", 4, m);
        for (size_t i = 0; i < LEN; i++) {
            const struct csv_marks *b = &m[i / 64];

            assert_int_equal(b->quote >> (i % 64) & 1, text[i] == '"');
            assert_int_equal(b->lf >> (i % 64) & 1, text[i] == '\n');
            assert_int_equal(b->cr >> (i % 64) & 1, text[i] == '\r');
            assert_int_equal(b->zero >> (i % 64) & 1, text[i] == '\0');
            for (size_t d = 0; d < 4; d++)
                assert_int_equal(b->delimiter[d] >> (i % 64) & 1,
                                 text[i] == ",;\t|"[d]);
        }
    }
}

static void
both_twins_give_the_same_marks(void **state)
{
    static char text[LEN + 1];
    static struct csv_marks a[BLOCKS], b[BLOCKS];

    (void)state;
    if (!cpu_has_avx2())
        skip();
    for (uint64_t seed = 0; seed < 200; seed++) {
        size_t n = 1 + seed % 4;

        fill(text, sizeof text, seed, seed % 2);
        csv_kernels_plain.mark(text + 1, BLOCKS, "|,;\t", n, a);
        csv_kernels_avx2.mark(text + 1, BLOCKS, "|,;\t", n, b);
        assert_memory_equal(a, b, sizeof a);
    }
}

/* The end of each row, byte by byte, from either state. */
static size_t
ends_by_byte(const char *p, size_t len, bool inside, size_t *ends, bool *open)
{
    bool start = !inside, closed = false;
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        bool line_end = p[i] == '\n' || p[i] == '\r';

        if (inside) {
            inside = p[i] != '"';
            closed = !inside;
        } else if (p[i] == '"' && (start || closed)) {
            inside = true;
            closed = false;
        } else {
            closed = false;
            if (p[i] == '\n' && i > 0 && p[i - 1] == '\r' && n > 0 &&
                ends[n - 1] == i)
                ends[n - 1] = i + 1; /* CRLF */
            else if (line_end)
                ends[n++] = i + 1;
        }
        start = !inside && (p[i] == ',' || line_end);
    }
    *open = inside;
    return n;
}

static void
rows_are_counted_from_both_states(void **state)
{
    static size_t ends[700];
    char text[641];

    (void)state;
    for (uint64_t seed = 0; seed < 6000; seed++) {
        size_t len = 1 + seed % 640, n, expected = 1, first, blank = 0;
        struct csv_scan s = {&csv_kernels_plain, text, len, {','}, 1};
        struct csv_count c;
        bool open, ends_inside;

        fill(text, len, seed, false);
        text[len] = '\0';
        n = ends_by_byte(text, len, false, ends, &open);
        for (size_t i = 0; i < n; i++) {
            size_t from = i > 0 ? ends[i - 1] : 0;

            blank += strspn(text + from, "\r\n") >= ends[i] - from;
        }
        csv_count_rows(&s, 0, len, &expected, &c);
        assert_int_equal(c.ends_inside, open);
        assert_int_equal(c.n_rows, n - blank + (n ? ends[n - 1] < len : 1));
        assert_int_equal(csv_row_end(&s, 0), n ? ends[0] : len);

        n = ends_by_byte(text, len, true, ends, &open);
        csv_skip_quoted(&s, 0, len, &first, &ends_inside);
        assert_int_equal(ends_inside, open);
        assert_int_equal(first, n && ends[0] < len ? ends[0] : CSV_NOWHERE);
    }
}

static void
lines_begin_after_lf_cr_and_crlf(void **state)
{
    static const char text[] = "ab\ncd\r\nef\rgh";
    struct csv_scan s = {&csv_kernels_plain, text, 12, {','}, 1};

    (void)state;
    assert_int_equal(csv_next_line(&s, 0, 12), 0);
    assert_int_equal(csv_next_line(&s, 1, 12), 3);
    assert_int_equal(csv_next_line(&s, 3, 12), 3);
    assert_int_equal(csv_next_line(&s, 4, 12), 7);
    assert_int_equal(csv_next_line(&s, 6, 12), 7); /* between CR and LF */
    assert_int_equal(csv_next_line(&s, 8, 12), 10);
    assert_int_equal(csv_next_line(&s, 11, 12), CSV_NOWHERE);
    assert_int_equal(csv_next_line(&s, 4, 6), CSV_NOWHERE);
    assert_int_equal(csv_count_lines(&s, 0, 12), 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_are_the_bytes_that_match),
        cmocka_unit_test(both_twins_give_the_same_marks),
        cmocka_unit_test(rows_are_counted_from_both_states),
        cmocka_unit_test(lines_begin_after_lf_cr_and_crlf),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}

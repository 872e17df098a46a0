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
#include "frame/encoding.h"

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
            assert_int_equal(b->high >> (i % 64) & 1, text[i] < 0);
            for (size_t d = 0; d < 4; d++)
                assert_int_equal(b->delimiter[d] >> (i % 64) & 1,
                                 text[i] == ",;\t|"[d]);
        }
    }
}

/* The twins that this machine runs besides the plain one. */
static size_t
twins(const struct csv_kernels **out)
{
    size_t n = 0;

    if (cpu_has_avx2())
        out[n++] = &csv_kernels_avx2;
    if (cpu_has_avx512())
        out[n++] = &csv_kernels_avx512;
    return n;
}

static void
all_twins_give_the_same_marks(void **state)
{
    static char text[LEN + 1];
    static struct csv_marks a[BLOCKS], b[BLOCKS];
    const struct csv_kernels *twin[2];
    size_t n_twins = twins(twin);

    (void)state;
    if (n_twins == 0)
        skip();
    for (uint64_t seed = 0; seed < 200; seed++) {
        size_t n = 1 + seed % 4;

        fill(text, sizeof text, seed, seed % 2);
        csv_kernels_plain.mark(text + 1, BLOCKS, "|,;\t", n, a);
        for (size_t t = 0; t < n_twins; t++) {
            twin[t]->mark(text + 1, BLOCKS, "|,;\t", n, b);
            assert_memory_equal(a, b, sizeof a);
        }
    }
}

static void
all_twins_count_and_index_alike(void **state)
{
    char text[641];
    const struct csv_kernels *twin[2];
    size_t n_twins = twins(twin);

    (void)state;
    if (n_twins == 0)
        skip();
    for (uint64_t seed = 0; seed < 3000; seed++) {
        size_t len = 1 + seed % 640, expected[4] = {1, 2, 0, 3};
        struct csv_scan s = {&csv_kernels_plain, text, len, ",;|\t", 4};
        struct csv_count a, b;
        struct csv_index x, y;
        struct error err;

        fill(text, len, seed, seed % 5 == 0);
        text[len] = '\0';
        memset(&a, 0, sizeof a);
        memset(&b, 0, sizeof b);
        for (size_t t = 0; t < n_twins; t++)
            for (s.n_delimiters = 1; s.n_delimiters <= 4; s.n_delimiters++) {
                s.kernels = &csv_kernels_plain;
                csv_count_rows(&s, 0, len, expected, &a);
                s.kernels = twin[t];
                csv_count_rows(&s, 0, len, expected, &b);
                assert_memory_equal(&a, &b, sizeof a);
                if (s.n_delimiters > 1)
                    continue;
                assert_true(csv_index_init(&y, &s, 0, len, b.n_rows,
                                           b.n_fields[0], &err));
                s.kernels = &csv_kernels_plain;
                assert_true(csv_index_init(&x, &s, 0, len, a.n_rows,
                                           a.n_fields[0], &err));
                assert_int_equal(x.n_rows, y.n_rows);
                assert_memory_equal(x.row, y.row, x.n_rows * sizeof *x.row);
                assert_memory_equal(x.first, y.first,
                                    (x.n_rows + 1) * sizeof *x.first);
                assert_memory_equal(x.field, y.field,
                                    a.n_fields[0] * sizeof *x.field);
                csv_index_fini(&x);
                csv_index_fini(&y);
            }
    }
}

/* Texts of bytes that nearly make UTF-8, over the ends of blocks. */
static void
bytes_that_are_not_utf8_are_found_where_they_are(void **state)
{
    static const char *const part[] = {
        "a",    "\xc3\xa9", "\xe2\x82\xac", "\n", "\xf0\x9f\x98\x80",
        "\xc3", "\xe2\x82", "\xff",         ",",  "\xed\xa0\x80"};
    const struct csv_kernels *twin[3] = {&csv_kernels_plain};
    size_t n_twins = 1 + twins(twin + 1), n_foreign = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 4000; seed++) {
        struct csv_scan s = {NULL, NULL, 0, ",", 1};
        size_t len = 0, expected = 0;
        char text[400];
        bool foreign;

        for (uint64_t i = 0; len < 200 + seed % 190; i++) {
            /* Mostly what is UTF-8. */
            const char *p =
                part[rng_below(seed, i, 0, 40) ? rng_below(seed, i, 1, 5)
                                               : rng_below(seed, i, 2, 10)];

            memcpy(text + len, p, strlen(p));
            len += strlen(p);
        }
        s.p = text;
        s.len = len;
        foreign = encoding_foreign((struct str){text, len}) < len;
        n_foreign += foreign;
        for (size_t t = 0; t < n_twins; t++) {
            struct csv_count c;

            s.kernels = twin[t];
            csv_count_rows(&s, 0, len, &expected, &c);
            assert_int_equal(c.foreign, foreign);
        }
    }
    assert_in_range(n_foreign, 1000, 3900);
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
        cmocka_unit_test(all_twins_give_the_same_marks),
        cmocka_unit_test(all_twins_count_and_index_alike),
        cmocka_unit_test(bytes_that_are_not_utf8_are_found_where_they_are),
        cmocka_unit_test(rows_are_counted_from_both_states),
        cmocka_unit_test(lines_begin_after_lf_cr_and_crlf),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}

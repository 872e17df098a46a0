/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/plot.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "session/chart.h"
#include "tests/lib/close.h"

enum { N = 5000 };

static double xs[N], ys[N], zs[N];

static struct plot_spec
decaying(struct plot_series s[2])
{
    for (int i = 0; i < N; i++) {
        xs[i] = i;
        ys[i] = 2.5 * exp(-i / 900.0) + 0.3;
        zs[i] = 2.6 * exp(-i / 1200.0) + 0.5;
    }
    zs[2500] = NAN;
    s[0] = (struct plot_series){xs, ys, N, 1, "a 0.31", false, 0};
    s[1] = (struct plot_series){xs, zs, N, 2, "b 0.54", false, 0};
    return (struct plot_spec){.series = s,
                              .n_series = 2,
                              .width = 60,
                              .height = 16,
                              .x_min = NAN,
                              .x_max = NAN,
                              .y_min = 0,
                              .y_max = 3,
                              .glyphs = PLOT_BRAILLE};
}

static int
count_ink(const struct plot_image *im, int ink)
{
    int n = 0;

    for (int i = 0; i < im->width * im->height; i++)
        n += im->cell[i].cp && im->cell[i].ink == ink;
    return n;
}

/* The cell of a series in a text column, -1 when there is none. */
static int
row_of(const struct plot_image *im, int x, int ink)
{
    for (int y = 0; y < im->height; y++)
        if (plot_image_at(im, x, y)->ink == ink &&
            plot_image_at(im, x, y)->cp >= 0x2800)
            return y;
    return -1;
}

static void
check_decaying(const struct plot_image *im)
{
    struct buf b;

    buf_init(&b);
    plot_image_text(im, &b);
    if (!strstr(b.data, "a 0.31") || !strstr(b.data, "b 0.54") ||
        !strstr(b.data, "4000"))
        fail_msg("labels are missing:\n%s", b.data);
    /* Both fall from left to right, and b stays above a. */
    for (int x = 12; x < 48; x += 6) {
        int a = row_of(im, x, 1), c = row_of(im, x, 2);

        if (a < 0 && c < 0)
            fail_msg("no curve in column %d:\n%s", x, b.data);
        if (a >= 0 && c >= 0)
            assert_true(c <= a);
    }
    assert_true(row_of(im, 6, 1) < row_of(im, 45, 1));
    assert_true(count_ink(im, INK_AXIS) > 16 + 40);
    assert_true(count_ink(im, INK_GRID) > 40);
    buf_fini(&b);
}

static void
test_the_built_in_layout_draws_curves_axes_and_labels(void **state)
{
    struct plot_series s[2];
    struct plot_spec spec = decaying(s);
    struct plot_image im;
    struct error err;

    (void)state;
    assert_ok(plot_draw(&spec, &im, &err), err);
    check_decaying(&im);
    plot_image_fini(&im);
}

static void
test_every_size_down_to_ten_by_four_draws(void **state)
{
    struct plot_series s[2];
    struct plot_spec spec = decaying(s);
    struct error err;

    (void)state;
    for (int w = 8; w < 40; w++)
        for (int h = 2; h < 12; h++) {
            struct plot_image im = {0};

            spec.width = w;
            spec.height = h;
            spec.glyphs = (enum plot_glyphs)(w % 3);
            assert_int_equal(plot_draw(&spec, &im, &err), w >= 10 && h >= 4);
            plot_image_fini(&im);
        }
}

static void
test_empty_constant_and_unplottable_series_still_draw(void **state)
{
    double x[3] = {1, 2, 3}, same[3] = {7, 7, 7}, none[3] = {NAN, NAN, NAN};
    double minus[3] = {-1, 0, 5};
    const double *all[] = {same, none, minus};
    struct error err;

    (void)state;
    for (int i = 0; i < 3; i++)
        for (int log = 0; log < 2; log++) {
            struct plot_series s = {x, all[i], 3, 1, "a", i == 2, 0};
            struct plot_spec spec = plot_spec_of(&s, 1, 40, 10);
            struct plot_image im;

            spec.log_x = spec.log_y = log;
            assert_ok(plot_draw(&spec, &im, &err), err);
            assert_int_equal(count_ink(&im, 1) > 0, i != 1);
            plot_image_fini(&im);
        }
}

/* The label of the upper line stands above that of the lower one, whichever
 * comes first in the list. */
static void
test_labels_stand_in_the_order_of_the_ends(void **state)
{
    double x[2] = {0, 1}, high[2] = {1, 0.501}, low[2] = {0, 0.499};
    struct error err;

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct plot_series s[2] = {{x, i ? low : high, 2, 1, "one", false, 0},
                                   {x, i ? high : low, 2, 2, "two", false, 0}};
        struct plot_spec spec = plot_spec_of(s, 2, 40, 12);
        struct plot_image im;
        struct buf b;

        buf_init(&b);
        assert_ok(plot_draw(&spec, &im, &err), err);
        plot_image_text(&im, &b);
        assert_int_equal(strstr(b.data, "one") < strstr(b.data, "two"), i == 0);
        buf_fini(&b);
        plot_image_fini(&im);
    }
}

static void
test_decimation_keeps_the_extremes_of_every_column(void **state)
{
    struct plot_series s[2];
    struct plot_spec spec = decaying(s);
    struct chart_frame f;
    struct chart_data d;
    struct error err;
    double highest = 0;

    (void)state;
    ys[1234] = 99;
    assert_true(chart_frame_of(&spec, &f));
    assert_ok(chart_decimate(&spec, 0, &f, 1, &d, &err), err);
    assert_true(d.n <= 4 * (size_t)(f.x.to - f.x.from + 1) + 1);
    for (size_t i = 0; i < d.n; i++) {
        highest = fmax(highest, d.y[i]);
        if (i > 0)
            assert_true(d.x[i] >= d.x[i - 1]);
    }
    assert_close(highest, 99, 0);
    free(d.x);
    free(d.y);
}

static void
test_hostile_display_lists_are_errors(void **state)
{
    static const char *const bad[] = {
        "",
        "BEGIN 10 10 8\n",
        "END\n",
        "BEGIN 0 5 8\nEND\n",
        "BEGIN 99999 99999 8\nEND\n",
        "BEGIN 10 10 8\nP 1 2 3\nEND\n",
        "BEGIN 10 10 8\nZ\nEND\n",
        "BEGIN 10 10 8\nP 99999999999 1 2 2\nEND\n",
    };
    struct chart_list l;
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        chart_init(&l, 1, 1, 1);
        if (chart_parse(str_of(bad[i]), &l, &err))
            fail_msg("accepted: %s", bad[i]);
        chart_fini(&l);
    }
    {
        struct plot_spec spec = {0};
        struct plot_image im;

        chart_init(&l, 1, 1, 1);
        assert_ok(chart_parse(STR("BEGIN 10 4 8\nP 0 0 900000000 1\nEND\n"), &l,
                              &err),
                  err);
        assert_false(chart_raster(&l, &spec, &im, &err));
        chart_fini(&l);
    }
}

/* ---- with the real gnuplot ---- */

struct frames {
    int n;
    bool checked;
    char labels[256]; /* the numbers of both axes, as drawn */
    char note[200];
};

static void
axis_labels(const struct plot_image *im, char *out, size_t size)
{
    size_t n = 0;

    for (int y = 0; y < im->height; y++)
        for (int x = 0; x < im->width; x++) {
            const struct plot_cell *c = plot_image_at(im, x, y);

            if (c->cp && c->ink == INK_TEXT && n + 2 < size) {
                out[n++] = (char)c->cp;
                if (x + 1 == im->width || !plot_image_at(im, x + 1, y)->cp ||
                    plot_image_at(im, x + 1, y)->ink != INK_TEXT)
                    n += (size_t)snprintf(out + n, size - n, "@%d,%d ", x, y);
            }
        }
    out[n] = '\0';
}

static void
on_frame(void *ctx, const struct plot_image *im)
{
    struct frames *f = ctx;

    f->n++;
    axis_labels(im, f->labels, sizeof f->labels);
    if (im->width == 60) {
        check_decaying(im);
        f->checked = true;
    }
}

static void
on_note(void *ctx, const char *text)
{
    struct frames *f = ctx;

    snprintf(f->note, sizeof f->note, "%s", text);
}

static void
turn_until(struct loop *l, const struct frames *f, int n)
{
    int64_t limit = loop_now_ms() + 20000;

    while (f->n < n && loop_now_ms() < limit)
        loop_turn(l, 100);
    assert_int_equal(f->n, n);
}

static void
test_gnuplot_draws_the_same_picture_and_a_new_size(void **state)
{
    struct loop *l = loop_new();
    struct frames f = {0};
    struct plotter *p;
    struct plot_series s[2];
    struct plot_spec spec = decaying(s);

    (void)state;
    if (access("/usr/bin/gnuplot", X_OK) != 0)
        skip();
    p = plotter_new(l, on_note, &f);
    plotter_request(p, &spec, on_frame, &f);
    turn_until(l, &f, 1);
    assert_true(f.checked);
    spec.width = 30;
    plotter_request(p, &spec, on_frame, &f);
    plotter_request(p, &spec, on_frame, &f);
    plotter_request(p, &spec, on_frame, &f);
    turn_until(l, &f, 3); /* the middle one was replaced by the last */
    assert_true(plotter_uses_gnuplot(p));
    plotter_free(p);
    loop_free(l);
}

/* The same numbers in the same rows; a tie is rounded either way. */
static void
check_same_labels(const char *got, const char *want)
{
    char a[24], b[24];
    int ax, ay, bx, by, n, m;

    while (sscanf(got, "%23[^@]@%d,%d %n", a, &ax, &ay, &n) == 3 &&
           sscanf(want, "%23[^@]@%d,%d %n", b, &bx, &by, &m) == 3) {
        if (strcmp(a, b) != 0 || ay != by || abs(ax - bx) > 1)
            fail_msg("%s at %d,%d, want %s at %d,%d", a, ax, ay, b, bx, by);
        got += n;
        want += m;
    }
    assert_string_equal(got, "");
    assert_string_equal(want, "");
}

static void
test_gnuplot_puts_the_numbers_where_the_built_in_layout_does(void **state)
{
    static const int sizes[][2] = {{62, 16}, {30, 6}, {20, 5}, {110, 40}};
    struct loop *l = loop_new();
    struct frames f = {0};
    struct plotter *p;
    struct plot_series s[2];
    struct plot_spec spec = decaying(s);

    (void)state;
    if (access("/usr/bin/gnuplot", X_OK) != 0)
        skip();
    p = plotter_new(l, on_note, &f);
    for (int i = 0; i < 16; i++) {
        struct plot_image im;
        struct error err;
        char want[sizeof f.labels];

        spec.width = sizes[i / 4][0];
        spec.height = sizes[i / 4][1];
        spec.log_x = spec.log_y = i % 2;
        spec.y_min = spec.y_max = NAN;
        for (int k = 0; k < N; k++)
            ys[k] =
                (i & 2 ? 4e5 : 1) * (2.5 * exp(-k / 900.0) - 0.4 * !(i % 2));
        assert_ok(plot_draw(&spec, &im, &err), err);
        axis_labels(&im, want, sizeof want);
        plot_image_fini(&im);
        plotter_request(p, &spec, on_frame, &f);
        turn_until(l, &f, i + 1);
        check_same_labels(f.labels, want);
    }
    assert_true(plotter_uses_gnuplot(p));
    plotter_free(p);
    loop_free(l);
}

static void
test_without_gnuplot_the_built_in_layout_stands_in_and_says_so(void **state)
{
    struct loop *l = loop_new();
    struct frames f = {0};
    struct plotter *p;
    struct plot_series s[2];
    struct plot_spec spec = decaying(s);
    char *path = mem_text(getenv("PATH"));

    (void)state;
    setenv("PATH", "/nonexistent", 1);
    p = plotter_new(l, on_note, &f);
    plotter_request(p, &spec, on_frame, &f);
    turn_until(l, &f, 1);
    setenv("PATH", path, 1);
    assert_true(f.checked);
    assert_false(plotter_uses_gnuplot(p));
    assert_non_null(strstr(f.note, "apt-get install gnuplot-nox"));
    free(path);
    plotter_free(p);
    loop_free(l);
}

/* Two clouds: four of `a` and one of `b` in one cell, `b` alone in another. */
static void
test_a_mark_stands_where_its_series_has_most(void **state)
{
    static const double ax[] = {1, 1.01, 1.02, 1, 9},
                        ay[] = {1, 1, 1.01, 1.02, 9}, bx[] = {1, 5},
                        by[] = {1, 5};
    const struct plot_series s[2] = {{ax, ay, 5, 1, NULL, true, 'a'},
                                     {bx, by, 2, 2, NULL, true, 'b'}};
    struct plot_spec spec = plot_spec_of(s, 2, 40, 12);
    struct plot_image im;
    struct error err;
    size_t a = 0, b = 0;

    (void)state;
    assert_ok(plot_draw(&spec, &im, &err), err);
    for (int i = 0; i < 40 * 12; i++) {
        a += im.cell[i].cp == 'a' && im.cell[i].ink == 1;
        b += im.cell[i].cp == 'b' && im.cell[i].ink == 2;
    }
    assert_int_equal(a, 2);
    assert_int_equal(b, 1);
    plot_image_fini(&im);
}

/* What a line of one value draws is a dot at most. */
static void
test_a_line_of_one_value_has_a_mark(void **state)
{
    static const double x[] = {1, 2, 3}, one[] = {NAN, 5, NAN},
                        above[] = {-1, 5, 0}, two[] = {1, NAN, 2};
    static const struct {
        const double *y;
        bool log_y;
        enum plot_glyphs glyphs;
        size_t marks;
    } want[] = {
        {one, false, PLOT_BRAILLE, 1},   {one, false, PLOT_BLOCK, 1},
        {one, false, PLOT_ASCII, 0},     {above, true, PLOT_BRAILLE, 1},
        {above, false, PLOT_BRAILLE, 0}, {two, false, PLOT_BRAILLE, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        struct plot_series s = {x, want[i].y, 3, 1, "a 5", false, 0};
        struct plot_spec spec = plot_spec_of(&s, 1, 40, 12);
        struct plot_image im;
        struct error err;
        struct buf svg;
        size_t marks = 0;

        spec.log_y = want[i].log_y;
        spec.glyphs = want[i].glyphs;
        assert_ok(plot_draw(&spec, &im, &err), err);
        for (int k = 0; k < 40 * 12; k++)
            marks += im.cell[k].cp == 0x25cf && im.cell[k].ink == 1;
        assert_int_equal(marks, want[i].marks);
        assert_true(count_ink(&im, 1) > 0);
        plot_image_fini(&im);
        buf_init(&svg);
        assert_ok(plot_svg(&spec, &svg, &err), err);
        assert_int_equal(strstr(svg.data, "<circle class=\"t1\"") != NULL,
                         want[i].y == one || want[i].log_y);
        buf_fini(&svg);
    }
}

static void
test_points_are_drawn_once_a_dot(void **state)
{
    double x[1000], y[1000];
    const struct plot_series s[1] = {{x, y, 1000, 1, NULL, true, 0}};
    struct plot_spec spec = plot_spec_of(s, 1, 40, 12);
    struct chart_frame f;
    struct chart_data d;
    struct error err;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        x[i] = i % 3;
        y[i] = i % 2;
    }
    y[500] = NAN;
    assert_true(chart_frame_of(&spec, &f));
    assert_ok(chart_decimate(&spec, 0, &f, 1, &d, &err), err);
    assert_int_equal(d.n, 6);
    free(d.x);
    free(d.y);
}

/* 20089 is 2025-01-01, 20454 is 2026-01-01. */
static void
test_an_axis_of_time_is_marked_by_the_calendar(void **state)
{
    static const double x[] = {20089, 20454}, y[] = {0, 1};
    static const double t[] = {20089 * 86400.0, 20089 * 86400.0 + 7200};
    struct plot_series s[1] = {{x, y, 2, 1, NULL, false, 0}};
    struct plot_spec spec = plot_spec_of(s, 1, 60, 12);
    struct chart_frame f;

    (void)state;
    spec.x_unit = PLOT_DAYS;
    assert_true(chart_frame_of(&spec, &f));
    assert_int_equal(f.x.tick.n, 5);
    assert_string_equal(f.x.tick.text[0], "2025-01");
    assert_string_equal(f.x.tick.text[1], "2025-04");
    assert_close(f.x.tick.at[4], 20454, 0);
    s[0].x = t;
    spec.x_unit = PLOT_SECONDS;
    assert_true(chart_frame_of(&spec, &f));
    assert_string_equal(f.x.tick.text[0], "2025-01-01");
    assert_string_equal(f.x.tick.text[1], "00:30");
    assert_string_equal(f.x.tick.text[f.x.tick.n - 1], "02:00");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_built_in_layout_draws_curves_axes_and_labels),
        cmocka_unit_test(test_every_size_down_to_ten_by_four_draws),
        cmocka_unit_test(test_empty_constant_and_unplottable_series_still_draw),
        cmocka_unit_test(test_labels_stand_in_the_order_of_the_ends),
        cmocka_unit_test(test_decimation_keeps_the_extremes_of_every_column),
        cmocka_unit_test(test_a_mark_stands_where_its_series_has_most),
        cmocka_unit_test(test_a_line_of_one_value_has_a_mark),
        cmocka_unit_test(test_points_are_drawn_once_a_dot),
        cmocka_unit_test(test_an_axis_of_time_is_marked_by_the_calendar),
        cmocka_unit_test(test_hostile_display_lists_are_errors),
        cmocka_unit_test(test_gnuplot_draws_the_same_picture_and_a_new_size),
        cmocka_unit_test(
            test_gnuplot_puts_the_numbers_where_the_built_in_layout_does),
        cmocka_unit_test(
            test_without_gnuplot_the_built_in_layout_stands_in_and_says_so),
    };

    signal(SIGPIPE, SIG_IGN);
    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}

/* Labels of a chart at every size and for every range.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/chart.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "tests/lib/close.h"

static const double ranges[][2] = {
    {0, 1},
    {0.4612, 0.69},
    {0, 299},
    {-300, 0},
    {1, 2},
    {0.01, 0.01},
    {0, 0},
    {-5, -5},
    {1e-9, 3e-9},
    {-1e-300, 1e-300},
    {1e15, 1e15 + 1},
    {-1e12, 3e12},
    {99.99, 100.01},
    {-DBL_MAX, DBL_MAX},
    {0, DBL_MAX},
    {DBL_MAX, DBL_MAX},
    {5e-324, 1e-323},
    {-40, 60},
    {0.1, 0.30000000000000004},
    {1, 12345678},
    {-7e-5, 1e-5},
};
enum { N_RANGES = sizeof ranges / sizeof *ranges };

struct chart_case {
    struct plot_series series;
    struct plot_spec spec;
    double x[8], y[8];
};

/* Four points over both ranges, with what cannot be drawn between them. */
static void
make_case(struct chart_case *c, int w, int h, const double x[2],
          const double y[2])
{
    const double xs[8] = {x[0], NAN, x[0], x[0], INFINITY, x[1], x[1], x[1]};
    const double ys[8] = {y[0], y[0], NAN, y[1], y[1], -INFINITY, y[0], y[1]};

    memcpy(c->x, xs, sizeof xs);
    memcpy(c->y, ys, sizeof ys);
    c->series =
        (struct plot_series){c->x, c->y, 8, 1, "valid 0.4321", false, 0};
    c->spec = plot_spec_of(&c->series, 1, w, h);
}

static void
check_ticks(const struct chart_axis *a, const char *what)
{
    assert_true(isfinite(a->low) && isfinite(a->high) && a->low < a->high);
    for (int i = 0; i < a->tick.n; i++) {
        double said = strtod(a->tick.text[i], NULL);
        double near = fmax(fabs(a->tick.at[i]) * 1e-9, DBL_MIN);

        if (fabs(said - a->tick.at[i]) > near)
            fail_msg("%s: a tick at %.17g says %s", what, a->tick.at[i],
                     a->tick.text[i]);
        if (i > 0 && strcmp(a->tick.text[i], a->tick.text[i - 1]) == 0)
            fail_msg("%s: two ticks say %s", what, a->tick.text[i]);
    }
}

static void
check_frame(const struct plot_spec *s, const struct chart_frame *f, bool even)
{
    int end = -2, row = -2, gap = 0;

    check_ticks(&f->x, "x");
    check_ticks(&f->y, "y");
    assert_in_range(f->x.to - f->x.from, 8, 2 * s->width);
    for (int i = 0; i < f->x.tick.n; i++) {
        int from, to;

        chart_label_cells(s->width, chart_axis_dot(&f->x, f->x.tick.at[i]),
                          (int)strlen(f->x.tick.text[i]), &from, &to);
        if (from < end + 1 || from < 0 || to > s->width)
            fail_msg("%d x %d: x label %s in cells %d to %d after %d", s->width,
                     s->height, f->x.tick.text[i], from, to, end);
        end = to;
    }
    for (int i = 0; i < f->y.tick.n; i++) {
        int at = chart_axis_dot(&f->y, f->y.tick.at[i]) / 4;

        if (at < row + 2 || at < 2 || at >= s->height)
            fail_msg("%d x %d: y label %s in row %d after %d", s->width,
                     s->height, f->y.tick.text[i], at, row);
        if (even && i > 1 && at - row != gap)
            fail_msg("%d x %d: y labels %d rows apart, then %d", s->width,
                     s->height, gap, at - row);
        assert_true((int)strlen(f->y.tick.text[i]) <= f->left);
        gap = at - row;
        row = at;
    }
}

static void
test_labels_never_touch_at_any_size_for_any_range(void **state)
{
    (void)state;
    for (int w = 20; w <= 200; w += 1 + w / 12)
        for (int h = 5; h <= 60; h++)
            for (int i = 0; i < N_RANGES; i++) {
                struct chart_case c;
                struct chart_frame f;

                make_case(&c, w, h, ranges[(i + w + h) % N_RANGES], ranges[i]);
                assert_true(chart_frame_of(&c.spec, &f));
                check_frame(&c.spec, &f, true);
                c.spec.log_x = c.spec.log_y = true;
                if (chart_frame_of(&c.spec, &f))
                    check_frame(&c.spec, &f, false);
            }
}

static void
test_labels_of_random_ranges_never_touch(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 20000; i++) {
        struct chart_case c;
        struct chart_frame f;
        double x[2], y[2];

        for (unsigned k = 0; k < 2; k++) {
            uint64_t a = rng_at(7, i, 2 * k), b = rng_at(7, i, 2 * k + 1);

            x[k] = (double)(int32_t)a * pow(10, (double)(a >> 58) - 40);
            y[k] = (double)(int32_t)b * pow(10, (double)(b >> 58) - 40);
        }
        make_case(&c, 20 + (int)(rng_at(7, i, 9) % 181),
                  5 + (int)(rng_at(7, i, 8) % 56),
                  (double[]){fmin(x[0], x[1]), fmax(x[0], x[1])},
                  (double[]){fmin(y[0], y[1]), fmax(y[0], y[1])});
        if (i % 3 == 1)
            c.spec.y_min = fmin(0, fmin(y[0], y[1]));
        assert_true(chart_frame_of(&c.spec, &f));
        check_frame(&c.spec, &f, true);
        if (f.y.tick.n == 0 && f.left > 0)
            fail_msg("no y label from %g to %g", y[0], y[1]);
    }
}

static void
test_values_stay_clear_of_the_axis_and_the_frame(void **state)
{
    (void)state;
    for (int h = 5; h <= 60; h++)
        for (int i = 0; i < N_RANGES; i++) {
            struct chart_case c;
            struct chart_frame f;
            double lo = ranges[i][0], hi = ranges[i][1];

            if (lo == DBL_MAX)
                continue;

            make_case(&c, 60, h, ranges[2], ranges[i]);
            assert_true(chart_frame_of(&c.spec, &f));
            if (hi - lo <= 1e-12 * fmax(fabs(lo), fabs(hi)) ||
                hi - lo < 1e-290) {
                /* One value is drawn in the middle. */
                double at = chart_axis_dot(&f.y, lo) - f.y.from;

                assert_in_range(at * 100 / (f.y.to - f.y.from), 25, 75);
            } else if (hi < DBL_MAX) {
                assert_true(f.y.high >= hi);
                assert_true(f.y.low <= lo);
            }
        }
}

static void
test_a_range_from_nought_has_room_above_and_a_flat_line_half_way(void **state)
{
    struct chart_case c;
    struct chart_frame f;

    (void)state;
    for (int h = 5; h <= 60; h++)
        for (double v = 1e-4; v < 1e9; v *= 3.7) {
            make_case(&c, 60, h, ranges[2], (double[]){0.2 * v, v});
            c.spec.y_min = 0;
            assert_true(chart_frame_of(&c.spec, &f));
            assert_close(f.y.low, 0, 0);
            assert_true(f.y.high >= 1.1 * v * (1 - 1e-9));
            make_case(&c, 60, h, ranges[2], (double[]){v, v});
            c.spec.y_min = 0;
            assert_true(chart_frame_of(&c.spec, &f));
            assert_true(f.y.high >= 2 * v * (1 - 1e-9));
            assert_true(f.y.high <= (h < 15 ? 5.01 : 3.01) * v);
        }
}

static void
test_what_is_never_negative_gets_no_axis_below_nought(void **state)
{
    struct chart_case c;
    struct chart_frame f;

    (void)state;
    for (int h = 5; h <= 60; h++) {
        make_case(&c, 60, h, ranges[2], (double[]){0.001, 1});
        assert_true(chart_frame_of(&c.spec, &f));
        assert_true(f.y.low >= 0);
    }
}

static void
test_whole_numbers_get_whole_ticks(void **state)
{
    struct chart_case c;
    struct chart_frame f;

    (void)state;
    for (int last = 1; last < 12; last++) {
        make_case(&c, 120, 20, (double[]){0, last}, ranges[0]);
        assert_true(chart_frame_of(&c.spec, &f));
        assert_true(f.x.tick.n > 1);
        for (int i = 0; i < f.x.tick.n; i++)
            assert_null(strchr(f.x.tick.text[i], '.'));
    }
}

static void
test_a_chart_of_loss_reads_as_expected(void **state)
{
    static const char *const want[] = {"0.45", "0.50", "0.55",
                                       "0.60", "0.65", "0.70"};
    struct chart_case c;
    struct chart_frame f;

    (void)state;
    make_case(&c, 60, 26, (double[]){0, 300}, (double[]){0.46, 0.69});
    assert_true(chart_frame_of(&c.spec, &f));
    assert_int_equal(f.y.tick.n, 6);
    for (int i = 0; i < 6; i++)
        assert_string_equal(f.y.tick.text[i], want[i]);
    assert_string_equal(f.x.tick.text[0], "0");
    assert_string_equal(f.x.tick.text[f.x.tick.n - 1], "300");
}

static void
test_a_zoom_along_x_fits_y_to_what_shows(void **state)
{
    double x[4] = {0, 1, 2, 3}, y[4] = {100, 1, 1.5, 2};
    struct plot_series s = {x, y, 4, 1, NULL, false, 0};
    struct plot_spec spec = {.series = &s,
                             .n_series = 1,
                             .width = 60,
                             .height = 16,
                             .x_min = 0.5,
                             .x_max = 3,
                             .y_min = NAN,
                             .y_max = NAN};
    struct chart_frame f;

    (void)state;
    assert_true(chart_frame_of(&spec, &f));
    assert_true(f.y.high < 3);
    assert_close(f.x.low, 0.5, 0);
    assert_close(f.x.high, 3, 0);
}

static void
test_nothing_finite_is_no_frame(void **state)
{
    double x[2] = {0, 1}, y[2] = {NAN, INFINITY};
    struct plot_series s = {x, y, 2, 1, NULL, false, 0};
    struct plot_spec spec = plot_spec_of(&s, 1, 60, 16);
    struct chart_frame f;

    (void)state;
    assert_false(chart_frame_of(&spec, &f));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels_never_touch_at_any_size_for_any_range),
        cmocka_unit_test(test_labels_of_random_ranges_never_touch),
        cmocka_unit_test(test_values_stay_clear_of_the_axis_and_the_frame),
        cmocka_unit_test(
            test_a_range_from_nought_has_room_above_and_a_flat_line_half_way),
        cmocka_unit_test(test_what_is_never_negative_gets_no_axis_below_nought),
        cmocka_unit_test(test_whole_numbers_get_whole_ticks),
        cmocka_unit_test(test_a_chart_of_loss_reads_as_expected),
        cmocka_unit_test(test_a_zoom_along_x_fits_y_to_what_shows),
        cmocka_unit_test(test_nothing_finite_is_no_frame),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}

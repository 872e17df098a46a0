/* Charts of a table's columns.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/figure.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "frame/csv.h"

static const char text[] = "x,y,day,who\n"
                           "1,10,2025-01-30,a\n"
                           "2,20,2025-02-01,b\n"
                           "2,-5,2025-02-02,a\n"
                           "9,40,2025-03-03,a\n"
                           ",50,,\n";

static struct frame *
table(void)
{
    struct csv_table t;
    struct error err;
    struct frame *f;

    if (!csv_parse(str_of(text), "test", NULL, NULL, NULL, &t, &err))
        fail_msg("%s", err.message);
    f = frame_ref(t.frame);
    csv_table_fini(&t);
    return f;
}

static struct figure_options
of(const char *x, const char *y, const char *by)
{
    return (struct figure_options){
        .x = x, .y = y, .by = by, .bins = 5, .x_min = NAN, .x_max = NAN};
}

static void
make(const struct frame *f, const struct figure_options *o, struct figure *s)
{
    struct error err;

    if (!figure_make(f, o, NULL, s, &err))
        fail_msg("%s", err.message);
}

static void
test_a_distribution_is_filled_to_the_height_of_its_ranges(void **state)
{
    struct frame *f = table();
    struct figure_options o = of("x", NULL, NULL);
    struct figure_chart c;
    struct plot_image im;
    struct figure s;
    struct error err;
    size_t dots = 0;

    (void)state;
    make(f, &o, &s);
    assert_string_equal(s.bins.step, "2");
    assert_int_equal(s.n_left_out, 1);
    assert_true(figure_chart(&s, 60, 20, PLOT_BRAILLE, &c));
    assert_int_equal(c.spec.n_series, 1);
    assert_true(plot_draw(&c.spec, &im, &err));
    for (int i = 0; i < 60 * 20; i++)
        dots += im.cell[i].cp == 0x28ff; /* all eight */
    assert_true(dots > 100);
    plot_image_fini(&im);
    figure_chart_fini(&c);
    figure_fini(&s);
    frame_unref(f);
}

/* Two of three rows of a, and one of one of b, lie from 2 to 4. */
static void
test_classes_are_in_percent_and_have_letters(void **state)
{
    struct frame *f = table();
    struct figure_options o = of("x", NULL, "who");
    struct figure_chart c;
    struct figure s;
    double most = 0;

    (void)state;
    make(f, &o, &s);
    assert_int_equal(s.n_classes, 2);
    assert_string_equal(s.class[0].name, "a");
    assert_int_equal(s.class[0].rows, 3);
    assert_true(figure_chart(&s, 60, 20, PLOT_BRAILLE, &c));
    assert_int_equal(c.spec.n_series, 4);
    assert_int_equal(c.series[1].mark, 'a');
    assert_int_equal(c.series[3].mark, 'b');
    for (size_t i = 0; i < c.series[2].n; i++)
        most = fmax(most, c.series[2].y[i]);
    assert_true(most == 100);
    figure_chart_fini(&c);
    figure_fini(&s);
    frame_unref(f);
}

static void
test_a_cloud_leaves_out_what_has_no_place(void **state)
{
    struct frame *f = table();
    struct figure_options o = of("day", "y", NULL);
    struct buf b;
    struct figure s;

    (void)state;
    o.log_y = true;
    make(f, &o, &s);
    assert_int_equal(s.x_unit, PLOT_DAYS);
    assert_int_equal(s.class[0].n, 3);
    buf_init(&b);
    figure_note(&s, &b);
    assert_string_equal(b.data, "5 rows · 2 left out");
    buf_fini(&b);
    figure_fini(&s);
    frame_unref(f);
}

static void
test_a_part_of_the_axis_has_ranges_of_its_own(void **state)
{
    struct frame *f = table();
    struct figure_options o = of("x", NULL, NULL);
    struct figure s;

    (void)state;
    o.x_min = 1;
    o.x_max = 3;
    make(f, &o, &s);
    assert_string_equal(s.bins.step, "1");
    assert_int_equal(s.count[0], 1);
    assert_int_equal(s.count[1], 2);
    figure_fini(&s);
    frame_unref(f);
}

static void
test_what_cannot_be_drawn_is_said(void **state)
{
    struct frame *f = table();
    struct figure_options o = of("x", "who", NULL);
    struct error err = {0};
    struct figure_chart c;
    struct figure s;

    (void)state;
    assert_false(figure_make(f, &o, NULL, &s, &err));
    assert_string_equal(
        err.message, "who is text: a cloud of points wants numbers or times");
    figure_fini(&s);
    o = of("who", NULL, NULL);
    make(f, &o, &s);
    assert_int_equal(frame_rows(s.values), 3);
    assert_false(figure_chart(&s, 60, 20, PLOT_BRAILLE, &c));
    figure_chart_fini(&c);
    figure_fini(&s);
    frame_unref(f);
}

/* What gnuplot wrote for the figure, as text the caller frees. */
static char *
exported(const struct figure_options *o)
{
    struct frame *f = table();
    char path[] = "/tmp/lathe-figure-XXXXXX.svg";
    int fd = mkstemps(path, 4);
    struct error err;
    struct figure s;
    struct buf svg;

    buf_init(&svg);
    assert_true(fd >= 0);
    close(fd);
    make(f, o, &s);
    if (!figure_export(&s, "the title", path, &err) ||
        !file_read(path, 1 << 20, &svg, &err))
        fail_msg("%s", err.message);
    unlink(path);
    figure_fini(&s);
    frame_unref(f);
    return buf_take(&svg);
}

/* Points are marks (<use> in gnuplot's SVG) at the days they are of. */
static void
test_a_cloud_is_written_as_points_on_an_axis_of_time(void **state)
{
    struct figure_options o = of("day", "y", NULL);
    char *svg;
    size_t n = 0;

    (void)state;
    if (access("/usr/bin/gnuplot", X_OK) != 0)
        skip();
    svg = exported(&o);
    assert_non_null(strstr(svg, "the title"));
    assert_non_null(strstr(svg, ">2025-02-0"));
    for (const char *p = svg; (p = strstr(p, "<use xlink:href='#gpPt6' trans"));
         p++)
        n++;
    assert_int_equal(n, 4);
    free(svg);
}

static void
test_texts_are_written_as_bars_with_their_names(void **state)
{
    struct figure_options o = of("who", NULL, NULL);
    char *svg;

    (void)state;
    if (access("/usr/bin/gnuplot", X_OK) != 0)
        skip();
    svg = exported(&o);
    assert_non_null(strstr(svg, ">a<"));
    assert_non_null(strstr(svg, ">b<"));
    assert_non_null(strstr(svg, ">missing<"));
    free(svg);
}

static void
test_every_allocation_may_fail(void **state)
{
    struct frame *f = table();
    struct figure_options o = of("x", NULL, "who");
    struct error err = {0};
    struct figure s;
    bool ok = false;

    (void)state;
    for (unsigned long n = 1; !ok && n < 500; n++) {
        mem_fault_arm(n, false);
        ok = figure_make(f, &o, NULL, &s, &err);
        mem_fault_arm(0, false);
        if (!ok)
            assert_int_equal(err.code, ERR_NOMEM);
        figure_fini(&s);
    }
    assert_true(ok);
    frame_unref(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_a_distribution_is_filled_to_the_height_of_its_ranges),
        cmocka_unit_test(test_classes_are_in_percent_and_have_letters),
        cmocka_unit_test(test_a_cloud_leaves_out_what_has_no_place),
        cmocka_unit_test(test_a_part_of_the_axis_has_ranges_of_its_own),
        cmocka_unit_test(test_what_cannot_be_drawn_is_said),
        cmocka_unit_test(test_a_cloud_is_written_as_points_on_an_axis_of_time),
        cmocka_unit_test(test_texts_are_written_as_bars_with_their_names),
        cmocka_unit_test(test_every_allocation_may_fail),
    };

    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}

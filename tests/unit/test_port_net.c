/* tests/unit/test_port_net.c -- nets as graphs: what windows and tables give,
 * that what does not fit is refused, and that no memory is an error.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "engine/port/c_source.h"
#include "engine/port/graph.h"
#include "engine/port/port.h"
#include "engine/port/probe.h"
#include "tests/lib/small_model.h"

/* ---- steps ---- */

static struct graph *
begun(size_t n, uint32_t *in)
{
    struct error err;
    struct graph *g = graph_new(n, &err);

    assert_non_null(g);
    assert_true(graph_add_input(g, 0, n, in, &err));
    return g;
}

/* What g answers to one row, whose width is n. */
static void
check_answer(struct graph *g, const double *x, const double *want, size_t n)
{
    struct design_column *column =
        calloc(g->n_cols, sizeof(struct design_column));
    double out[64];
    struct error err;
    struct design *d;

    assert_non_null(column);
    assert_ok(graph_check(g, n, &err), err);
    d = design_dense(x, 1, g->n_cols, column, &err);
    assert_non_null(d);
    assert_true(graph_score(g, d, NULL, out, &err));
    for (size_t i = 0; i < n; i++)
        if (!(fabs(out[i] - want[i]) < 1e-12))
            fail_msg("output %zu is %.17g, expected %.17g", i, out[i], want[i]);
    design_free(d);
    free(column);
    graph_unref(g);
}

/* A step with a window, behind the input. */
static void
add_window(struct graph *g, struct graph_node *like, uint32_t in,
           const uint32_t *index, size_t width)
{
    struct error err;

    like->width = width;
    like->n_in = 1;
    like->in = &in;
    like->n_index = WINDOW_N;
    like->index = (uint32_t *)(uintptr_t)index;
    assert_true(graph_add(g, like, NULL, &err));
}

static const double image[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

static void
test_a_convolution_is_the_sum_of_products_with_zeros_around(void **state)
{
    /* 3 x 3, window 2 x 2, one edge of zeros above and left */
    static const uint32_t index[WINDOW_N] = {1, 3, 3, 2, 2, 1, 1, 1, 3, 3};
    double a[] = {1, 10, 100, 1000, 0, 0, 0, 1}, b[] = {0.5, -1};
    static const double want[] = {
        /* 1000 x here + 100 x left + 10 x above + 1 x above left */
        1000.5, 2100.5, 3200.5, 4010.5, 5421.5, 6532.5, 7040.5, 8754.5, 9865.5,
        0,      1,      2,      3,      4,      5,      6,      7,      8};
    struct graph_node conv = {
        .op = GRAPH_CONV, .n_a = 8, .a = a, .n_b = 2, .b = b};
    uint32_t in;
    struct graph *g = begun(9, &in);

    (void)state;
    add_window(g, &conv, in, index, 18);
    check_answer(g, image, want, 18);
}

static void
test_a_convolution_adds_up_its_channels_and_leaps(void **state)
{
    /* two channels of 2 x 3, window 1 x 2, every second place */
    static const uint32_t index[WINDOW_N] = {2, 2, 3, 1, 2, 2, 0, 0, 1, 1};
    static const double x[] = {1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60};
    double a[] = {1, 2, 3, 4}, b[] = {0};
    static const double want[] = {1 * 1 + 2 * 2 + 3 * 10 + 4 * 20};
    struct graph_node conv = {
        .op = GRAPH_CONV, .n_a = 4, .a = a, .n_b = 1, .b = b};
    uint32_t in;
    struct graph *g = begun(12, &in);

    (void)state;
    add_window(g, &conv, in, index, 1);
    check_answer(g, x, want, 1);
}

static void
test_a_graph_that_was_checked_may_grow(void **state)
{
    static const uint32_t index[WINDOW_N] = {1, 3, 3, 2, 2, 1, 0, 0, 2, 2};
    static const uint32_t one[WINDOW_N] = {1, 2, 2, 1, 1, 1, 0, 0, 2, 2};
    double a[] = {1, 10, 100, 1000}, b[] = {0}, a_one[] = {2};
    static const double want[] = {2 * 5421, 2 * 6532, 2 * 8754, 2 * 9865};
    struct graph_node conv = {
        .op = GRAPH_CONV, .n_a = 4, .a = a, .n_b = 1, .b = b};
    struct error err;
    uint32_t in;
    struct graph *g = begun(9, &in);

    (void)state;
    /* Convolved to 5421, 6532, 8754, 9865. */
    add_window(g, &conv, in, index, 4);
    assert_ok(graph_check(g, 4, &err), err);
    in = 1;
    for (size_t i = 0; i < 8; i++)
        assert_true(graph_add_simple(g, GRAPH_RELU, in, &in, &err));
    conv.a = a_one;
    conv.n_a = 1;
    add_window(g, &conv, in, one, 4);
    check_answer(g, image, want, 4);
}

static void
test_pools_take_the_largest_and_the_mean(void **state)
{
    static const uint32_t inner[WINDOW_N] = {1, 3, 3, 2, 2, 1, 0, 0, 2, 2};
    static const uint32_t edged[WINDOW_N] = {1, 3, 3, 3, 3, 2, 1, 1, 2, 2};
    static const double largest[] = {5, 6, 8, 9}, mean[] = {3, 4, 6, 7};
    struct graph_node max = {.op = GRAPH_MAXPOOL};
    struct graph_node average = {.op = GRAPH_MEANPOOL};
    uint32_t in;
    struct graph *g = begun(9, &in);

    (void)state;
    add_window(g, &max, in, inner, 4);
    check_answer(g, image, largest, 4);
    g = begun(9, &in);
    add_window(g, &average, in, inner, 4);
    check_answer(g, image, mean, 4);
    /* What is beyond the edge is not looked at. */
    g = begun(9, &in);
    add_window(g, &max, in, edged, 4);
    check_answer(g, image, largest, 4);
}

static void
test_windows_that_do_not_fit_their_image_are_refused(void **state)
{
    static const uint32_t index[][WINDOW_N] = {
        {1, 3, 3, 2, 2, 1, 0, 0, 3, 3}, /* a mean beyond the edge */
        {1, 3, 3, 2, 2, 0, 0, 0, 2, 2}, /* no stride */
        {1, 3, 4, 2, 2, 1, 0, 0, 2, 2}, /* another image */
        {4294967295u, 3, 3, 2, 2, 1, 0, 0, 2, 2},
        {1, 3, 3, 2, 2, 4294967295u, 0, 0, 2, 2}};
    struct graph_node mean = {.op = GRAPH_MEANPOOL};
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof index / sizeof *index; i++) {
        uint32_t in;
        struct graph *g = begun(9, &in);

        add_window(g, &mean, in, index[i], i == 0 ? 9 : 4);
        assert_false(graph_check(g, i == 0 ? 9 : 4, &err));
        assert_int_equal(err.code, ERR_PARSE);
        graph_unref(g);
    }
}

static void
test_a_table_gives_its_first_row_for_what_it_has_not(void **state)
{
    double rows[] = {1, 2, 10, 20, 100, 200};
    static const double x[] = {(double)NAN, -1, 3, 1, 2.5};
    static const double want[][2] = {
        {1, 2}, {1, 2}, {1, 2}, {10, 20}, {100, 200}};
    struct error err;

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        uint32_t in;
        struct graph *g = begun(1, &in);
        struct graph_node embed = {.op = GRAPH_EMBED,
                                   .width = 2,
                                   .n_in = 1,
                                   .in = &in,
                                   .n_a = 6,
                                   .a = rows};

        assert_true(graph_add(g, &embed, NULL, &err));
        check_answer(g, &x[i], want[i], 2);
    }
}

/* Rows (0, 0), (3, 4), (0, 0) and (6, 8) from (3, 4): 25, 0, 25, 25 away. */
static void
test_the_nearest_rows_stand_in_order_the_earlier_first(void **state)
{
    static const double rows[] = {0, 0, 3, 4, 0, 0, 6, 8}, x[] = {3, 4};
    static const double want[] = {2, 1, 3, 0, 25, 25};
    uint32_t in;
    struct graph *g = begun(2, &in);
    struct graph_node apart = {.op = GRAPH_DISTANCE,
                               .width = 4,
                               .n_in = 1,
                               .in = &in,
                               .n_a = 8,
                               .a = (double *)(uintptr_t)rows};
    struct graph_node near = {
        .op = GRAPH_NEAREST, .width = 6, .n_in = 1, .in = &in};
    struct error err;

    (void)state;
    assert_true(graph_add(g, &apart, &in, &err));
    assert_true(graph_add(g, &near, NULL, &err));
    check_answer(g, x, want, 6);
}

static void
test_numbers_are_kept_within_two_ends(void **state)
{
    static const double x[] = {-3, 0.25, 7}, want[] = {0, 0.25, 1};
    struct error err;
    uint32_t in;
    struct graph *g = begun(3, &in);

    (void)state;
    assert_true(graph_add_clip(g, in, 0, 1, NULL, &err));
    check_answer(g, x, want, 3);
    g = begun(3, &in);
    assert_true(graph_add_clip(g, in, 1, 0, NULL, &err));
    assert_false(graph_check(g, 3, &err));
    graph_unref(g);
}

/* ---- whole models ---- */

/* Images of 4 x 4 in which one half is lighter. */
static struct frame *
images(size_t n)
{
    const char *names[17];
    enum col_type types[17];
    char text[16][8];
    struct error err;
    struct builder *b;

    for (size_t i = 0; i < 16; i++) {
        snprintf(text[i], sizeof text[i], "p%zu", i);
        names[i] = text[i];
        types[i] = COL_FLOAT64;
    }
    names[16] = "left";
    types[16] = COL_BOOL;
    b = builder_new(17, names, types, &err);
    assert_non_null(b);
    for (size_t r = 0; r < n; r++) {
        bool left = r % 2;

        for (size_t i = 0; i < 16; i++)
            assert_true(builder_f64(
                b, i, rng_unit(3, i, r) + (i % 4 < 2) * (left ? 1 : -1), &err));
        assert_true(builder_i64(b, 16, left, &err) && builder_end_row(b, &err));
    }
    return builder_finish(b, &err);
}

static struct model *
learnt(const char *family, struct frame *f, const char *target,
       const char *const *sets)
{
    const struct family *of = family_find(family);
    struct params *p = params_new(of->params);
    struct model_options o = {.problem = -1, .patience = -1};
    struct train ctx = {.seed = 7};
    struct error err;
    struct model *m;

    for (; *sets; sets += 2)
        assert_true(params_set(p, sets[0], sets[1], &err));
    m = model_fit(of, p, f, target, &o, &ctx, &err);
    if (!m)
        fail_msg("%s", err.message);
    params_free(p);
    frame_unref(f);
    return m;
}

static struct model *
net_of_images(void)
{
    static const char *const sets[] = {"epochs", "1", "layers",
                                       "conv3 res4/2 max2 mean 5", NULL};

    return learnt("cnn", images(60), "left", sets);
}

static struct model *
net_of_rows(void)
{
    static const char *const sets[] = {"epochs", "1", "layers", "6", NULL};

    return learnt("mlp", small_frame(SMALL_MULTICLASS, 200, 3), "plan", sets);
}

static bool
written(const struct model *m, enum port_format format, struct buf *out,
        struct error *err)
{
    struct port_export o = {.format = format};
    struct port_report r;
    bool ok = port_write(m, &o, NULL, out, &r, err);

    port_report_fini(&r);
    return ok;
}

/* As a file of lathe's and back, an imported net answers the same bytes. */
static void
test_imported_nets_are_saved_and_opened(void **state)
{
    struct model *m = net_of_images(), *back, *again;
    struct frame *f = images(40);
    struct prediction a, b;
    struct buf onnx, file;
    struct error err;

    (void)state;
    buf_init(&onnx);
    buf_init(&file);
    assert_ok(written(m, PORT_ONNX, &onnx, &err), err);
    back = port_read((struct str){onnx.data, onnx.len}, NULL, &err);
    assert_ok(back != NULL, err);
    assert_ok(model_save(back, &file, &err), err);
    again = model_parse((struct str){file.data, file.len}, family_find, &err);
    assert_ok(again != NULL, err);
    assert_ok(model_predict(back, f, NULL, &a, &err), err);
    assert_ok(model_predict(again, f, NULL, &b, &err), err);
    assert_memory_equal(a.value, b.value, a.n * a.k * sizeof *a.value);
    prediction_fini(&b);
    assert_ok(model_predict(m, f, NULL, &b, &err), err);
    for (size_t i = 0; i < a.n * a.k; i++)
        assert_true(fabs(a.value[i] - b.value[i]) < 1e-5);
    prediction_fini(&a);
    prediction_fini(&b);
    model_unref(again);
    model_unref(back);
    model_unref(m);
    frame_unref(f);
    buf_fini(&onnx);
    buf_fini(&file);
}

/* Each call that can fail does, in turn: `way` says ERR_NOMEM, and nothing
 * leaks. */
typedef bool way_fn(void *ctx, struct error *err);

static void
check_faults(way_fn *way, void *ctx, unsigned long least)
{
    unsigned long n = 1;

    for (bool reached = true; reached; n += n < 200 ? 1 : n / 12) {
        struct error err;
        bool ok;

        mem_fault_arm(n, false);
        ok = way(ctx, &err);
        reached = !mem_fault_armed();
        mem_fault_arm(0, false);
        if (!ok && (!reached || err.code != ERR_NOMEM))
            fail_msg("call %lu: %s", n, err.message);
    }
    if (n < least)
        fail_msg("only %lu calls", n);
}

static bool
onnx_and_back(void *ctx, struct error *err)
{
    struct model *back = NULL;
    struct buf out;
    bool ok;

    buf_init(&out);
    ok = written(ctx, PORT_ONNX, &out, err) &&
         (back = port_read((struct str){out.data, out.len}, NULL, err));
    model_unref(back);
    buf_fini(&out);
    return ok;
}

static bool
c_written(void *ctx, struct error *err)
{
    struct portable *p = portable_of(ctx, true, NULL, err);
    struct buf out;
    bool ok;

    buf_init(&out);
    ok = p && c_source_write(p, "net", &out, err);
    portable_free(p);
    buf_fini(&out);
    return ok;
}

/* Steps of all kinds that another format can say. */
static struct model *
model_of_steps(void)
{
    static const char *const steps[] = {
        "rare 0.4 on contract",
        "target on contract",
        "impute iterative indicator on tenure,charges",
        "scale quantile on tenure",
        "polynomial on tenure,charges",
        NULL};
    struct frame *f = small_frame(SMALL_BINARY, 300, 3);
    struct params *p = params_new(logistic_family.params);
    struct model_options o = {.problem = -1, .patience = -1, .prepare = steps};
    struct train ctx = {.seed = 7};
    struct error err;
    struct model *m =
        model_fit(&logistic_family, p, f, "churn", &o, &ctx, &err);

    if (!m)
        fail_msg("%s", err.message);
    params_free(p);
    frame_unref(f);
    return m;
}

static void
test_no_memory_is_an_error_where_steps_are_written(void **state)
{
    struct model *m = model_of_steps();

    (void)state;
    check_faults(onnx_and_back, m, 50);
    check_faults(c_written, m, 20);
    model_unref(m);
}

static bool
bytes_read(void *ctx, struct error *err)
{
    const struct buf *b = ctx;
    struct model *m = port_read((struct str){b->data, b->len}, NULL, err);

    model_unref(m);
    return m != NULL;
}

static void
test_no_memory_is_an_error_where_nets_are_written_and_read(void **state)
{
    struct model *rows = net_of_rows(), *pictures = net_of_images();

    (void)state;
    check_faults(onnx_and_back, rows, 50);
    check_faults(onnx_and_back, pictures, 50);
    check_faults(c_written, rows, 20);
    check_faults(c_written, pictures, 20);
    model_unref(rows);
    model_unref(pictures);
}

static void
test_no_memory_is_an_error_where_safetensors_are_read(void **state)
{
    const char *source = getenv("LATHE_SOURCE");
    char *path = file_join(source ? source : ".",
                           "tests/fuzz/corpus/port_read/net_bf16.safetensors");
    struct error err;
    struct buf b;

    (void)state;
    buf_init(&b);
    assert_ok(file_read(path, 1 << 20, &b, &err), err);
    check_faults(bytes_read, &b, 20);
    buf_fini(&b);
    free(path);
}

/* ---- what is compared ---- */

/* sigmoid(w x - w), of x near 1: what 32 bits make of it, and what w + 1 does,
 * against the tolerances that there are for it. */
static void
check_doubt(double w, bool right)
{
    const double bias = -w, x[] = {0.9, 0.999, 1, 1.001, 1.1};
    double want[5], got[5], wrong[5], *doubt = NULL, worst = 0;
    struct error err;
    struct portable *p = portable_new(1, &err);
    struct probe q = {5, 1, (double *)(uintptr_t)x};
    struct graph_node dense = {.op = GRAPH_DENSE, .width = 1, .n_in = 1};
    uint32_t in;

    assert_non_null(p);
    dense.n_a = dense.n_b = 1;
    dense.a = &w;
    dense.b = (double *)(uintptr_t)&bias;
    dense.in = &in;
    assert_true(portable_name(p, 0, STR("x"), &err) &&
                portable_classes(p, NULL, 2, &err) &&
                graph_add_input(p->graph, 0, 1, &in, &err) &&
                graph_add(p->graph, &dense, &in, &err) &&
                graph_add_simple(p->graph, GRAPH_SIGMOID, in, NULL, &err));
    assert_ok(portable_check(p, &err), err);
    for (size_t i = 0; i < 5; i++) {
        want[i] = 1 / (1 + exp(-(w * x[i] - w)));
        got[i] = 1 / (1 + exp(-((double)(float)w * x[i] -
                                (double)(float)w * (1 + 3e-8))));
        wrong[i] = 1 / (1 + exp(-(w * 1.001 * x[i] - w)));
    }
    assert_ok(probe_doubt(p, &q, NULL, want, &doubt, &err), err);
    assert_non_null(doubt);
    assert_int_equal(
        probe_compare(&q, want, got,
                      &(struct probe_judge){.p = p, .tolerance = 1e-6}, &worst,
                      &err),
        right);
    assert_ok(probe_compare(&q, want, got,
                            &(struct probe_judge){
                                .p = p, .tolerance = 1e-6, .doubt = doubt},
                            &worst, &err),
              err);
    assert_false(probe_compare(
        &q, want, wrong,
        &(struct probe_judge){.p = p, .tolerance = 1e-6, .doubt = doubt},
        &worst, &err));
    free(doubt);
    portable_free(p);
}

static void
test_constants_of_32_bits_may_change_what_is_sensitive_to_them(void **state)
{
    (void)state;
    check_doubt(3, true);
    check_doubt(2000, false);
}

/* A number so large that a last bit of 32 more is beyond all. */
static void
test_what_overflows_excuses_nothing(void **state)
{
    struct error err;
    struct portable *p = portable_new(1, &err);
    double x[] = {2}, w[] = {DBL_MAX / 2}, want[] = {DBL_MAX}, got[] = {-1};
    struct probe q = {.n = 1, .n_cols = 1, .x = x};
    double *doubt, worst = 0;
    uint32_t in;

    (void)state;
    assert_non_null(p);
    p->problem = PROBLEM_REGRESSION;
    assert_true(graph_add_input(p->graph, 0, 1, &in, &err));
    assert_true(graph_add(p->graph,
                          &(struct graph_node){.op = GRAPH_DENSE,
                                               .width = 1,
                                               .n_in = 1,
                                               .in = &in,
                                               .n_a = 1,
                                               .a = w},
                          NULL, &err));
    assert_true(graph_check(p->graph, 1, &err));
    assert_ok(probe_doubt(p, &q, NULL, want, &doubt, &err), err);
    assert_true(isfinite(doubt[0]));
    assert_false(probe_compare(
        &q, want, got,
        &(struct probe_judge){.p = p, .tolerance = 1e-6, .doubt = doubt},
        &worst, &err));
    free(doubt);
    portable_free(p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_a_convolution_is_the_sum_of_products_with_zeros_around),
        cmocka_unit_test(test_a_convolution_adds_up_its_channels_and_leaps),
        cmocka_unit_test(test_a_graph_that_was_checked_may_grow),
        cmocka_unit_test(test_pools_take_the_largest_and_the_mean),
        cmocka_unit_test(test_windows_that_do_not_fit_their_image_are_refused),
        cmocka_unit_test(test_a_table_gives_its_first_row_for_what_it_has_not),
        cmocka_unit_test(
            test_the_nearest_rows_stand_in_order_the_earlier_first),
        cmocka_unit_test(test_numbers_are_kept_within_two_ends),
        cmocka_unit_test(
            test_constants_of_32_bits_may_change_what_is_sensitive_to_them),
        cmocka_unit_test(test_what_overflows_excuses_nothing),
        cmocka_unit_test(test_imported_nets_are_saved_and_opened),
        cmocka_unit_test(
            test_no_memory_is_an_error_where_nets_are_written_and_read),
        cmocka_unit_test(test_no_memory_is_an_error_where_steps_are_written),
        cmocka_unit_test(test_no_memory_is_an_error_where_safetensors_are_read),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}

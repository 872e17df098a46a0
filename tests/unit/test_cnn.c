/* tests/unit/test_cnn.c -- nets for images: learning, the file, what is
 * hostile.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/family.h"
#include "engine/neural/cnn.h"
#include "engine/neural/pixels.h"
#include "frame/builder.h"
#include "tests/lib/close.h"

enum { SIDE = 6, PIXELS = SIDE * SIDE };

/* A bright line, across or down, somewhere; the first column never changes. */
static struct frame *
lines(size_t n, uint64_t seed)
{
    char names[PIXELS][8];
    const char *list[PIXELS + 1];
    enum col_type types[PIXELS + 1];
    struct error err;
    struct builder *b;
    struct frame *f;

    for (size_t i = 0; i < PIXELS; i++) {
        snprintf(names[i], sizeof names[i], "p%zu", i);
        list[i] = names[i];
        types[i] = COL_FLOAT64;
    }
    list[PIXELS] = "down";
    types[PIXELS] = COL_BOOL;
    b = builder_new(PIXELS + 1, list, types, &err);
    for (size_t i = 0; i < n; i++) {
        bool down = rng_below(seed, 1, i, 2) == 1;
        size_t at = 1 + rng_below(seed, 2, i, SIDE - 2);

        for (size_t p = 0; p < PIXELS; p++) {
            bool on = at == (down ? p % SIDE : p / SIDE);
            double v = 5 * (double)on + rng_unit(seed, 10 + p, i);

            assert_true(builder_f64(b, p, p == 0 ? 0 : v, &err));
        }
        assert_true(builder_i64(b, PIXELS, down, &err) &&
                    builder_end_row(b, &err));
    }
    f = builder_finish(b, &err);
    assert_ok(f != NULL, err);
    return f;
}

static struct model *
fit(const struct frame *f, const char *const *set, unsigned threads,
    struct error *err)
{
    struct params *p = params_new(cnn_family.params);
    struct pool *pool = pool_new(threads);
    struct train ctx = {.pool = pool, .seed = 5};
    struct model *m = NULL;
    bool ok = true;

    for (; ok && set && *set; set++)
        ok = params_set_pair(p, *set, err);
    if (ok)
        m = model_fit(&cnn_family, p, f, "down", NULL, &ctx, err);
    pool_free(pool);
    params_free(p);
    return m;
}

static void
test_it_tells_lines_across_from_lines_down(void **state)
{
    static const char *const set[] = {"epochs=12", "layers=conv8 max2 16",
                                      "batch=16", NULL};
    struct frame *f = lines(300, 1), *other = lines(200, 2);
    struct error err;
    struct model *m = fit(f, set, 2, &err);
    struct evaluation e;
    size_t n;

    (void)state;
    assert_ok(m != NULL, err);
    /* Every pixel is an input, also the one that never changes. */
    (void)model_inputs(m, &n);
    assert_int_equal(n, PIXELS);
    assert_ok(model_evaluate(m, other, 1, NULL, &e, &err), err);
    assert_true(evaluation_find(&e, "accuracy")->value > 0.97);
    evaluation_fini(&e);
    model_unref(m);
    frame_unref(f);
    frame_unref(other);
}

static void
test_threads_do_not_change_a_byte(void **state)
{
    static const char *const set[] = {
        "epochs=2",       "layers=conv8 res12/2 mean",
        "flip=true",      "crop=0.3",
        "brightness=0.2", "batch=20",
        "dropout=0.2",    NULL};
    static const unsigned threads[] = {1, 2, 3, 7};
    struct frame *f = lines(90, 1);
    struct error err;
    struct buf want, got;

    (void)state;
    buf_init(&want);
    for (unsigned i = 0; i < 4; i++) {
        struct model *m = fit(f, set, threads[i], &err);

        assert_ok(m != NULL, err);
        buf_init(&got);
        assert_ok(model_save(m, i ? &got : &want, &err), err);
        if (i > 0) {
            assert_int_equal(got.len, want.len);
            assert_memory_equal(got.data, want.data, want.len);
        }
        buf_fini(&got);
        model_unref(m);
    }
    buf_fini(&want);
    frame_unref(f);
}

static void
test_a_file_answers_as_the_model_did(void **state)
{
    static const char *const set[] = {"epochs=1", "layers=conv4 4", NULL};
    struct frame *f = lines(60, 1);
    struct error err;
    struct model *m = fit(f, set, 1, &err), *back;
    struct prediction a, b, one;
    struct buf file;

    (void)state;
    assert_ok(m != NULL, err);
    buf_init(&file);
    assert_ok(model_save(m, &file, &err), err);
    back = model_parse((struct str){file.data, file.len}, family_find, &err);
    assert_ok(back != NULL, err);
    assert_ok(model_predict(m, f, NULL, &a, &err), err);
    assert_ok(model_predict(back, f, NULL, &b, &err), err);
    assert_memory_equal(a.value, b.value, a.n * sizeof *a.value);
    for (size_t i = 0; i < 60; i += 7) {
        struct frame *row = frame_slice(f, i, i + 1, &err);

        assert_ok(model_predict(back, row, NULL, &one, &err), err);
        assert_memory_equal(one.value, a.value + i, sizeof *a.value);
        prediction_fini(&one);
        frame_unref(row);
    }
    prediction_fini(&a);
    prediction_fini(&b);
    model_unref(back);
    model_unref(m);
    buf_fini(&file);
    frame_unref(f);
}

static void
test_hostile_parameters_are_told(void **state)
{
    static const struct {
        const char *set, *why;
    } cases[] = {{"height=5", "36 columns are no image of 5 x 7"},
                 {"channels=5", "36 columns are no image"},
                 {"layers=conv8 max4 max4", "places are left"},
                 {"layers=sigmoid", "expected a number of units"},
                 {"layers=conv65535x31", "a smaller batch or smaller layers"},
                 {"layers=conv65535 conv65535", "too large"},
                 {"width=0", "width"},
                 {"crop=1", "crop"}};
    struct frame *f = lines(30, 1);
    struct error err;

    (void)state;
    setenv("LATHE_MEMORY", "256M", 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *set[] = {cases[i].set, NULL};
        struct model *m = fit(f, set, 1, &err);

        if (m)
            fail_msg("%s was taken", cases[i].set);
        if (!strstr(err.message, cases[i].why))
            fail_msg("%s: '%s'", cases[i].set, err.message);
    }
    unsetenv("LATHE_MEMORY");
    frame_unref(f);
}

static void
test_columns_that_are_no_picture_are_told_so(void **state)
{
    static const size_t kept[] = {1, 2, PIXELS};
    struct frame *all = lines(30, 1), *f;
    struct error err;

    (void)state;
    f = frame_select(all, kept, 3, &err);
    assert_ok(f != NULL, err);
    assert_null(fit(f, NULL, 1, &err));
    assert_non_null(strstr(err.message, "2 columns are no square picture of "
                                        "one number or three a pixel"));
    frame_unref(f);
    frame_unref(all);
}

static void
test_sides_are_found_or_told(void **state)
{
    static const char *const set[] = {"epochs=1", "layers=conv4 4", "height=4",
                                      NULL};
    struct frame *f = lines(40, 1);
    struct error err;
    struct model *m = fit(f, set, 1, &err);

    (void)state;
    assert_ok(m != NULL, err);
    assert_non_null(strstr(model_params(m), "\"height\":4,\"width\":9"));
    model_unref(m);
    frame_unref(f);
}

static void
test_every_failing_allocation_is_told(void **state)
{
    struct params *p = params_new(cnn_family.params);
    struct frame *f = lines(30, 1);
    struct train ctx = {.seed = 7};
    struct error err;
    struct model *m = NULL;
    unsigned long n = 1;

    (void)state;
    assert_true(params_set_pair(p, "epochs=1", &err) &&
                params_set_pair(p, "layers=conv4 max2", &err));
    for (; n < 3000 && !m; n++) {
        mem_fault_arm(n, false);
        m = model_fit(&cnn_family, p, f, "down", NULL, &ctx, &err);
        mem_fault_arm(0, false);
        if (!m)
            assert_int_equal(err.code, ERR_NOMEM);
    }
    assert_in_range(n, 60, 2999);
    model_unref(m);
    params_free(p);
    frame_unref(f);
}

static void
test_missing_pixels_are_the_mean(void **state)
{
    struct frame *f = lines(80, 1);
    static const char *const set[] = {"epochs=1", "layers=conv4 4", NULL};
    const char *names[PIXELS];
    enum col_type types[PIXELS];
    struct error err;
    struct model *m = fit(f, set, 1, &err);
    struct builder *b;
    struct frame *empty;
    struct prediction p;

    (void)state;
    assert_ok(m != NULL, err);
    for (size_t i = 0; i < PIXELS; i++) {
        names[i] = frame_name(f, i);
        types[i] = COL_FLOAT64;
    }
    b = builder_new(PIXELS, names, types, &err);
    /* A row without numbers, one that is infinite. */
    assert_true(builder_end_row(b, &err));
    for (size_t i = 0; i < PIXELS; i++)
        assert_true(builder_f64(b, i, (double)INFINITY, &err));
    assert_true(builder_end_row(b, &err));
    empty = builder_finish(b, &err);
    assert_ok(model_predict(m, empty, NULL, &p, &err), err);
    assert_true(p.value[0] > 0 && p.value[0] < 1);
    assert_true(p.value[0] == p.value[1]);
    prediction_fini(&p);
    frame_unref(empty);
    model_unref(m);
    frame_unref(f);
}

/* ---- changes ---- */

static const struct design_column columns[6] = {{"a", 0}, {"b", 0}, {"c", 0},
                                                {"d", 0}, {"e", 0}, {"f", 0}};

/* An image of 2 x 3, as a training step would see it. */
static void
change(const struct pixels_change *c, uint64_t draw, float out[6])
{
    static const double x[] = {1, 2, 3, 4, 5, 6};
    static const float mean = 0, inverse = 1;
    struct image_size size = {2, 3, 1};
    struct error err;
    struct design *d = design_dense(x, 1, 6, columns, &err);
    struct pixels p;

    assert_ok(pixels_init(&p, d, size, NULL, NULL, &err), err);
    p.mean = &mean;
    p.inverse = &inverse;
    p.change = *c;
    assert_ok(
        pixels_take(&p,
                    &(struct net_wanted){
                        .n = 1, .draw = draw, .numbers = out, .stride = 6},
                    &err),
        err);
    pixels_fini(&p);
    design_free(d);
}

static void
test_changes_are_what_their_names_say(void **state)
{
    static const float plain[] = {1, 2, 3, 4, 5, 6};
    static const float mirrored[] = {3, 2, 1, 6, 5, 4};
    bool seen[2] = {false, false}, moved = false, lighter = false;
    float got[6];

    (void)state;
    change(&(struct pixels_change){.flip = true, .shift = 1, .crop = 0.5}, 0,
           got);
    assert_memory_equal(got, plain, sizeof plain);
    for (uint64_t draw = 1; draw < 30; draw++) {
        change(&(struct pixels_change){.flip = true, .seed = 1}, draw, got);
        assert_true(memcmp(got, plain, sizeof plain) == 0 ||
                    memcmp(got, mirrored, sizeof plain) == 0);
        seen[memcmp(got, plain, sizeof plain) == 0] = true;
        change(&(struct pixels_change){.shift = 1, .seed = 1}, draw, got);
        /* What comes in from beyond the edges is the mean. */
        moved |= got[0] == 5 && got[1] == 6 && got[2] == 0 && got[3] == 0;
        change(&(struct pixels_change){.brightness = 0.5, .seed = 1}, draw,
               got);
        assert_close((double)got[5], 6 * (double)got[0], 1e-5);
        assert_true(got[0] >= 0.5f && got[0] <= 1.5f);
        lighter |= got[0] > 1.2f;
        change(&(struct pixels_change){.crop = 0.5, .seed = 1}, draw, got);
        for (size_t i = 0; i < 6; i++)
            assert_true(got[i] >= 0 && got[i] <= 6);
    }
    assert_true(seen[0] && seen[1] && moved && lighter);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_tells_lines_across_from_lines_down),
        cmocka_unit_test(test_threads_do_not_change_a_byte),
        cmocka_unit_test(test_a_file_answers_as_the_model_did),
        cmocka_unit_test(test_hostile_parameters_are_told),
        cmocka_unit_test(test_columns_that_are_no_picture_are_told_so),
        cmocka_unit_test(test_sides_are_found_or_told),
        cmocka_unit_test(test_every_failing_allocation_is_told),
        cmocka_unit_test(test_missing_pixels_are_the_mean),
        cmocka_unit_test(test_changes_are_what_their_names_say),
    };

    (void)cmocka_run_group_tests_name("cnn", tests, NULL, NULL);
    return 0;
}

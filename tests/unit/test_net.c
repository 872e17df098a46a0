/* tests/unit/test_net.c -- layers forward, and every gradient.
 *
 * Gradients: central differences of a sum of the answers, each with a weight
 * of its own.  A convolution: loops over its definition.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/neural/pass.h"

enum { ROWS = 21 };

static float
number(uint64_t stream, size_t i)
{
    return (float)(2 * rng_unit(7, stream, i) - 1);
}

struct sum {
    const struct net_pass *p;
    double value[64]; /* of each chunk */
};

static void
weigh(void *ctx, size_t chunk, size_t begin, size_t end, const float *answer,
      float *grad)
{
    struct sum *s = ctx;
    size_t k = s->p->net->n_outputs;

    s->value[chunk] = 0;
    for (size_t i = 0; i < (end - begin) * k; i++) {
        grad[i] = number(99, begin * k + i);
        s->value[chunk] += (double)answer[i] * (double)grad[i];
    }
}

/* The sum, with all gradients as a by-product. */
static double
sum_of(struct net_pass *p, struct net_ready *r, struct pool *pool)
{
    struct sum s = {.p = p};
    double v = 0;

    net_ready_make(r, pool);
    assert_true(net_pass_learn(p, r, NULL, weigh, &s, pool, NULL));
    for (size_t c = 0; c < pool_chunks(p->n, p->grain); c++)
        v += s.value[c];
    return v;
}

/* Numbers of an example differ by more than differences take, so that the
 * largest stays the largest. */
static void
put_input(struct net_pass *p)
{
    const struct net *n = p->net;
    size_t all = net_numbers(n->input);

    for (size_t i = 0; i < p->n; i++) {
        for (size_t c = 0; c < n->n_numbers; c++)
            p->input[i * all + c] = (float)((i * 31 + c * 37) % 101) / 50 - 1;
        for (size_t t = 0; t < n->n_tables; t++)
            p->code[i * n->n_tables + t] =
                (uint32_t)((i * 7 + t) % (n->table[t].n_levels + 1));
    }
}

static void
expect_slope(double got, double want, const char *what, size_t at)
{
    double room = 4e-3 + 2e-2 * fabs(want);

    if (fabs(got - want) < room)
        return;
    print_message("# %s %zu: got %g, by differences %g\n", what, at, got, want);
    fail();
}

/* Four points, so that the fifth derivative is the first to err by. */
static double
slope_at(struct net_pass *p, struct net_ready *r, float *x)
{
    const float h = 0x1p-8f;
    float was = *x;
    double near, far;

    *x = was + h;
    near = sum_of(p, r, NULL);
    *x = was - h;
    near -= sum_of(p, r, NULL);
    *x = was + 2 * h;
    far = sum_of(p, r, NULL);
    *x = was - 2 * h;
    far -= sum_of(p, r, NULL);
    *x = was;
    return (8 * near - far) / (12 * (double)h);
}

static void
check_gradients(const struct net_plan *plan)
{
    struct error err;
    struct net *n = net_new(plan, &err);
    struct net_pass *p;
    struct net_ready r;
    float *grad, *input;
    size_t all;

    if (!n)
        fail_msg("%s: %s", plan->layers, err.message);
    assert_true(net_begin(n, 3, &err));
    /* Norms' factors away from 1, biases away from 0. */
    for (size_t i = 0; i < n->n_params; i++)
        n->param[i] += 0.1f * number(11, i);
    p = net_pass_new(n, ROWS, true, true, &err);
    assert_non_null(p);
    assert_true(net_ready_init(&r, n, true, &err));
    p->n = ROWS;
    p->seed = 4;
    all = net_numbers(n->input);
    put_input(p);
    (void)sum_of(p, &r, NULL);
    grad = mem_new(n->n_params * sizeof *grad);
    input = mem_new(ROWS * all * sizeof *input);
    memcpy(grad, p->gradient, n->n_params * sizeof *grad);
    memcpy(input, p->grad_input, ROWS * all * sizeof *input);
    for (size_t i = 0; i < n->n_params; i += 1 + n->n_params / 150)
        expect_slope((double)grad[i], slope_at(p, &r, &n->param[i]),
                     plan->layers, i);
    for (size_t i = 0; i < ROWS * all; i += 1 + ROWS * all / 60)
        if (i % all < n->n_numbers)
            expect_slope((double)input[i], slope_at(p, &r, &p->input[i]),
                         "input", i);
    free(grad);
    free(input);
    net_ready_fini(&r);
    net_pass_free(p);
    net_free(n);
}

static void
test_gradients_of_dense_layers_are_their_slopes(void **state)
{
    for (unsigned norm = 0; norm < 2; norm++)
        for (enum net_act a = ACT_ELU; a <= ACT_TANH; a++)
            check_gradients(&(struct net_plan){.input = {1, 1, 5},
                                               .n_outputs = 3,
                                               .layers = "7 6",
                                               .act = a,
                                               .norm = norm == 1});
    (void)state;
}

static void
test_gradients_of_kinked_functions_are_their_slopes(void **state)
{
    (void)state;
    for (enum net_act a = ACT_RELU; a <= ACT_LEAKY; a++)
        check_gradients(&(struct net_plan){
            .input = {1, 1, 4}, .n_outputs = 1, .layers = "3", .act = a});
}

static void
test_gradients_of_tables_are_their_slopes(void **state)
{
    static const uint32_t levels[] = {3, 6}, widths[] = {2, 4};

    (void)state;
    check_gradients(&(struct net_plan){.input = {1, 1, 2},
                                       .n_levels = levels,
                                       .widths = widths,
                                       .n_tables = 2,
                                       .n_outputs = 2,
                                       .layers = "8",
                                       .act = ACT_TANH,
                                       .norm = true});
    check_gradients(&(struct net_plan){.n_levels = levels,
                                       .input = {1, 1, 0},
                                       .widths = widths,
                                       .n_tables = 2,
                                       .n_outputs = 1,
                                       .layers = ""});
}

static void
test_gradients_of_dropped_numbers_are_their_slopes(void **state)
{
    (void)state;
    check_gradients(&(struct net_plan){.input = {1, 1, 5},
                                       .n_outputs = 2,
                                       .layers = "16 drop0.3 8",
                                       .act = ACT_TANH,
                                       .drop = 0.25});
}

static void
test_gradients_of_images_are_their_slopes(void **state)
{
    static const char *const layers[] = {
        "conv4",      "conv4x5",       "conv4x1 conv3",
        "conv4/2",    "conv3x5/2 5",   "conv4x1/2",
        "max2 conv3", "conv4 mean2 4", "conv4 conv3 mean",
        "max 3",      "res4 mean",     "conv4 res4 res6/2 mean",
        "res5/2 4",   "conv33x3/3",    "conv4 drop0.3 mean 5"};

    (void)state;
    for (size_t i = 0; i < 2 * (sizeof layers / sizeof *layers); i++)
        check_gradients(&(struct net_plan){.input = {7, 6, 2},
                                           .n_outputs = 2,
                                           .layers = layers[i / 2],
                                           .act = ACT_TANH,
                                           .norm = i % 2 == 1});
}

/* The definition: out(y, x, o) = bias(o) + sum of weight(v, w, c, o)
 * in(y stride + v - side / 2, x stride + w - side / 2, c), 0 beyond edges. */
static void
test_a_convolution_is_the_sum_over_its_window(void **state)
{
    static const struct {
        const char *layers;
        uint32_t h, w, c;
    } cases[] = {{"conv6", 5, 8, 3},    {"conv6x5", 6, 5, 2},
                 {"conv35/2", 7, 9, 1}, {"conv6x5/3", 8, 8, 2},
                 {"conv6x1", 3, 3, 4},  {"conv6x7", 2, 2, 1},
                 {"conv6/2", 8, 6, 2},  {"conv6x1/2", 5, 5, 3}};
    struct progress stopped;
    struct error err;

    (void)state;
    progress_init(&stopped);
    progress_stop(&stopped);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct net_plan plan = {.input = {cases[i].h, cases[i].w, cases[i].c},
                                .n_outputs = 1,
                                .layers = cases[i].layers};
        struct net *n = net_new(&plan, &err);
        const struct net_layer *l = &n->layer[0];
        struct net_pass *p;
        struct net_ready r;

        assert_true(net_begin(n, 3, &err));
        for (size_t k = 0; k < l->n_bias; k++)
            n->param[l->bias + k] = number(12, k);
        p = net_pass_new(n, 3, false, false, &err);
        assert_true(net_ready_init(&r, n, false, &err));
        net_ready_make(&r, NULL);
        p->n = 3;
        put_input(p);
        assert_false(net_pass_answer(p, &r, &stopped));
        assert_true(net_pass_answer(p, &r, NULL));
        for (size_t k = 0; k < p->n * net_numbers(l->out); k++) {
            size_t o = k % l->out.c, x = k / l->out.c % l->out.w;
            size_t y = k / l->out.c / l->out.w % l->out.h;
            const float *image =
                p->input + k / net_numbers(l->out) * net_numbers(l->in);
            double sum = (double)n->param[l->bias + o];

            for (size_t t = 0; t < l->n_weight / l->out.c; t++) {
                size_t c = t % l->in.c, w = t / l->in.c % l->side_w;
                long v = (long)(t / l->in.c / l->side_w);
                long iy = (long)(y * l->stride) + v - (long)l->side_h / 2;
                long ix = (long)(x * l->stride + w) - (long)l->side_w / 2;

                if (iy >= 0 && ix >= 0 && iy < (long)l->in.h &&
                    ix < (long)l->in.w)
                    sum += (double)image[((size_t)iy * l->in.w + (size_t)ix) *
                                             l->in.c +
                                         c] *
                           (double)n->param[l->weight + t * l->out.c + o];
            }
            assert_true(fabs(sum - (double)p->out[0][k]) < 1e-5);
        }
        net_ready_fini(&r);
        net_pass_free(p);
        net_free(n);
    }
}

static void
test_the_gradient_does_not_depend_on_the_threads(void **state)
{
    static const unsigned threads[] = {1, 2, 3, 7};
    struct net_plan plan = {.input = {9, 9, 3},
                            .n_outputs = 4,
                            .layers = "conv8 res12/2 max2 20 drop0.2",
                            .act = ACT_RELU,
                            .norm = true};
    struct error err;
    struct net *n = net_new(&plan, &err);
    float *want = mem_new(n->n_params * sizeof *want);

    (void)state;
    assert_true(net_begin(n, 3, &err));
    for (unsigned i = 0; i < 4; i++) {
        struct pool *pool = pool_new(threads[i]);
        struct net_pass *p = net_pass_new(n, 50, true, false, &err);
        struct net_ready r;

        assert_true(net_ready_init(&r, n, true, &err));
        p->n = 47;
        put_input(p);
        (void)sum_of(p, &r, pool);
        if (i == 0)
            memcpy(want, p->gradient, n->n_params * sizeof *want);
        assert_memory_equal(p->gradient, want, n->n_params * sizeof *want);
        net_ready_fini(&r);
        net_pass_free(p);
        pool_free(pool);
    }
    free(want);
    net_free(n);
}

static void
test_what_is_no_layer_is_refused(void **state)
{
    static const struct {
        const char *layers, *why;
    } cases[] = {
        {"conv", "conv32"},
        {"conv4x2", "odd side"},
        {"conv4/0", "stride"},
        {"-5", "number of units"},
        {"0", "number of units"},
        {"99999999999999999999", "number of units"},
        {"max9", "4 x 4 places"},
        {"conv4 max2 max3", "2 x 2 places"},
        {"drop1", "between 0 and 1"},
        {"dropnan", "between 0 and 1"},
        {"64, sigmoid", "'sigmoid'"},
        {"maxx", "max2"},
        {"65536 65536", "too large"},
        {"1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 "
         "1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 "
         "1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 "
         "1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
         "over 128 layers"}};
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct net_plan plan = {
            .input = {4, 4, 1}, .n_outputs = 2, .layers = cases[i].layers};

        assert_null(net_new(&plan, &err));
        if (!strstr(err.message, cases[i].why))
            fail_msg("'%s' does not say '%s'", err.message, cases[i].why);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradients_of_dense_layers_are_their_slopes),
        cmocka_unit_test(test_gradients_of_kinked_functions_are_their_slopes),
        cmocka_unit_test(test_gradients_of_tables_are_their_slopes),
        cmocka_unit_test(test_gradients_of_dropped_numbers_are_their_slopes),
        cmocka_unit_test(test_gradients_of_images_are_their_slopes),
        cmocka_unit_test(test_a_convolution_is_the_sum_over_its_window),
        cmocka_unit_test(test_the_gradient_does_not_depend_on_the_threads),
        cmocka_unit_test(test_what_is_no_layer_is_refused),
    };

    (void)cmocka_run_group_tests_name("net", tests, NULL, NULL);
    return 0;
}

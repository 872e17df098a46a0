/* Losses and their gradients.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/rng.h"
#include "engine/trees/objective.h"
#include "tests/lib/close.h"

enum { N = 40, K = 4 };

static const struct train alone;

static struct loss_rule
rule_of(enum loss l)
{
    return (struct loss_rule){.loss = l,
                              .delta = 0.7,
                              .power = 1.3,
                              .n_quantiles = 2,
                              .quantile = {0.3, 0.8},
                              .rank_at = 30};
}

/* A loss over rows whose y, weight and group are borrowed. */
static struct objective
objective_over(enum loss l, const double *y, const double *weight,
               const uint32_t *group, size_t n, size_t k)
{
    struct loss_rule rule = rule_of(l);
    struct target t = {.problem = (enum problem)loss_problem(l),
                       .n = n,
                       .y = (double *)(uintptr_t)y,
                       .weight = (double *)(uintptr_t)weight,
                       .group = (uint32_t *)(uintptr_t)group,
                       .n_classes = k};
    struct objective o;
    struct error err;

    assert_ok(objective_init(&o, &rule, &t, &alone, false, &err), err);
    return o;
}

static struct objective
rows_of(enum problem p, const double *y, size_t n, size_t k)
{
    return objective_over(loss_usual(p), y, NULL, NULL, n, k);
}

static void
base_of(struct objective *o, double *base)
{
    struct error err;

    assert_ok(objective_base(o, NULL, base, &err), err);
}

static double
sum_losses(struct objective *o, const double *score)
{
    struct error err;

    assert_ok(objective_look(o, score, &err), err);
    return objective_loss(o, score, 0, o->n);
}

/* The loss, of all rows where they are compared, whose half derivative, for
 * squares and deviances, or derivative is g. */
static double
loss_at(struct objective *o, double *score, size_t i, size_t c, double delta)
{
    double old = score[i * o->k + c], v;
    bool half = o->rule.loss == LOSS_SQUARED || o->rule.loss == LOSS_POISSON ||
                o->rule.loss == LOSS_GAMMA || o->rule.loss == LOSS_TWEEDIE;

    score[i * o->k + c] = old + delta;
    v = o->found ? sum_losses(o, score) : objective_loss(o, score, i, i + 1);
    score[i * o->k + c] = old;
    return half ? v / 2 : v;
}

static double
made_target(enum loss l, size_t i, size_t k)
{
    switch (l) {
    case LOSS_LOGISTIC:
    case LOSS_SOFTMAX:
    case LOSS_OVA:
        return (double)rng_below(3, 3, i, l == LOSS_LOGISTIC ? 2 : k);
    case LOSS_POISSON:
    case LOSS_TWEEDIE:
        return (double)rng_below(3, 4, i, 4);
    case LOSS_GAMMA:
        return 0.1 + 3 * rng_unit(3, 5, i);
    case LOSS_COX: /* with ties */
        return (double)(1 + rng_below(3, 6, i, 9)) * (i % 3 ? 1 : -1);
    default:
        return rng_normal(2, 2, i);
    }
}

/* g against (l(+d) - l(-d)) / 2d, h against (l(+d) - 2 l + l(-d)) / d^2, but
 * for losses made of straight lines, whose h is 1. */
static void
check_gradients(enum loss l, size_t k, double h_factor, bool weighs)
{
    double score[N * K], y[N], weight[N];
    struct gradient g[N * K];
    struct objective o;
    struct error err;
    const double d = 1e-4;
    bool lines = l == LOSS_ABSOLUTE || l == LOSS_QUANTILE || l == LOSS_HUBER;

    for (size_t i = 0; i < N; i++) {
        y[i] = made_target(l, i, k);
        weight[i] = i == 7 ? 0 : 3 * rng_unit(4, 4, i);
    }
    o = objective_over(l, y, weighs ? weight : NULL, NULL, N, k);
    for (size_t i = 0; i < N * k; i++)
        score[i] = 2 * rng_normal(1, k, i);
    assert_ok(objective_look(&o, score, &err), err);
    objective_gradients(&o, score, 0, N, g, NULL);
    for (size_t i = 0; i < N; i++)
        for (size_t c = 0; c < k; c++) {
            double up = loss_at(&o, score, i, c, d);
            double down = loss_at(&o, score, i, c, -d);
            double here = loss_at(&o, score, i, c, 0);
            double h = h_factor * (up - 2 * here + down) / (d * d);

            if (lines)
                h = weighs ? weight[i] : 1;
            assert_close((double)g[c * N + i].g, (up - down) / (2 * d), 1e-6);
            assert_close((double)g[c * N + i].h, h, o.found ? 1e-4 : 1e-5);
        }
    objective_fini(&o);
}

static void
test_gradients_match_finite_differences(void **state)
{
    (void)state;
    for (int weighs = 0; weighs < 2; weighs++) {
        check_gradients(LOSS_SQUARED, 1, 1, weighs);
        check_gradients(LOSS_ABSOLUTE, 1, 1, weighs);
        check_gradients(LOSS_HUBER, 1, 1, weighs);
        check_gradients(LOSS_QUANTILE, 2, 1, weighs);
        check_gradients(LOSS_POISSON, 1, 1, weighs);
        check_gradients(LOSS_GAMMA, 1, 1, weighs);
        check_gradients(LOSS_TWEEDIE, 1, 1, weighs);
        check_gradients(LOSS_LOGISTIC, 1, 1, weighs);
        check_gradients(LOSS_SOFTMAX, 4, 4.0 / 3, weighs);
        check_gradients(LOSS_SOFTMAX, 3, 3.0 / 2, weighs);
        check_gradients(LOSS_OVA, 3, 1, weighs);
        check_gradients(LOSS_COX, 1, 1, weighs);
    }
}

/* scikit-learn 1.2.1's mean_poisson_deviance and its like, statsmodels
 * 0.13.5's PHReg(ties="breslow").loglike([0]). */
static void
test_losses_are_those_of_other_programs(void **state)
{
    enum { ROWS = 24 };
    double y[ROWS], whole[ROWS], time[ROWS], f[ROWS], weight[ROWS];
    const double zero[ROWS] = {0};
    const struct {
        enum loss loss;
        const double *y, *f, *weight;
        double want;
    } check[] = {
        {LOSS_POISSON, whole, f, weight, 1.696633955628376},
        {LOSS_GAMMA, y, f, weight, 1.6867059772627233},
        {LOSS_TWEEDIE, whole, f, weight, 1.7690634982159583},
        {LOSS_COX, time, zero, NULL, 35.687616547688606 / 16},
    };
    struct objective o;

    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        y[i] = 0.25 + (double)(i * 5 % 11) / 4 + (i * 7 % 24 >= 10 ? 1.5 : 0);
        whole[i] = floor(y[i]);
        time[i] = (1 + (double)(i * 11 % 13)) * (i % 3 ? 1 : -1);
        f[i] = 0.3 * (double)(i * 3 % 7) - 0.8;
        weight[i] = 0.5 + (double)(i % 4);
    }
    for (size_t i = 0; i < sizeof check / sizeof *check; i++) {
        o = objective_over(check[i].loss, check[i].y, check[i].weight, NULL,
                           ROWS, 1);
        assert_close(sum_losses(&o, check[i].f) / o.total, check[i].want,
                     1e-12);
        objective_fini(&o);
    }
    /* mean_pinball_loss(alpha=0.3), of the first output of two */
    o = objective_over(LOSS_QUANTILE, y, weight, NULL, ROWS, 0);
    o.k = 1;
    assert_close(sum_losses(&o, f) / o.total, 0.7039062500000001, 1e-12);
    objective_fini(&o);
}

static void
test_targets_of_another_kind_are_refused(void **state)
{
    double negative[] = {1, -1, 2}, zero[] = {0, 0, 0}, early[] = {-1, -2, -3},
           half[] = {0, 1.5, 2};
    uint32_t group[] = {0, 0, 1};
    const struct {
        enum loss loss;
        double *y;
        uint32_t *group;
        const char *message;
    } check[] = {
        {LOSS_POISSON, negative, NULL,
         "the target is -1 in row 2, loss=poisson expects 0 or more"},
        {LOSS_TWEEDIE, zero, NULL, "the target is 0 in every row"},
        {LOSS_GAMMA, zero, NULL,
         "the target is 0 in row 1, loss=gamma expects more than 0"},
        {LOSS_COX, early, NULL,
         "no row has a positive target: loss=cox has no event to learn from"},
        {LOSS_RANK, zero, NULL,
         "loss=rank orders the rows of a query: name the column that tells "
         "which by group"},
        {LOSS_RANK, half, group,
         "the target is 1.5 in row 2, loss=rank expects whole numbers from 0 "
         "to 31"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof check / sizeof *check; i++) {
        struct loss_rule rule = rule_of(check[i].loss);
        struct target t = {.problem = PROBLEM_REGRESSION,
                           .n = 3,
                           .y = check[i].y,
                           .group = check[i].group};
        struct objective o;
        struct error err;

        assert_false(objective_init(&o, &rule, &t, &alone, false, &err));
        assert_string_equal(err.message, check[i].message);
    }
}

/* LambdaRank as its authors write it, pair by pair, on four queries whose rows
 * lie among each other. */
static void
test_rank_gradients_are_those_of_all_pairs(void **state)
{
    double y[N], f[N], g[N] = {0}, h[N] = {0}, loss = 0;
    uint32_t group[N];
    struct gradient got[N];
    struct objective o;
    struct error err;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        group[i] = (uint32_t)(i * 3 % 4);
        y[i] = group[i] == 2 ? 1 : (double)rng_below(8, 1, i, 4);
        f[i] = rng_normal(8, 2, i);
    }
    for (uint32_t q = 0; q < 4; q++) {
        double best = 0, dcg = 0, pulls = 0, place[N], low = INFINITY,
               high = -INFINITY;

        for (size_t i = 0; i < N; i++) {
            double above = 0, better = 0;

            if (group[i] != q)
                continue;
            low = fmin(low, f[i]);
            high = fmax(high, f[i]);
            for (size_t j = 0; j < N; j++) {
                above += group[j] == q && f[j] > f[i];
                better +=
                    group[j] == q && (y[j] > y[i] || (y[j] == y[i] && j < i));
            }
            place[i] = 1 / log2(2 + above);
            best += (exp2(y[i]) - 1) / log2(2 + better);
            dcg += (exp2(y[i]) - 1) * place[i];
        }
        loss += 1 - dcg / best;
        for (size_t i = 0; i < N; i++)
            for (size_t j = 0; j < N; j++) {
                double d, p;

                if (group[i] != q || group[j] != q || !(y[i] > y[j]))
                    continue;
                d = (exp2(y[i]) - exp2(y[j])) * fabs(place[i] - place[j]) /
                    best / (0.01 + fabs(f[i] - f[j]));
                p = 1 / (1 + exp(f[i] - f[j]));
                g[i] -= p * d;
                g[j] += p * d;
                h[i] += p * (1 - p) * d;
                h[j] += p * (1 - p) * d;
                pulls += 2 * p * d;
            }
        for (size_t i = 0; i < N && pulls > 0; i++)
            if (group[i] == q) {
                g[i] *= log2(1 + pulls) / pulls;
                h[i] *= log2(1 + pulls) / pulls;
            }
    }
    o = objective_over(LOSS_RANK, y, NULL, group, N, 0);
    assert_ok(objective_look(&o, f, &err), err);
    objective_gradients(&o, f, 0, N, got, NULL);
    for (size_t i = 0; i < N; i++) {
        assert_close((double)got[i].g, g[i], 1e-6);
        assert_close((double)got[i].h, h[i], 1e-6);
    }
    assert_close(o.total, 4, 0);
    assert_close(objective_loss(&o, f, 0, N), loss, 1e-12);
    objective_fini(&o);
}

/* Half of the weight lies on each side; where a share ends between two rows,
 * the middle of them. */
static void
test_steps_are_quantiles_by_weight(void **state)
{
    const double y[] = {0};
    struct objective half = objective_over(LOSS_ABSOLUTE, y, NULL, NULL, 1, 0),
                     many = objective_over(LOSS_QUANTILE, y, NULL, NULL, 1, 0),
                     huber = objective_over(LOSS_HUBER, y, NULL, NULL, 1, 0);
    struct residual even[] = {{4, 1}, {1, 1}, {3, 1}, {2, 1}};
    struct residual heavy[] = {{4, 1}, {1, 5}, {3, 1}, {2, 1}};
    struct residual idle[] = {{9, 0}, {1, 1}, {7, 0}, {2, 1}};
    struct residual far[] = {{0, 1}, {0.5, 1}, {100, 1}};
    struct residual same[] = {{2, 1}, {2, 1}, {2, 1}, {2, 1}, {2, 1}};

    (void)state;
    assert_close(objective_step(&half, 0, even, 4), 2.5, 0);
    assert_close(objective_step(&half, 0, heavy, 4), 1, 0);
    assert_close(objective_step(&half, 0, idle, 4), 1.5, 0);
    assert_close(objective_step(&many, 0, even, 4), 2, 0); /* 0.3 */
    assert_close(objective_step(&many, 1, even, 4), 4, 0); /* 0.8 */
    assert_close(objective_step(&many, 1, same, 5), 2, 0);
    /* the median, then -0.5, 0 and 0.7, the most that counts */
    assert_close(objective_step(&huber, 0, far, 3), 0.5 + 0.2 / 3, 1e-15);
}

/* Selection against sorting, with ties and weights of thirds. */
static void
test_selection_is_sorting(void **state)
{
    enum { MANY = 500 };
    const double y[] = {0};
    struct objective o = objective_over(LOSS_QUANTILE, y, NULL, NULL, 1, 0);
    struct residual r[MANY], s[MANY];

    (void)state;
    for (size_t trial = 0; trial < 60; trial++) {
        size_t n = 1 + rng_below(trial, 1, 0, MANY);
        double total = 0, sum = 0, want = 0;

        for (size_t i = 0; i < n; i++) {
            r[i].r = (double)rng_below(trial, 2, i, 3 + n / 4);
            r[i].w = (double)rng_below(trial, 3, i, 4) / 3 + 0.1;
            total += r[i].w;
            s[i] = r[i];
            for (size_t j = i; j > 0 && s[j - 1].r > s[j].r; j--) {
                struct residual t = s[j];

                s[j] = s[j - 1];
                s[j - 1] = t;
            }
        }
        for (size_t i = 0; i < n && sum <= 0.8 * total; i++) {
            want = s[i].r;
            sum += s[i].w;
        }
        assert_close(objective_step(&o, 1, r, n), want, 0);
    }
}

/* The constant that is best: nothing pulls at it. */
static void
test_base_scores_are_best(void **state)
{
    static const enum loss losses[] = {LOSS_SQUARED, LOSS_POISSON, LOSS_GAMMA,
                                       LOSS_TWEEDIE, LOSS_LOGISTIC};
    double y[N], weight[N], offset[N], score[N], base;
    struct gradient g[N];
    struct error err;

    (void)state;
    for (size_t l = 0; l < sizeof losses / sizeof *losses; l++)
        for (int shifted = 0; shifted < 2; shifted++) {
            struct objective o;
            double sum = 0, size = 0;

            for (size_t i = 0; i < N; i++) {
                y[i] = made_target(losses[l], i, 2);
                weight[i] = 0.2 + rng_unit(9, 9, i);
                offset[i] = shifted ? rng_normal(9, 8, i) : 0;
            }
            o = objective_over(losses[l], y, weight, NULL, N, 2);
            o.k = 1;
            assert_ok(objective_base(&o, shifted ? offset : NULL, &base, &err),
                      err);
            for (size_t i = 0; i < N; i++)
                score[i] = offset[i] + base;
            objective_gradients(&o, score, 0, N, g, NULL);
            for (size_t i = 0; i < N; i++) {
                sum += (double)g[i].g;
                size += fabs((double)g[i].g);
            }
            assert_true(fabs(sum) < 1e-6 * size);
            objective_fini(&o);
        }
}

/* Of a loss over many rows, all in one query, stopped at its look n: how many
 * looks it had taken, and whether it came to its end. */
static uint64_t
looks_of(enum loss l, const struct target *y, uint64_t n, bool *ok,
         struct error *err)
{
    struct loss_rule rule = rule_of(l);
    double *score = calloc(y->n, sizeof *score), base[2];
    atomic_uint_least64_t looks;
    struct progress progress;
    const struct train ctx = {.progress = &progress};
    struct objective o;

    assert_non_null(score);
    for (size_t i = 0; i < y->n; i++)
        score[i] = rng_unit(5, 5, i);
    atomic_init(&looks, n);
    progress_init(&progress);
    progress.looks = &looks;
    *ok = objective_init(&o, &rule, y, &ctx, false, err);
    if (*ok) {
        *ok = objective_base(&o, NULL, base, err) &&
              objective_look(&o, score, err);
        objective_fini(&o);
    }
    free(score);
    return n - atomic_load(&looks);
}

static void
test_orders_of_many_rows_can_be_stopped_at_each_look(void **state)
{
    enum { MANY = 50000, MOST_LOOKS = 1 << 30, RUN = 16384 };
    static const enum loss losses[] = {LOSS_COX, LOSS_RANK, LOSS_HUBER,
                                       LOSS_QUANTILE};
    struct target t = {.problem = PROBLEM_REGRESSION, .n = MANY};
    struct error err = {0};

    (void)state;
    t.y = calloc(MANY, sizeof *t.y);
    t.group = calloc(MANY, sizeof *t.group);
    assert_non_null(t.y);
    assert_non_null(t.group);
    for (size_t i = 0; i < MANY; i++)
        t.y[i] = (double)rng_below(6, 6, i, 31);
    for (size_t k = 0; k < sizeof losses / sizeof *losses; k++) {
        bool sorts = losses[k] == LOSS_COX || losses[k] == LOSS_RANK, ok;
        uint64_t all = looks_of(losses[k], &t, MOST_LOOKS, &ok, &err);

        assert_ok(ok, err);
        if (all < (sorts ? MANY / RUN + 2 : 2))
            fail_msg("%s: %d looks", loss_word(losses[k]), (int)all);
        for (uint64_t n = 0; n < all; n += 1 + all / 20) {
            uint64_t used = looks_of(losses[k], &t, n, &ok, &err);

            if (ok || used != n || err.code != ERR_CANCELLED)
                fail_msg("%s, stopped at look %d of %d: %s",
                         loss_word(losses[k]), (int)n, (int)all,
                         ok ? "went on" : err.message);
        }
    }
    free(t.y);
    free(t.group);
}

static void
test_quantiles_are_read_and_put_in_order(void **state)
{
    static const char *const bad[] = {"",        "0", "1",      "0.5,0.5",
                                      "0.9,0.1", "x", "0.1;0.2"};
    struct loss_rule rule = rule_of(LOSS_QUANTILE);
    double crossed[] = {3, 1, 2, 0, 5, 4};
    const double want[] = {1, 2, 3, 0, 4, 5};
    struct error err;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(loss_quantiles(&rule, bad[i], &err));
    assert_ok(loss_quantiles(&rule, "0.05, 0.4,0.95", &err), err);
    assert_int_equal(rule.n_quantiles, 3);
    assert_int_equal(loss_middle(&rule), 1);
    objective_transform(&rule, PROBLEM_REGRESSION, crossed, 2, 3);
    for (size_t i = 0; i < 6; i++)
        assert_close(crossed[i], want[i], 0);
}

/* Each class against the rest, then made to sum to 1. */
static void
test_one_against_all_sums_to_one(void **state)
{
    struct loss_rule rule = rule_of(LOSS_OVA);
    double p[] = {0, log(3), -log(3)};

    (void)state;
    objective_transform(&rule, PROBLEM_MULTICLASS, p, 1, 3);
    assert_close(p[0], 0.5 / 1.5, 1e-15);
    assert_close(p[1], 0.75 / 1.5, 1e-15);
    assert_close(p[2], 0.25 / 1.5, 1e-15);
}

/* Two classes by softmax are the logistic function of the difference. */
static void
test_two_class_softmax_is_logistic(void **state)
{
    const double y[] = {1, 0};
    double two[] = {0.3, 1.5, -2, 0.25}, one[] = {1.2, 2.25};
    struct objective many = rows_of(PROBLEM_MULTICLASS, y, 2, 2),
                     pair = rows_of(PROBLEM_BINARY, y, 2, 1);

    (void)state;
    assert_close(objective_loss(&many, two, 0, 2),
                 objective_loss(&pair, one, 0, 2), 1e-15);
    objective_transform(&many.rule, PROBLEM_MULTICLASS, two, 2, 2);
    objective_transform(&pair.rule, PROBLEM_BINARY, one, 2, 1);
    assert_close(two[1], one[0], 1e-15);
    assert_close(two[2] + two[3], 1, 1e-15);
    assert_close(one[0], 1 / (1 + exp(-1.2)), 1e-15);
}

static void
test_base_scores_are_mean_and_log_odds(void **state)
{
    const double number[] = {1, 2, 6}, two[] = {1, 1, 1, 0},
                 three[] = {0, 2, 2, 2};
    const double weight[] = {3, 0, 1};
    struct objective numbers = rows_of(PROBLEM_REGRESSION, number, 3, 1),
                     pair = rows_of(PROBLEM_BINARY, two, 4, 1),
                     many = rows_of(PROBLEM_MULTICLASS, three, 4, 3);
    double base[3];

    (void)state;
    base_of(&numbers, base);
    assert_close(base[0], 3, 1e-15);
    numbers.weight = weight;
    base_of(&numbers, base);
    assert_close(base[0], 9.0 / 4, 1e-15);
    base_of(&pair, base);
    assert_close(base[0], log(3), 1e-15);
    base_of(&many, base);
    assert_close(base[0], log(0.25), 1e-15);
    assert_close(base[1], log(0.125), 1e-15); /* half a row for none */
    assert_close(base[2], log(0.75), 1e-15);
}

/* At its base score a sample has no gradient left. */
static void
test_base_scores_leave_no_gradient(void **state)
{
    const double y[] = {1, 1, 1, 0, 0};
    const double weight[] = {0.5, 2, 1, 1, 4};
    struct objective o = rows_of(PROBLEM_BINARY, y, 5, 1);
    double base, score[5], sum = 0;
    struct gradient g[5];

    (void)state;
    o.weight = weight;
    base_of(&o, &base);
    for (size_t i = 0; i < 5; i++)
        score[i] = base;
    objective_gradients(&o, score, 0, 5, g, NULL);
    for (size_t i = 0; i < 5; i++)
        sum += (double)g[i].g;
    assert_close(sum, 0, 1e-6);
}

static void
test_certain_scores_stay_finite(void **state)
{
    const double y[] = {0, 1, 0, 1};
    double score[] = {1e300, -1e300, INFINITY, 800}, loss;
    struct objective o = rows_of(PROBLEM_BINARY, y, 4, 1);
    struct gradient g[4];

    (void)state;
    objective_gradients(&o, score, 0, 4, g, &loss);
    for (size_t i = 0; i < 4; i++)
        assert_true(isfinite(g[i].g) && g[i].h > 0);
    /* three rows at the clip of 2^-52, one right */
    assert_close(loss, 3 * 52 * log(2), 1e-12);
}

static void
test_loss_comes_with_the_gradients(void **state)
{
    double score[N * K], y[N] = {0}, loss;
    struct objective o = rows_of(PROBLEM_MULTICLASS, y, N, K);
    struct gradient g[N * K];

    (void)state;
    for (size_t i = 0; i < N * K; i++)
        score[i] = rng_normal(5, 5, i);
    for (size_t i = 0; i < N; i++)
        y[i] = (double)(i % 4);
    objective_gradients(&o, score, 0, N, g, &loss);
    assert_close(loss, objective_loss(&o, score, 0, N), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradients_match_finite_differences),
        cmocka_unit_test(test_losses_are_those_of_other_programs),
        cmocka_unit_test(test_targets_of_another_kind_are_refused),
        cmocka_unit_test(test_rank_gradients_are_those_of_all_pairs),
        cmocka_unit_test(test_steps_are_quantiles_by_weight),
        cmocka_unit_test(test_selection_is_sorting),
        cmocka_unit_test(test_base_scores_are_best),
        cmocka_unit_test(test_orders_of_many_rows_can_be_stopped_at_each_look),
        cmocka_unit_test(test_quantiles_are_read_and_put_in_order),
        cmocka_unit_test(test_one_against_all_sums_to_one),
        cmocka_unit_test(test_two_class_softmax_is_logistic),
        cmocka_unit_test(test_base_scores_are_mean_and_log_odds),
        cmocka_unit_test(test_base_scores_leave_no_gradient),
        cmocka_unit_test(test_certain_scores_stay_finite),
        cmocka_unit_test(test_loss_comes_with_the_gradients),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}

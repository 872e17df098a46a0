/* tests/unit/test_port_families.c -- every family in every format: it is
 * written and comes back with the same answers, or is refused with what to do
 * instead.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/port/port.h"
#include "tests/lib/any_family.h"

enum { ROWS = 120, COLS = 64 };

/* Does a refusal say what to do? */
static bool
leads_on(const char *message)
{
    return strstr(message, "write this model as") ||
           strstr(message, "ask it by") || strstr(message, "learn ");
}

static void
check_answers(const struct model *m, const struct model *back,
              const struct frame *f, const char *what)
{
    struct prediction a, b;
    struct error err;

    if (!model_predict(m, f, NULL, &a, &err) ||
        !model_predict(back, f, NULL, &b, &err))
        fail_msg("%s: %s", what, err.message);
    assert_int_equal(a.k, b.k);
    for (size_t i = 0; i < a.n * a.k; i++)
        if (!(fabs(a.value[i] - b.value[i]) <= 1e-5 * (1 + fabs(a.value[i]))))
            fail_msg("%s: %.9g came back as %.9g", what, a.value[i],
                     b.value[i]);
    prediction_fini(&a);
    prediction_fini(&b);
}

/* Is it written?  ml: of ONNX. */
static bool
goes(const struct model *m, const struct frame *f, enum port_format format,
     int ml)
{
    struct port_export o = {.format = format, .onnx_ml = ml};
    struct port_report r;
    struct model *back = NULL;
    struct error err;
    struct buf out;
    char what[64];
    bool ok;

    snprintf(what, sizeof what, "%s as %s", model_family(m)->name,
             port_format_name(format));
    buf_init(&out);
    ok = port_write(m, &o, NULL, &out, &r, &err);
    port_report_fini(&r);
    if (!ok && !leads_on(err.message))
        fail_msg("%s: %s", what, err.message);
    if (ok && format != PORT_C) {
        if (!(back = port_read((struct str){out.data, out.len}, NULL, &err)))
            fail_msg("%s: %s", what, err.message);
        check_answers(m, back, f, what);
    }
    model_unref(back);
    buf_fini(&out);
    return ok;
}

/* The formats of each family, as lathe(1) has them. */
static const char *
formats_of(const char *name)
{
    static const char *const table[][2] = {
        {"als", ""},
        {"cnn", "onnx c"},
        {"elastic_net", "onnx c pmml"},
        {"ets", ""},
        {"extra_trees", "onnx c pmml lightgbm xgboost"},
        {"forest", "onnx c pmml lightgbm xgboost"},
        {"gbdt", "onnx c pmml lightgbm xgboost"},
        {"gbdt_lags", ""},
        {"isolation_forest", "onnx c"},
        {"kmeans", "onnx c pmml"},
        {"knn", "onnx c"},
        {"lasso", "onnx c pmml"},
        {"linear", "onnx c pmml"},
        {"logistic", "onnx c pmml"},
        {"mlp", "onnx c"},
        {"naive_bayes", "onnx c"},
        {"pca", "onnx c"},
        {"ridge", "onnx c pmml"},
        {"seasonal_naive", ""},
        {"sgd", "onnx c pmml"},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i][0], name) == 0)
            return table[i][1];
    fail_msg("family '%s' is in no table of formats", name);
    return "";
}

static bool
has_word(const char *list, const char *word)
{
    size_t n = strlen(word);

    for (const char *at = list; (at = strstr(at, word)); at += n)
        if ((at == list || at[-1] == ' ') && (at[n] == ' ' || !at[n]))
            return true;
    return false;
}

static void
test_every_family_in_every_format_agrees_or_is_refused(void **state)
{
    struct train ctx = {.seed = 3};
    struct error err;
    size_t n;
    const struct family *const *all = family_table(&n);

    (void)state;
    for (size_t i = 0; i < n; i++) {
        struct frame *f = any_frame(any_of_classes(all[i]), ROWS, COLS, &err);
        struct model *m = any_fit(all[i], f, NULL, NULL, &ctx, &err);

        if (!m)
            fail_msg("%s: %s", all[i]->name, err.message);
        for (int k = 0; k < PORT_N_FORMATS; k++) {
            enum port_format format = (enum port_format)k;
            bool want =
                has_word(formats_of(all[i]->name), port_format_name(format));

            assert_int_equal(goes(m, f, format, 3), want);
            if (format == PORT_ONNX)
                assert_int_equal(goes(m, f, format, 5), want);
        }
        model_unref(m);
        frame_unref(f);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_every_family_in_every_format_agrees_or_is_refused),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}

/* The columns class by class of the target, and what each tells of it.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmath.h"
#include "base/mem.h"
#include "base/sort.h"
#include "frame/profile_part.h"

struct classes {
    struct profile *p;
    const struct feature *feature;
    const uint32_t *class; /* of each row, from 1; 0: missing */
    const uint32_t *tenth; /* the target as codes, whatever it is */
    size_t n_tenths;
    atomic_bool failed;
};

/* ---- information ----------------------------------------------------- */

/* Sum of c log c. */
static double
weigh(const size_t *count, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        if (count[i] > 1)
            sum += (double)count[i] * fm_log((double)count[i]);
    return sum;
}

/* I = log n + (sum over cells - sum over rows - sum over columns) / n, each of
 * c log c, in nats. */
static bool
share_information(const struct classes *s, const uint32_t *code, size_t n_codes,
                  size_t rows, double *out, struct error *err)
{
    size_t n = 0, k = s->n_tenths;
    size_t *cell = mem_try_array(n_codes * k, sizeof *cell, err);
    size_t *a = cell ? mem_try_array(n_codes, sizeof *a, err) : NULL;
    size_t *b = a ? mem_try_array(k, sizeof *b, err) : NULL;

    for (size_t i = 0; b && i < rows; i++)
        if (code[i] && s->tenth[i]) {
            cell[code[i] * k + s->tenth[i]]++;
            a[code[i]]++;
            b[s->tenth[i]]++;
            n++;
        }
    if (b && n > 0)
        *out = fm_log((double)n) +
               (weigh(cell, n_codes * k) - weigh(a, n_codes) - weigh(b, k)) /
                   (double)n;
    free(cell);
    free(a);
    free(b);
    return b;
}

/* ---- one column ------------------------------------------------------ */

static void
describe(struct profile_class *out, double *x, size_t n)
{
    double sum = 0, square = 0;

    out->mean = out->sd = out->median = NAN;
    if (n == 0)
        return;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    out->mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        square += (x[i] - out->mean) * (x[i] - out->mean);
    if (n > 1)
        out->sd = sqrt(square / (double)(n - 1));
    qsort(x, n, sizeof *x, sort_rising);
    out->median = (x[(n - 1) / 2] + x[n / 2]) / 2;
}

static bool
describe_classes(const struct classes *s, const struct feature *x,
                 struct profile_column *c, struct error *err)
{
    double *value = mem_try_array(x->n, sizeof *value, err);

    for (size_t k = 0; value && k < s->p->n_classes; k++) {
        struct profile_class *out = &c->by_class[k];
        size_t n = 0;

        for (size_t i = 0; i < x->n; i++) {
            if (s->class[i] != k + 1)
                continue;
            out->n_missing += isnan(x->x[i]) != 0;
            if (isfinite(x->x[i]))
                value[n++] = x->x[i];
        }
        describe(out, value, n);
    }
    free(value);
    return value;
}

/* Which of the most frequent values each code is; PROFILE_TOP: none. */
static bool
match_top(const struct classes *s, size_t col, const uint32_t *code, size_t n,
          unsigned char *top, struct error *err)
{
    const struct profile *p = s->p;
    const struct profile_column *c = &p->column[col];
    struct buf text;
    bool ok;

    buf_init(&text);
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;

        if (!code[i] || top[code[i]])
            continue;
        buf_clear(&text);
        column_print(frame_column(p->frame, col),
                     profile_sample_row(p->frame, i, n), &text);
        while (k < c->n_top && strcmp(c->top[k].text, text.data) != 0)
            k++;
        top[code[i]] = (unsigned char)(1 + (k < c->n_top ? k : PROFILE_TOP));
    }
    ok = buf_check(&text, err);
    buf_fini(&text);
    return ok;
}

static bool
count_classes(const struct classes *s, size_t col, const uint32_t *code,
              size_t n_codes, struct error *err)
{
    struct profile_column *c = &s->p->column[col];
    size_t n = s->feature[col].n;
    unsigned char *top = mem_try_array(n_codes, 1, err);
    bool ok = top && match_top(s, col, code, n, top, err);

    for (size_t i = 0; ok && i < n; i++) {
        struct profile_class *out;

        if (s->class[i] == 0 || s->class[i] > s -> p -> n_classes)
            continue;
        out = &c->by_class[s->class[i] - 1];
        if (!code[i])
            out->n_missing++;
        else if (top[code[i]] <= PROFILE_TOP)
            out->top[top[code[i]] - 1]++;
    }
    free(top);
    return ok;
}

static bool
view(const struct classes *s, size_t col, struct error *err)
{
    const struct feature *x = &s->feature[col];
    struct profile_column *c = &s->p->column[col];
    uint32_t *code = mem_try_array(x->n, sizeof *code, err);
    size_t n_codes;
    bool ok = code;

    if (ok && (!x->number || x->n_codes <= PROFILE_MANY + 1)) {
        n_codes = feature_tenths(x, code);
        if (n_codes <= PROFILE_MANY + 1)
            ok = share_information(s, code, n_codes, x->n, &c->mutual, err);
    }
    if (ok && s->class) {
        ok = (c->by_class =
                  mem_try_array(s->p->n_classes, sizeof *c->by_class, err));
        if (ok && profile_is_category(c))
            ok = count_classes(s, col, code, feature_values(x, code), err);
        else if (ok)
            ok = describe_classes(s, x, c, err);
    }
    free(code);
    return ok;
}

static void
view_column(void *ctx, size_t col, size_t begin, size_t end)
{
    struct classes *s = ctx;
    struct error err;

    (void)begin;
    (void)end;
    if (s->p->column[col].n_distinct > 0 && !view(s, col, &err))
        atomic_store(&s->failed, true);
}

/* ---- the whole ------------------------------------------------------- */

/* Names and sizes of the first PROFILE_MAX_CLASSES classes. */
static bool
name_classes(struct profile *p, size_t target, const uint32_t *class,
             size_t n_classes, size_t n, struct error *err)
{
    const struct column *c = frame_column(p->frame, target);
    struct buf text;
    bool ok = true;

    if (!(p->class_name =
              mem_try_array(n_classes, sizeof *p->class_name, err)) ||
        !(p->class_rows = mem_try_array(n_classes, sizeof *p->class_rows, err)))
        return false;
    p->n_classes = n_classes;
    buf_init(&text);
    for (size_t i = 0; ok && i < n; i++) {
        size_t k = class[i] - 1;

        if (class[i] == 0)
            continue;
        p->class_rows[k]++;
        if (p->class_name[k])
            continue;
        buf_clear(&text);
        column_print(c, profile_sample_row(p->frame, i, n), &text);
        ok = buf_check(&text, err) &&
             (p->class_name[k] = mem_try_text(text.data, text.len, err));
    }
    buf_fini(&text);
    return ok;
}

bool
profile_classes(struct profile *p, const struct feature *features,
                size_t target, const uint32_t *class, size_t n_classes,
                struct pool *pool, struct error *err)
{
    const struct feature *y = &features[target];
    uint32_t *tenth = mem_try_array(y->n, sizeof *tenth, err);
    struct classes s = {.p = p, .feature = features, .tenth = tenth};
    bool ok = tenth;

    if (ok && n_classes > 0 && n_classes <= PROFILE_MAX_CLASSES) {
        s.class = class;
        ok = name_classes(p, target, class, n_classes, y->n, err);
    }
    if (ok) {
        s.n_tenths = feature_tenths(y, tenth);
        pool_for(pool, p->n_cols, 1, view_column, &s);
        if (atomic_load(&s.failed))
            ok = error_set(err, ERR_NOMEM, "no memory to compare classes");
    }
    free(tenth);
    return ok;
}

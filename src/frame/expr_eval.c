/* Running a plan: batches of EXPR_BATCH rows, CHUNK batches a task.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/expr_plan.h"

enum { CHUNK = 8 * EXPR_BATCH };

/* ---- the machine ----------------------------------------------------- */

struct machine {
    const struct plan *p;
    struct vec **reg;
    size_t n_regs;
    struct arena *mem; /* texts made by this batch */
    size_t begin, n;   /* rows of this batch */
    bool entries;      /* rows are the entries of a dictionary, and one for
                          missing after the last */
};

static size_t
max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Registers a step uses, counted from its base. */
static size_t
registers(const struct step *s)
{
    size_t need = s->op == STEP_IN ? 5 : s->op == STEP_FOLD ? 3 : s->n_args + 1;

    for (size_t i = 0; i < s->n_args; i++) {
        size_t offset = s->op == STEP_CALL ? i
                        : i == 0           ? 0
                        : s->op == STEP_IN ? 2
                                           : 1;

        need = max_size(need, offset + registers(s->arg[i]));
    }
    return need;
}

static void
machine_fini(struct machine *m)
{
    for (size_t i = 0; m->reg && i < m->n_regs; i++)
        free(m->reg[i]);
    free(m->reg);
}

/* A register and its values are one block. */
static bool
machine_init(struct machine *m, const struct plan *p, const struct step *s,
             struct error *err)
{
    size_t values = EXPR_BATCH * sizeof(struct str);

    m->p = p;
    m->n_regs = registers(s);
    if (!(m->reg = mem_try_array(m->n_regs, sizeof *m->reg, err)))
        return false;
    for (size_t i = 0; i < m->n_regs; i++) {
        if (!(m->reg[i] =
                  mem_try_aligned(1, sizeof(struct vec) + values + 64, err)))
            return false;
        m->reg[i]->own =
            (char *)m->reg[i] + (sizeof(struct vec) + 63) / 64 * 64;
    }
    return true;
}

static void
swap(struct machine *m, size_t a, size_t b)
{
    struct vec *v = m->reg[a];

    m->reg[a] = m->reg[b];
    m->reg[b] = v;
}

static void
load_valid(struct vec *v, const uint64_t *valid, size_t begin, size_t n)
{
    if (valid)
        memcpy(v->valid, valid + begin / 64, (n + 63) / 64 * sizeof *valid);
    else
        memset(v->valid, 0xff, sizeof v->valid);
}

static void
load_texts(struct vec *v, const struct column *c, size_t begin, size_t n)
{
    const uint32_t *codes = column_codes(c) + begin;
    const struct dict *d = column_dict(c);
    struct str *o = v->own;

    for (size_t i = 0; i < n; i++)
        o[i] = v->valid[i / 64] >> (i % 64) & 1 ? dict_text(d, codes[i])
                                                : (struct str){"", 0};
}

static void
load_column(const struct machine *m, const struct step *s, struct vec *v)
{
    const struct column *c = s->column;
    size_t begin = m->begin, n = m->n;
    int64_t *o = v->own;

    load_valid(v, column_validity(c), begin, n);
    v->p = v->own;
    switch (column_type(c)) {
    case COL_BOOL:
        v->p = column_bools(c) + begin;
        break;
    case COL_INT64:
    case COL_TIMESTAMP:
        v->p = column_int64s(c) + begin;
        break;
    case COL_FLOAT64:
        v->p = column_float64s(c) + begin;
        break;
    case COL_TEXT:
        load_texts(v, c, begin, n);
        break;
    case COL_DATE:
        for (size_t i = 0; i < n; i++)
            o[i] = column_dates(c)[begin + i];
        break;
    }
}

/* The texts of the dictionary as if they were the rows. */
static void
load_entries(const struct machine *m, const struct step *s, struct vec *v)
{
    const struct dict *d = column_dict(s->column);
    size_t count = dict_count(d);
    struct str *o = v->own;

    v->p = v->own;
    memset(v->valid, 0xff, sizeof v->valid);
    for (size_t i = 0; i < m->n; i++) {
        bool is_entry = m->begin + i < count;

        o[i] = is_entry ? dict_text(d, (uint32_t)(m->begin + i))
                        : (struct str){"", 0};
        if (!is_entry)
            v->valid[i / 64] &= ~((uint64_t)1 << (i % 64));
    }
}

/* o[i] = table[index[i]]; index NULL: table[0] for all. */
#define GATHER(type)                             \
    do {                                         \
        const type *t = s->table, first = *t;    \
        type *o = v->own;                        \
                                                 \
        for (size_t i = 0; !index && i < n; i++) \
            o[i] = first;                        \
        for (size_t i = 0; index && i < n; i++)  \
            o[i] = t[index[i]];                  \
    } while (0)

static void
load_values(const struct step *s, const uint32_t *index, size_t n,
            struct vec *v)
{
    v->p = v->own;
    switch (vec_kind_of(s->type)) {
    case VEC_BOOL:
        GATHER(uint8_t);
        break;
    case VEC_INT:
        GATHER(int64_t);
        break;
    case VEC_FLOAT:
        GATHER(double);
        break;
    case VEC_TEXT:
        GATHER(struct str);
        break;
    }
}

static void
load_table(const struct step *s, const uint32_t *index, size_t n, struct vec *v)
{
    load_values(s, index, n, v);
    if (!index) {
        memset(v->valid, *s->table_valid & 1 ? 0xff : 0, sizeof v->valid);
        return;
    }
    memset(v->valid, 0, sizeof v->valid);
    for (size_t w = 0; w * 64 < n; w++) {
        size_t m = n - w * 64 < 64 ? n - w * 64 : 64;
        const uint32_t *at = index + w * 64;
        uint64_t bits = 0;

        for (size_t i = 0; i < m; i++)
            bits |= (s->table_valid[at[i] / 64] >> (at[i] % 64) & 1) << i;
        v->valid[w] = bits;
    }
}

/* Are the results missing where the text is, and nowhere else? */
static bool
misses_alike(const struct step *s)
{
    size_t n = s->n_table - 1;
    uint64_t last = s->table_valid[n / 64];

    for (size_t w = 0; w < n / 64; w++)
        if (~s->table_valid[w])
            return false;
    return !(last >> (n % 64) & 1) &&
           !(~last & ((UINT64_C(1) << (n % 64)) - 1));
}

static void
load_lookup(const struct machine *m, const struct step *s, struct vec *v)
{
    const struct column *c = s->column;
    const uint32_t *codes = column_codes(c) + m->begin;
    const uint64_t *valid = column_validity(c);
    uint32_t index[EXPR_BATCH], missing = (uint32_t)(s->n_table - 1);

    if (valid && missing < EXPR_BATCH && misses_alike(s)) {
        load_values(s, codes, m->n, v);
        memcpy(v->valid, valid + m->begin / 64,
               (m->n + 63) / 64 * sizeof *valid);
        return;
    }
    if (!valid) {
        load_table(s, codes, m->n, v);
        return;
    }
    for (size_t i = 0; i < m->n; i++)
        index[i] = column_bit(valid, m->begin + i) ? codes[i] : missing;
    load_table(s, index, m->n, v);
}

static bool
run(struct machine *m, const struct step *s, size_t base, struct error *err);

/* Call the kernel on registers base.. and leave its result in base. */
static bool
apply(struct machine *m, const struct step *s, size_t base, size_t n_args,
      struct error *err)
{
    struct vec *out = m->reg[base + n_args];
    struct error why = {0};

    out->p = out->own;
    if (!s->fn(s, (const struct vec *const *)(m->reg + base), m->n, out, m->mem,
               &why))
        return expr_fail(m->p->e->text, m->p->e->len, s->node->at, why.code,
                         err, "%s", why.message);
    swap(m, base, base + n_args);
    return true;
}

static bool
run_call(struct machine *m, const struct step *s, size_t base,
         struct error *err)
{
    for (size_t i = 0; i < s->n_args; i++)
        if (!run(m, s->arg[i], base + i, err))
            return false;
    return apply(m, s, base, s->n_args, err);
}

static bool
run_fold(struct machine *m, const struct step *s, size_t base,
         struct error *err)
{
    if (!run(m, s->arg[0], base, err))
        return false;
    for (size_t i = 1; i < s->n_args; i++)
        if (!run(m, s->arg[i], base + 1, err) || !apply(m, s, base, 2, err))
            return false;
    return true;
}

/* base: the value, base + 1: the answer so far, base + 2: an item, base + 3:
 * is it equal, base + 4: the new answer. */
static bool
run_in(struct machine *m, const struct step *s, size_t base, struct error *err)
{
    if (!run(m, s->arg[0], base, err))
        return false;
    for (size_t i = 1; i < s->n_args; i++) {
        const struct vec *pair[2];
        struct vec *equal;

        if (!run(m, s->arg[i], base + 2, err))
            return false;
        pair[0] = m->reg[base];
        pair[1] = m->reg[base + 2];
        equal = m->reg[base + 3];
        equal->p = equal->own;
        if (!s->fn(s, pair, m->n, equal, m->mem, err))
            return false;
        if (i == 1) {
            swap(m, base + 1, base + 3);
            continue;
        }
        pair[0] = m->reg[base + 1];
        pair[1] = equal;
        m->reg[base + 4]->p = m->reg[base + 4]->own;
        if (!k_or(s, pair, m->n, m->reg[base + 4], m->mem, err))
            return false;
        swap(m, base + 1, base + 4);
    }
    swap(m, base, base + 1);
    return true;
}

/* The value of s for the rows of the batch, in register base. */
static bool
run(struct machine *m, const struct step *s, size_t base, struct error *err)
{
    switch (s->op) {
    case STEP_LOAD:
        if (m->entries)
            load_entries(m, s, m->reg[base]);
        else
            load_column(m, s, m->reg[base]);
        return true;
    case STEP_CONST:
        load_table(s, NULL, m->n, m->reg[base]);
        return true;
    case STEP_LOOKUP:
        load_lookup(m, s, m->reg[base]);
        return true;
    case STEP_FOLD:
        return run_fold(m, s, base, err);
    case STEP_IN:
        return run_in(m, s, base, err);
    case STEP_CALL:
        break;
    }
    return run_call(m, s, base, err);
}

/* ---- tables computed beforehand -------------------------------------- */

bool
plan_tabulate(struct plan *p, struct step *s)
{
    bool constant = s->reads == READS_NOTHING;
    size_t n = 1, width = vec_width(vec_kind_of(s->type));
    struct machine m = {.mem = &p->mem, .entries = true};
    uint64_t *valid;
    bool ok = false;
    char *table;

    if (!constant)
        n = dict_count(column_dict(s->column)) + 1;
    if (!(table = arena_try(&p->mem, n, width, p->err)) ||
        !(valid = arena_try(&p->mem, (n + 63) / 64, sizeof *valid, p->err)) ||
        !machine_init(&m, p, s, p->err))
        goto out;
    for (m.begin = 0; m.begin < n; m.begin += EXPR_BATCH) {
        m.n = n - m.begin < EXPR_BATCH ? n - m.begin : EXPR_BATCH;
        if (!run(&m, s, 0, p->err))
            goto out;
        memcpy(table + m.begin * width, m.reg[0]->p, m.n * width);
        memcpy(valid + m.begin / 64, m.reg[0]->valid,
               (m.n + 63) / 64 * sizeof *valid);
    }
    s->op = constant ? STEP_CONST : STEP_LOOKUP;
    s->table = table;
    s->table_valid = valid;
    s->n_table = n;
    s->n_args = 0;
    ok = true;
out:
    machine_fini(&m);
    return ok;
}

/* ---- a column of results --------------------------------------------- */

struct job {
    const struct plan *p;
    void *data;        /* bool, int, float, date, timestamp */
    struct str *texts; /* or texts, which live in arena[chunk] */
    uint64_t *valid;
    struct arena *arena;
    struct error *error; /* one a chunk */
    atomic_size_t first_bad;
};

static bool
bit(const uint64_t *valid, size_t i)
{
    return valid[i / 64] >> (i % 64) & 1;
}

/* Dates narrow to 32 bits; beyond them there is no date. */
static void
store_dates(struct job *j, const struct machine *m, const struct vec *v)
{
    int32_t *o = (int32_t *)j->data + m->begin;
    uint64_t *valid = j->valid + m->begin / 64;

    for (size_t i = 0; i < m->n; i++) {
        int64_t x = v_int(v)[i];

        if (x < INT32_MIN || x > INT32_MAX) {
            valid[i / 64] &= ~((uint64_t)1 << (i % 64));
            x = 0;
        }
        o[i] = (int32_t)x;
    }
}

/* What lies under a cleared validity bit is zero. */
static void
zero_missing(char *data, size_t width, const uint64_t *valid, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!bit(valid, i))
            memset(data + i * width, 0, width);
}

static void
store(struct job *j, const struct machine *m, const struct vec *v)
{
    enum col_type type = j->p->root->type;
    size_t width = column_width(type), n = m->n;
    uint64_t *valid = j->valid + m->begin / 64;

    memcpy(valid, v->valid, (n + 63) / 64 * sizeof *valid);
    if (n % 64)
        valid[n / 64] &= ((uint64_t)1 << (n % 64)) - 1;
    if (type == COL_TEXT) {
        memcpy(j->texts + m->begin, v->p, n * sizeof *j->texts);
        return;
    }
    if (type == COL_DATE)
        store_dates(j, m, v);
    else
        memcpy((char *)j->data + m->begin * width, v->p, n * width);
    zero_missing((char *)j->data + m->begin * width, width, valid, n);
}

static bool
run_rows(struct job *j, struct machine *m, size_t begin, size_t end,
         struct error *err)
{
    if (!machine_init(m, j->p, j->p->root, err))
        return false;
    for (m->begin = begin; m->begin < end; m->begin += EXPR_BATCH) {
        m->n = end - m->begin < EXPR_BATCH ? end - m->begin : EXPR_BATCH;
        if (!j->texts)
            arena_reset(m->mem);
        if (!run(m, j->p->root, 0, err))
            return false;
        store(j, m, m->reg[0]);
    }
    return true;
}

/* The error of the first chunk that has one is told, whichever comes first in
 * time: only chunks behind a known error are left out. */
static void
run_chunk(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct job *j = ctx;
    struct machine m = {.mem = &j->arena[chunk]};
    size_t bad = atomic_load(&j->first_bad);

    if (chunk > bad)
        return;
    if (!run_rows(j, &m, begin, end, &j->error[chunk]))
        while (chunk < bad &&
               !atomic_compare_exchange_weak(&j->first_bad, &bad, chunk))
            ;
    machine_fini(&m);
    if (!j->texts)
        arena_fini(m.mem);
}

static struct column *
texts_to_column(const struct str *texts, uint64_t *valid, size_t n,
                struct error *err)
{
    struct dict *d = dict_new(err);
    uint32_t *codes = d ? mem_try_aligned(n, sizeof *codes, err) : NULL;

    if (!codes)
        goto fail;
    for (size_t i = 0; i < n; i++)
        if (bit(valid, i) && !dict_add(d, texts[i], &codes[i], err))
            goto fail;
    return column_new(COL_TEXT, n, codes, valid, d, err);
fail:
    free(codes);
    free(valid);
    dict_unref(d);
    return NULL;
}

static bool
job_run(struct job *j, size_t n, struct pool *pool, struct error *err)
{
    size_t chunks = pool_chunks(n, CHUNK), bad;

    if (!(j->arena = mem_try_array(chunks, sizeof *j->arena, err)) ||
        !(j->error = mem_try_array(chunks, sizeof *j->error, err)))
        return false;
    for (size_t i = 0; i < chunks; i++)
        arena_init(&j->arena[i]);
    atomic_init(&j->first_bad, SIZE_MAX);
    pool_for(pool, n, CHUNK, run_chunk, j);
    bad = atomic_load(&j->first_bad);
    if (bad != SIZE_MAX)
        *err = j->error[bad];
    return bad == SIZE_MAX;
}

static void
job_fini(struct job *j, size_t n)
{
    for (size_t i = 0; j->arena && j->texts && i < pool_chunks(n, CHUNK); i++)
        arena_fini(&j->arena[i]);
    free(j->arena);
    free(j->error);
    free(j->texts);
}

static struct column *
evaluate(const struct plan *p, struct pool *pool, struct error *err)
{
    enum col_type type = p->root->type;
    size_t n = frame_rows(p->f);
    struct job j = {.p = p};
    struct column *c = NULL;

    if (p->root->op == STEP_LOAD)
        return column_ref(p->root->column);
    if (type == COL_TEXT)
        j.texts = mem_try_array(n, sizeof *j.texts, err);
    else
        j.data = mem_try_aligned(n, column_width(type), err);
    if ((!j.texts && !j.data) ||
        !(j.valid = mem_try_array((n + 63) / 64, sizeof *j.valid, err)) ||
        !job_run(&j, n, pool, err)) {
        free(j.data);
        free(j.valid);
    } else if (type == COL_TEXT) {
        c = texts_to_column(j.texts, j.valid, n, err);
    } else {
        c = column_new(type, n, j.data, j.valid, NULL, err);
    }
    job_fini(&j, n);
    return c;
}

struct column *
plan_values(struct plan *p, struct step *s)
{
    struct plan part = *p;

    if (!plan_settle(p, s))
        return NULL;
    part.root = s;
    return evaluate(&part, p->pool, p->err);
}

struct column *
expr_eval(const struct expr *e, const struct frame *f, struct pool *pool,
          struct error *err)
{
    struct plan p = {.pool = pool};
    struct column *c = NULL;

    if (plan_bind(&p, e, f, err)) {
        c = evaluate(&p, pool, err);
    }
    plan_fini(&p);
    return c;
}

bool
expr_check(const struct expr *e, const struct frame *f, enum col_type *type,
           struct error *err)
{
    struct plan p = {.check_only = true};
    bool ok = plan_bind(&p, e, f, err);

    if (ok)
        *type = p.root->type;
    plan_fini(&p);
    return ok;
}

/* ---- filters --------------------------------------------------------- */

struct truth {
    const uint8_t *is_true;
    size_t *n; /* of each chunk, then where its rows begin */
    uint32_t *rows;
};

static void
count_true(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct truth *t = ctx;

    size_t n = 0;

    for (size_t i = begin; i < end; i++)
        n += t->is_true[i];
    t->n[chunk] = n;
}

/* Every row is written, and the next one over it unless it is true. */
static void
list_true(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct truth *t = ctx;
    uint32_t *at = t->rows + t->n[chunk];
    uint32_t *last = t->rows + t->n[chunk + 1];

    for (size_t i = begin; i < end && at < last; i++) {
        *at = (uint32_t)i;
        at += t->is_true[i];
    }
}

static bool
true_rows(const struct column *c, struct pool *pool, uint32_t **rows, size_t *n,
          struct error *err)
{
    size_t chunks = pool_chunks(column_rows(c), CHUNK), at = 0;
    struct truth t = {.is_true = column_bools(c)};

    if (!(t.n = mem_try_array(chunks + 1, sizeof *t.n, err)))
        return false;
    pool_for(pool, column_rows(c), CHUNK, count_true, &t);
    for (size_t i = 0; i <= chunks; i++) {
        size_t count = t.n[i];

        t.n[i] = at;
        at += count;
    }
    if ((t.rows = mem_try_unset(at, sizeof *t.rows, err)))
        pool_for(pool, column_rows(c), CHUNK, list_true, &t);
    free(t.n);
    *rows = t.rows;
    *n = at;
    return t.rows;
}

bool
expr_where(const struct expr *e, const struct frame *f, struct pool *pool,
           uint32_t **rows, size_t *n, struct error *err)
{
    enum col_type type;
    struct column *c;
    bool ok;

    if (!expr_check(e, f, &type, err))
        return false;
    if (type != COL_BOOL)
        return expr_fail(e->text, e->len, e->root->begin, ERR_TYPE, err,
                         "a condition is wanted, and this is %s",
                         column_type_word(type));
    if (!(c = expr_eval(e, f, pool, err)))
        return false;
    ok = true_rows(c, pool, rows, n, err);
    column_unref(c);
    return ok;
}

/* engine/prepare_step.c -- lines of steps: parsed, learnt, applied, kept.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/prepare_step.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sort.h"

enum { MAX_STEPS = 100 };

static const struct step_kind *const kinds[] = {
    &step_impute,  &step_scale, &step_polynomial, &step_onehot,
    &step_ordinal, &step_rare,  &step_target,     &step_date,
    &step_words,   &step_chars, &step_select};
enum { N_KINDS = sizeof kinds / sizeof *kinds };

/* ---- words ---- */

bool
step_has(const struct step *s, const char *word)
{
    for (size_t i = 0; i < s->words.n_words; i++)
        if (str_is(s->words.word[i], word))
            return true;
    return false;
}

struct str
step_value(const struct step *s, const char *name)
{
    for (size_t i = 0; i < s->words.n_pairs; i++)
        if (str_is(s->words.pair[i].name, name))
            return s->words.pair[i].value;
    return (struct str){"", 0};
}

double
step_number(const struct step *s, const char *name, double fallback)
{
    double v;

    return str_to_f64(step_value(s, name), &v) ? v : fallback;
}

/* Is the word among " a b c "?  '#' is no word, it stands for a number. */
static bool
is_among(const char *list, struct str word)
{
    if (str_is(word, "#"))
        return false;
    for (const char *at = list; (at = strchr(at, ' ')); at++)
        if (strncmp(at + 1, word.p, word.n) == 0 && word.n > 0 &&
            at[1 + word.n] == ' ')
            return true;
    return false;
}

static bool
number_check(const struct step *s, struct str text,
             const struct step_rule *rule, struct error *err)
{
    double v;

    if (str_to_f64(text, &v) && v >= rule->low && v <= rule->high &&
        (!rule->whole || v == floor(v)))
        return true;
    return error_set(err, ERR_RANGE,
                     "step '%s': '%.*s', expected a %snumber from %g to %g",
                     s->kind->name, (int)(text.n < 32 ? text.n : 32), text.p,
                     rule->whole ? "whole " : "", rule->low, rule->high);
}

bool
step_words_check(const struct step *s, const struct step_rule *rule,
                 struct error *err)
{
    size_t numbers = 0;
    double v;

    for (size_t i = 0; i < s->words.n_words; i++) {
        struct str w = s->words.word[i];

        if (is_among(rule->words, w))
            continue;
        if (!strchr(rule->words, '#') || !str_to_f64(w, &v))
            return error_set(err, ERR_PARSE,
                             "step '%s': '%.*s' is not known, expected%s",
                             s->kind->name, (int)(w.n < 32 ? w.n : 32), w.p,
                             *rule->words ? rule->words : " none");
        if (!number_check(s, w, rule, err))
            return false;
        if (numbers++)
            return error_set(err, ERR_PARSE, "step '%s' has two numbers",
                             s->kind->name);
    }
    for (size_t i = 0; i < s->words.n_pairs; i++) {
        struct str name = s->words.pair[i].name;

        if (!is_among(rule->pairs, name))
            return error_set(err, ERR_PARSE,
                             "step '%s': '%.*s=' is not known, expected%s",
                             s->kind->name, (int)(name.n < 32 ? name.n : 32),
                             name.p, *rule->pairs ? rule->pairs : " none");
        if (!number_check(s, s->words.pair[i].value, rule, err))
            return false;
    }
    return true;
}

/* The next word of a line; n = 0 at its end. */
static struct str
next_word(struct str *line)
{
    struct str w;

    *line = str_trim(*line);
    w = *line;
    for (w.n = 0; w.n < line->n && line->p[w.n] != ' ';)
        w.n++;
    line->p += w.n;
    line->n -= w.n;
    return w;
}

static bool
word_add(struct step *s, struct str w, struct error *err)
{
    struct step_words *to = &s->words;
    const char *eq = memchr(w.p, '=', w.n);

    if (to->n_words == STEP_WORDS || to->n_pairs == STEP_WORDS)
        return error_set(err, ERR_PARSE, "step '%s' has over %d words",
                         s->kind->name, STEP_WORDS);
    if (!eq) {
        to->word[to->n_words++] = w;
        return true;
    }
    to->pair[to->n_pairs].name = (struct str){w.p, (size_t)(eq - w.p)};
    to->pair[to->n_pairs++].value =
        (struct str){eq + 1, w.n - (size_t)(eq - w.p) - 1};
    return true;
}

static bool
kind_unknown(struct str w, struct error *err)
{
    const char *names[N_KINDS], *near;
    struct buf list;

    buf_init(&list);
    for (size_t i = 0; i < N_KINDS; i++) {
        names[i] = kinds[i]->name;
        buf_printf(&list, "%s%s", i ? ", " : "", names[i]);
    }
    near = str_nearest(w, names, N_KINDS);
    error_set(err, ERR_NOTFOUND, "no step '%.*s'%s%s%s",
              (int)(w.n < 32 ? w.n : 32), w.p,
              near ? " (did you mean '" : ", there are ",
              near ? near : list.data, near ? "'?)" : "");
    buf_fini(&list);
    return false;
}

static bool
line_parse(struct step *s, struct error *err)
{
    struct str line = str_of(s->written), w = next_word(&line);

    for (size_t i = 0; i < N_KINDS; i++)
        if (str_is(w, kinds[i]->name))
            s->kind = kinds[i];
    if (!s->kind)
        return kind_unknown(w, err);
    while ((w = next_word(&line)).n > 0 && !str_is(w, "on"))
        if (!word_add(s, w, err))
            return false;
    if (w.n > 0) {
        s->words.columns = str_trim(line);
        if (s->words.columns.n == 0)
            return error_set(err, ERR_PARSE, "step '%s' is on no column",
                             s->kind->name);
    }
    return s->kind->check(s, err);
}

bool
prepare_steps_init(struct prepare *p, size_t n, struct error *err)
{
    if (n > MAX_STEPS)
        return error_set(err, ERR_RANGE, "%zu steps, expected at most %d", n,
                         MAX_STEPS);
    p->step = arena_try(&p->arena, n, sizeof *p->step, err);
    return p->step != NULL;
}

bool
prepare_steps_add(struct prepare *p, const char *line, struct error *err)
{
    struct step *s = &p->step[p->n_steps];

    if (!(s->written = arena_text(&p->arena, line, strlen(line), err)))
        return false;
    p->n_steps++;
    return line_parse(s, err);
}

bool
prepare_steps_stream(const char *const *steps, struct error *err)
{
    for (; steps && *steps; steps++) {
        struct step s = {.written = *steps};

        if (!line_parse(&s, err))
            return false;
        if (s.kind->whole)
            return error_set(err, ERR_LIMIT,
                             "step '%s' learns only from a table that fits in "
                             "memory",
                             s.kind->name);
    }
    return true;
}

/* ---- columns ---- */

bool
step_is_number(const struct column *c, const char *name, struct error *err)
{
    return column_type(c) != COL_TEXT ||
           error_set(err, ERR_TYPE, "column '%s' is text, expected numbers",
                     name);
}

double *
step_column_numbers(const struct column *c, const char *name, struct error *err)
{
    size_t n = column_rows(c);
    double *x;

    if (!step_is_number(c, name, err))
        return NULL;
    if ((x = mem_try_array(n, sizeof *x, err)))
        column_numbers(c, 0, n, x);
    return x;
}

double *
step_numbers(const struct frame *f, const char *name, struct error *err)
{
    size_t col;

    return frame_need(f, name, &col, err)
               ? step_column_numbers(frame_column(f, col), name, err)
               : NULL;
}

bool
step_is_text(const struct column *c, const char *name, struct error *err)
{
    return column_type(c) == COL_TEXT ||
           error_set(err, ERR_TYPE, "column '%s' is %s, expected text", name,
                     column_type_word(column_type(c)));
}

const struct column *
step_texts(const struct frame *f, const char *name, struct error *err)
{
    size_t col;

    return frame_need(f, name, &col, err) &&
                   step_is_text(frame_column(f, col), name, err)
               ? frame_column(f, col)
               : NULL;
}

const char *
step_name(struct buf *room, const char *a, const char *sep, const char *b)
{
    buf_clear(room);
    buf_puts(room, a);
    buf_puts(room, sep);
    buf_puts(room, b);
    return room->data;
}

bool
step_room(struct step_fit *f, struct learnt *l, size_t n_numbers,
          size_t n_texts, struct error *err)
{
    struct arena *a = &f->p->arena;

    l->number = arena_try(a, n_numbers, sizeof *l->number, err);
    l->text = arena_try(a, n_texts, sizeof *l->text, err);
    l->n_numbers = n_numbers;
    l->n_texts = n_texts;
    return l->number && l->text;
}

static int
by_text(const void *a, const void *b)
{
    return str_cmp(((const struct step_level *)a)->text,
                   ((const struct step_level *)b)->text);
}

struct step_level *
step_levels(const struct column *c, size_t *n, const struct pool *alone,
            struct error *err)
{
    size_t codes = dict_count(column_dict(c)), k = 0;
    struct step_level *l = mem_try_array(codes, sizeof *l, err);

    if (!l)
        return NULL;
    for (size_t i = 0; i < column_rows(c); i++)
        if (column_is_valid(c, i))
            l[column_codes(c)[i]].rows++;
    for (uint32_t i = 0; i < codes; i++)
        if (l[i].rows > 0) {
            l[k].rows = l[i].rows;
            l[k].code = i;
            l[k++].text = dict_text(column_dict(c), i);
        }
    for (size_t i = 0; i < k; i++)
        if (!str_utf8_valid(l[i].text)) {
            free(l);
            error_set(err, ERR_PARSE, "a column holds text that is not UTF-8");
            return NULL;
        }
    if (!sort_items(l, k, sizeof *l, by_text, pool_stop(alone), err)) {
        free(l);
        return NULL;
    }
    *n = k;
    return l;
}

static int
text_find(const void *key, const void *at)
{
    return str_cmp(*(const struct str *)key, str_of(*(char *const *)at));
}

uint32_t *
step_map(const struct learnt *l, const struct column *c, struct error *err)
{
    size_t codes = dict_count(column_dict(c));
    uint32_t *map = mem_try_array(codes, sizeof *map, err);

    for (uint32_t i = 0; map && i < codes; i++) {
        struct str t = dict_text(column_dict(c), i);
        const char **at =
            bsearch(&t, l->text, l->n_texts, sizeof *l->text, text_find);

        map[i] = at ? (uint32_t)(at - l->text) : UINT32_MAX;
    }
    return map;
}

/* What fitting has learnt has to pass this, or its file could not be read. */
static bool
learnt_check(const struct step *s, enum error_code code, struct error *err)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct learnt *l = &s->column[i];

        for (size_t j = 0; j < l->n_numbers; j++)
            if (!isfinite(l->number[j]))
                return error_set(err, code,
                                 "column '%s' has values too far apart: what "
                                 "is learnt of it is no finite number",
                                 l->name);
        for (size_t j = 1; j < l->n_texts && !s->kind->names; j++)
            if (strcmp(l->text[j - 1], l->text[j]) >= 0)
                return error_set(err, code,
                                 "column '%s' has texts out of order", l->name);
    }
    return true;
}

static bool
width_check(const struct frame *f, struct error *err)
{
    return frame_cols(f) <= STEP_COLUMNS ||
           error_set(err, ERR_LIMIT, "it makes %zu columns, the limit is %d",
                     frame_cols(f), STEP_COLUMNS);
}

/* ---- fitting ---- */

static bool
suits(const struct step_kind *kind, enum col_type t)
{
    switch (t) {
    case COL_TEXT:
        return kind->suits & STEP_TEXTS;
    case COL_DATE:
    case COL_TIMESTAMP:
        return kind->suits & STEP_DATES;
    default:
        return kind->suits & STEP_NUMBERS;
    }
}

/* Columns that no step may have, or that this one has already. */
struct choosing {
    bool *held, *taken;
};

static bool
choosing_init(struct choosing *c, const struct step_fit *f, struct error *err)
{
    long at = f->target ? frame_find(f->in, f->target) : -1;

    c->held = mem_try_array(frame_cols(f->in), sizeof *c->held, err);
    c->taken = mem_try_array(frame_cols(f->in), sizeof *c->taken, err);
    if (!c->held || !c->taken)
        return false;
    if (at >= 0)
        c->held[at] = true;
    for (const char *const *d = f->drop; d && *d; d++)
        if ((at = frame_find(f->in, *d)) >= 0)
            c->held[at] = true;
    return true;
}

static bool
column_add(struct step_fit *f, size_t col, struct error *err)
{
    const char *name = frame_name(f->in, col);
    const char *own = arena_text(&f->p->arena, name, strlen(name), err);

    f->s->column[f->s->n++].name = own;
    return own != NULL;
}

/* A column that is named. */
static bool
column_named(struct step_fit *f, struct choosing *c, struct str name,
             struct error *err)
{
    char *text = mem_try_text(name.p, name.n, err);
    enum col_type type;
    size_t col;
    bool ok = text && frame_need(f->in, text, &col, err);

    free(text);
    if (!ok)
        return false;
    type = column_type(frame_column(f->in, col));
    if (c->held[col])
        return error_set(err, ERR_RANGE, "'%s' is the target or dropped",
                         frame_name(f->in, col));
    if (!suits(f->s->kind, type))
        return error_set(err, ERR_TYPE,
                         "column '%s' is %s, which it is not for",
                         frame_name(f->in, col), column_type_word(type));
    if (c->taken[col])
        return error_set(err, ERR_EXISTS, "column '%s' is there twice",
                         frame_name(f->in, col));
    c->taken[col] = true;
    return column_add(f, col, err);
}

static bool
columns_named(struct step_fit *f, struct choosing *c, struct error *err)
{
    for (struct str list = f->s->words.columns; list.n > 0;) {
        const char *comma = memchr(list.p, ',', list.n);
        size_t n = comma ? (size_t)(comma - list.p) : list.n;

        if (!column_named(f, c, str_trim((struct str){list.p, n}), err))
            return false;
        n += comma != NULL;
        list = (struct str){list.p + n, list.n - n};
    }
    return true;
}

static bool
columns_choose(struct step_fit *f, struct error *err)
{
    size_t n = frame_cols(f->in);
    struct choosing c = {0};
    bool ok;

    f->s->column = arena_try(&f->p->arena, n, sizeof *f->s->column, err);
    ok = f->s->column && choosing_init(&c, f, err) && columns_named(f, &c, err);
    for (size_t i = 0; i < n && ok && f->s->words.columns.n == 0; i++)
        if (!c.held[i] &&
            suits(f->s->kind, column_type(frame_column(f->in, i))))
            ok = column_add(f, i, err);
    free(c.held);
    free(c.taken);
    return ok;
}

/* Remember what a step made that gives its columns their scale: its own columns
 * that are still there, and those that were not there before. */
static bool
scaled_note(struct step_fit *how, const struct frame *before,
            const struct frame *after, struct error *err)
{
    struct prepare *p = how->p;
    uint32_t code;

    if (!p->scaled && !(p->scaled = dict_new(err)))
        return false;
    for (size_t i = 0; i < how->s->n; i++)
        if (frame_find(after, how->s->column[i].name) >= 0 &&
            !dict_add(p->scaled, str_of(how->s->column[i].name), &code, err))
            return false;
    for (size_t i = 0; i < frame_cols(after); i++)
        if (frame_find(before, frame_name(after, i)) < 0 &&
            !dict_add(p->scaled, str_of(frame_name(after, i)), &code, err))
            return false;
    return true;
}

/* Columns that fitting has let go. */
static void
columns_close(struct step *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++)
        if (s->column[i].name)
            s->column[n++] = s->column[i];
    s->n = n;
}

static bool
step_run(struct step_fit *how, struct frame **f, struct error *err)
{
    const struct step_kind *kind = how->s->kind;
    struct frame *before;
    bool ok;

    how->in = *f;
    if (kind->by_target && !how->y)
        return error_set(err, ERR_STATE, "it wants a target");
    if (!columns_choose(how, err))
        return false;
    if (how->s->n > STEP_COLUMNS)
        return error_set(err, ERR_LIMIT,
                         "it is on %zu columns, the limit is %d", how->s->n,
                         STEP_COLUMNS);
    if (!kind->fit(how, err))
        return false;
    columns_close(how->s);
    if (!learnt_check(how->s, ERR_RANGE, err))
        return false;
    if (!kind->sound(how->s))
        return error_set(err, ERR_LIMIT,
                         "it makes more than %d columns of %zu: name fewer "
                         "with 'on'",
                         STEP_COLUMNS, how->s->n);
    if (kind->apply_train) {
        struct frame *out = frame_ref(*f);

        ok = kind->apply_train(how, &out, err);
        frame_unref(ok ? *f : out);
        if (ok)
            *f = out;
        return ok;
    }
    if (!kind->as_is)
        return kind->apply(how->s, f, how->pool, err);
    before = frame_ref(*f);
    ok = kind->apply(how->s, f, how->pool, err) &&
         scaled_note(how, before, *f, err);
    frame_unref(before);
    return ok;
}

bool
prepare_steps_fit(struct step_fit *how, struct frame **f, struct error *err)
{
    for (size_t i = 0; i < how->p->n_steps; i++) {
        how->s = &how->p->step[i];
        if (!step_run(how, f, err) || !width_check(*f, err))
            return error_prefix(err, "step %zu, %s: ", i + 1,
                                how->s->kind->name);
    }
    return true;
}

bool
prepare_steps_apply(const struct prepare *p, struct frame **f,
                    struct pool *pool, struct error *err)
{
    for (size_t i = 0; i < p->n_steps; i++)
        if (!p->step[i].kind->apply(&p->step[i], f, pool, err) ||
            !width_check(*f, err))
            return error_prefix(err, "step %zu, %s: ", i + 1,
                                p->step[i].kind->name);
    return true;
}

/* ---- as JSON ---- */

static void
learnt_json(const struct learnt *l, struct json_writer *w)
{
    json_open(w, '{');
    json_name(w, "name");
    json_put_string(w, l->name);
    json_name(w, "numbers");
    json_open(w, '[');
    for (size_t i = 0; i < l->n_numbers; i++)
        json_put_double(w, l->number[i]);
    json_close(w, ']');
    json_name(w, "texts");
    json_open(w, '[');
    for (size_t i = 0; i < l->n_texts; i++)
        json_put_string(w, l->text[i]);
    json_close(w, ']');
    json_close(w, '}');
}

void
prepare_steps_json(const struct prepare *p, struct json_writer *w)
{
    json_name(w, "steps");
    json_open(w, '[');
    for (size_t i = 0; i < p->n_steps; i++) {
        json_open(w, '{');
        json_name(w, "step");
        json_put_string(w, p->step[i].written);
        json_name(w, "columns");
        json_open(w, '[');
        for (size_t j = 0; j < p->step[i].n; j++)
            learnt_json(&p->step[i].column[j], w);
        json_close(w, ']');
        json_close(w, '}');
    }
    json_close(w, ']');
}

static bool
lists_read(struct prepare *p, struct learnt *l, const struct json *numbers,
           const struct json *texts, struct error *err)
{
    l->n_numbers = l->n_texts = 0;
    l->number = arena_try(&p->arena, json_len(numbers), sizeof *l->number, err);
    l->text = arena_try(&p->arena, json_len(texts), sizeof *l->text, err);
    if (!l->number || !l->text)
        return false;
    for (const struct json *v = json_first(numbers); v; v = json_next(v)) {
        if (json_type(v) != JSON_NUMBER)
            return error_set(err, ERR_CORRUPT, "column '%s' learnt %s", l->name,
                             json_type_word(v));
        l->number[l->n_numbers++] = json_number(v);
    }
    for (const struct json *v = json_first(texts); v; v = json_next(v)) {
        if (json_type(v) != JSON_STRING)
            return error_set(err, ERR_CORRUPT, "column '%s' learnt %s", l->name,
                             json_type_word(v));
        if (!(l->text[l->n_texts] = arena_text(&p->arena, json_string(v),
                                               strlen(json_string(v)), err)))
            return false;
        l->n_texts++;
    }
    return true;
}

static bool
learnt_read(struct prepare *p, const struct json *v, struct learnt *l,
            struct error *err)
{
    const struct json *numbers, *texts;
    const char *name;

    if (json_type(v) != JSON_OBJECT)
        return error_set(err, ERR_CORRUPT, "a column is %s", json_type_word(v));
    if (!json_get_string(v, "name", &name, err) ||
        !json_get_array(v, "numbers", &numbers, err) ||
        !json_get_array(v, "texts", &texts, err))
        return false;
    l->name = arena_text(&p->arena, name, strlen(name), err);
    return l->name && lists_read(p, l, numbers, texts, err);
}

static bool
step_read(struct prepare *p, const struct json *v, struct error *err)
{
    const struct json *columns;
    const char *line;
    struct step *s;

    if (json_type(v) != JSON_OBJECT)
        return error_set(err, ERR_CORRUPT, "a step is %s", json_type_word(v));
    if (!json_get_string(v, "step", &line, err) ||
        !json_get_array(v, "columns", &columns, err) ||
        !prepare_steps_add(p, line, err))
        return false;
    s = &p->step[p->n_steps - 1];
    if (json_len(columns) > STEP_COLUMNS)
        return error_set(err, ERR_CORRUPT, "a step on %zu columns",
                         json_len(columns));
    s->column = arena_try(&p->arena, json_len(columns), sizeof *s->column, err);
    if (!s->column)
        return false;
    for (const struct json *c = json_first(columns); c; c = json_next(c))
        if (!learnt_read(p, c, &s->column[s->n++], err))
            return false;
    return learnt_check(s, ERR_CORRUPT, err) &&
           (s->kind->sound(s) ||
            error_set(err, ERR_CORRUPT, "step '%s' learnt something else",
                      line));
}

bool
prepare_steps_read(struct prepare *p, const struct json *o, struct error *err)
{
    const struct json *a;

    if (!json_find(o, "steps"))
        return true;
    if (!json_get_array(o, "steps", &a, err) ||
        !prepare_steps_init(p, json_len(a), err))
        return false;
    for (const struct json *v = json_first(a); v; v = json_next(v))
        if (!step_read(p, v, err))
            return false;
    return true;
}

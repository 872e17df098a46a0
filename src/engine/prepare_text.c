/* engine/prepare_text.c -- steps for dates and for texts of many words.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/prepare_step.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmath.h"
#include "base/mem.h"

/* ---- dates ---- */

static const char *const parts[STEP_N_PARTS] = {"year",    "month",   "day",
                                                "weekday", "yearday", "hour"};
static const struct step_rule date_rule = {
    .words = " year month day weekday yearday hour ", .pairs = ""};

static bool
date_check(const struct step *s, struct error *err)
{
    return step_words_check(s, &date_rule, err);
}

/* number[0]: is it a timestamp? */
static bool
date_fit(struct step_fit *f, struct error *err)
{
    for (size_t i = 0; i < f->s->n; i++) {
        size_t col;

        if (!frame_need(f->in, f->s->column[i].name, &col, err) ||
            !step_room(f, &f->s->column[i], 1, 0, err))
            return false;
        f->s->column[i].number[0] =
            column_type(frame_column(f->in, col)) == COL_TIMESTAMP;
    }
    return true;
}

static bool
date_sound(const struct step *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->column[i].n_numbers != 1 || s->column[i].n_texts)
            return false;
    return true;
}

/* v: days, or seconds of a timestamp. */
static double
part_of(enum step_part p, double v, bool seconds)
{
    double days = floor(seconds ? v / 86400 : v);
    int year, month, day;

    if (isnan(v) || fabs(days) > 1e8)
        return (double)NAN;
    if (p == STEP_HOUR)
        return seconds ? floor((v - days * 86400) / 3600) : 0;
    str_civil((int32_t)days, &year, &month, &day);
    switch (p) {
    case STEP_YEAR:
        return year;
    case STEP_MONTH:
        return month;
    case STEP_DAY:
        return day;
    case STEP_YEARDAY:
        return days - str_days(year, 1, 1) + 1;
    default: /* Monday is 1; 1970-01-01 was a Thursday */
        return days + 4 - 7 * floor((days + 3) / 7);
    }
}

const char *
step_part_word(enum step_part p)
{
    return parts[p];
}

bool
step_part_made(const struct step *s, const struct learnt *l, enum step_part p)
{
    return s->words.n_words ? step_has(s, parts[p])
           : p == STEP_HOUR ? l->number[0] > 0
                            : p != STEP_YEARDAY;
}

static bool
date_column(void *ctx, const struct learnt *l, const struct step_from *from,
            struct step_made *out, struct error *err)
{
    double *v = step_column_numbers(from->column, l->name, err);
    bool seconds = l->number[0] > 0, ok = v != NULL;
    size_t n = column_rows(from->column);
    struct buf name;

    (void)ctx;
    buf_init(&name);
    for (unsigned p = 0; p < STEP_N_PARTS && ok; p++) {
        double *x;

        if (!step_part_made(from->step, l, (enum step_part)p))
            continue;
        x = pool_check(from->alone, err) ? mem_try_array(n, sizeof *x, err)
                                         : NULL;
        for (size_t i = 0; i < n && x; i++)
            x[i] = part_of((enum step_part)p, v[i], seconds);
        step_name(&name, l->name, " ", parts[p]);
        ok = x && buf_check(&name, err);
        if (ok)
            ok = step_make(out, name.data, x, n, err);
        else
            free(x);
    }
    free(v);
    buf_fini(&name);
    return ok;
}

static bool
date_apply(const struct step *s, struct frame **f, struct pool *pool,
           struct error *err)
{
    return step_remake(s, f, pool, date_column, NULL, err);
}

const struct step_kind step_date = {.name = "date",
                                    .suits = STEP_DATES,
                                    .check = date_check,
                                    .fit = date_fit,
                                    .sound = date_sound,
                                    .apply = date_apply};

/* ---- words and characters ---- */

/* Texts are lower-cased; a word is a run of letters, digits and '_', where all
 * that is beyond ASCII is a letter.  n-grams of words (with a blank between) or
 * of characters within words (with a blank at either end) are counted in
 * buckets by their hash, so that nothing is learnt but how many rows have each
 * bucket, for TF-IDF, after which a row has length one. */
enum { SIZE = 256, MOST_SIZE = 4096, MOST_GRAM = 8, MAX_WORDS = 100000 };
/* Buckets are named by what is frequent in some rows, evenly spaced. */
enum {
    SEEN_ROWS = 4096,
    SEEN_GRAMS = 1 << 20,
    SEEN_TEXTS = 1 << 17,
    SEEN_LONGEST = 24, /* bytes of an n-gram */
    NAMES = 3          /* of a bucket */
};

static const struct step_rule text_rule = {" tfidf ", " from to size ", 1,
                                           MOST_SIZE, true};

struct step_grams
step_grams_of(const struct step *s)
{
    struct step_grams g = {.chars = strcmp(s->kind->name, "chars") == 0};

    g.from = (size_t)step_number(s, "from", g.chars ? 3 : 1);
    g.to = (size_t)step_number(s, "to", g.chars ? 5 : (double)g.from);
    g.size = (size_t)step_number(s, "size", SIZE);
    return g;
}

static bool
text_check(const struct step *s, struct error *err)
{
    struct step_grams g;

    if (!step_words_check(s, &text_rule, err))
        return false;
    g = step_grams_of(s);
    return (g.from <= g.to && g.to <= MOST_GRAM) ||
           error_set(err, ERR_RANGE,
                     "step '%s': n-grams from %zu to %zu, expected 1..%d",
                     s->kind->name, g.from, g.to, MOST_GRAM);
}

static bool
is_word(int32_t cp)
{
    return cp >= 128 || (cp >= 'a' && cp <= 'z') || (cp >= '0' && cp <= '9') ||
           cp == '_';
}

/* The words of a text, one after another in `text`, where each begins in at. */
struct words {
    struct buf text;
    size_t *at; /* n + 1 */
    size_t n, cap;
};

static bool
words_split(struct words *w, struct str s, struct error *err)
{
    bool inside = false;
    size_t at = 0;
    int32_t cp;

    buf_clear(&w->text);
    w->n = 0;
    while ((cp = str_next(s, &at)) >= 0) {
        uint32_t low = str_cp_lower((uint32_t)cp);
        char utf8[4];

        if (!is_word((int32_t)low)) {
            inside = false;
            continue;
        }
        if (!inside) {
            size_t *more =
                mem_try_grow(w->at, w->n + 1, &w->cap, sizeof *more, err);

            if (!more)
                return false;
            w->at = more;
            w->at[w->n++] = w->text.len;
            if (w->n == MAX_WORDS)
                break;
        }
        inside = true;
        buf_add(&w->text, utf8, str_put_utf8(low, utf8));
    }
    if (w->n)
        w->at[w->n] = w->text.len;
    return buf_check(&w->text, err);
}

/* FNV-1a, then mixed: the low bits choose the bucket. */
static size_t
bucket_of(const char *p, size_t n, const char *q, size_t m, size_t size)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < n; i++)
        h = (h ^ (uint8_t)p[i]) * UINT64_C(0x100000001b3);
    for (size_t i = 0; i < m; i++)
        h = (h ^ (uint8_t)q[i]) * UINT64_C(0x100000001b3);
    h ^= h >> 33;
    h *= UINT64_C(0xff51afd7ed558ccd);
    h ^= h >> 33;
    return (size_t)(h % size);
}

/* Different n-grams, how often each has come, and how many more are looked at:
 * what buckets are named by. */
struct seen {
    struct dict *texts;
    uint32_t *count; /* SEEN_TEXTS */
    size_t left;
    bool ok;
    struct error err;
};

static void
see(struct seen *s, struct str gram)
{
    uint32_t code;

    if (!s->ok || s->left == 0)
        return;
    s->left--;
    if (gram.n > SEEN_LONGEST || !str_utf8_valid(gram))
        return;
    if (dict_count(s->texts) == SEEN_TEXTS)
        code = dict_find(s->texts, gram);
    else if (!(s->ok = dict_add(s->texts, gram, &code, &s->err)))
        return;
    if (code != DICT_NONE)
        s->count[code]++;
}

/* Where n-grams go. */
struct sink {
    double *row; /* size */
    size_t size;
    struct seen *seen; /* or NULL */
};

static inline void
sink_put(const struct sink *to, const char *p, size_t n)
{
    to->row[bucket_of(p, n, "", 0, to->size)]++;
    if (to->seen)
        see(to->seen, (struct str){p, n});
}

static void
count_words(const struct words *w, const struct step_grams *g, struct buf *gram,
            const struct sink *to)
{
    for (size_t i = 0; i < w->n; i++) {
        buf_clear(gram);
        for (size_t n = 1; n <= g->to && i + n <= w->n; n++) {
            size_t from = w->at[i + n - 1], end = w->at[i + n];

            if (n > 1)
                buf_putc(gram, ' ');
            buf_add(gram, w->text.data + from, end - from);
            if (n >= g->from)
                sink_put(to, gram->data, gram->len);
        }
    }
}

/* Of " word ", as scikit-learn's char_wb; a word shorter than an n-gram gives
 * one of itself. */
static void
count_chars(const struct words *w, const struct step_grams *g, struct buf *gram,
            const struct sink *to)
{
    for (size_t i = 0; i < w->n; i++) {
        struct str s;

        buf_clear(gram);
        buf_putc(gram, ' ');
        buf_add(gram, w->text.data + w->at[i], w->at[i + 1] - w->at[i]);
        buf_putc(gram, ' ');
        s = (struct str){gram->data, gram->len};
        for (size_t n = g->from; n <= g->to; n++) {
            size_t begin = 0, end = 0, k = 0;
            bool whole;

            while (k < n && str_next(s, &end) >= 0)
                k++;
            whole = end == s.n;
            sink_put(to, s.p, end);
            while (end < s.n) {
                (void)str_next(s, &begin);
                (void)str_next(s, &end);
                sink_put(to, s.p + begin, end - begin);
            }
            if (whole)
                break; /* longer ones are the same */
        }
    }
}

struct counting {
    const struct step_grams *g;
    struct words words;
    struct buf gram;
    struct seen *seen; /* or NULL */
};

static bool
count_row(struct counting *c, struct str s, double *row, struct error *err)
{
    const struct sink to = {row, c->g->size, c->seen};

    memset(row, 0, c->g->size * sizeof *row);
    if (!words_split(&c->words, s, err))
        return false;
    if (c->g->chars)
        count_chars(&c->words, c->g, &c->gram, &to);
    else
        count_words(&c->words, c->g, &c->gram, &to);
    return buf_check(&c->gram, err);
}

static void
counting_fini(struct counting *c)
{
    buf_fini(&c->words.text);
    buf_fini(&c->gram);
    free(c->words.at);
}

static bool
counting_init(struct counting *c, const struct step_grams *g, struct error *err)
{
    *c = (struct counting){.g = g};
    buf_init(&c->words.text);
    buf_init(&c->gram);
    c->words.cap = 64;
    return (c->words.at =
                mem_try_array(c->words.cap, sizeof *c->words.at, err));
}

static void
weigh_row(const struct learnt *l, double *row, size_t size)
{
    double sum = 0;

    for (size_t b = 0; b < size; b++) {
        row[b] *= l->number[b];
        sum += row[b] * row[b];
    }
    for (size_t b = 0; b < size && sum > 0; b++)
        row[b] /= sqrt(sum);
}

bool
step_grams_rows(const struct step *s, const struct learnt *l,
                const char *const *text, size_t n, double *rows,
                struct error *err)
{
    struct step_grams g = step_grams_of(s);
    struct counting count;
    bool ok = counting_init(&count, &g, err);

    for (size_t i = 0; i < n && ok; i++, rows += g.size) {
        ok = count_row(&count, str_of(text[i]), rows, err);
        if (ok && l->n_numbers)
            weigh_row(l, rows, g.size);
    }
    counting_fini(&count);
    return ok;
}

/* The buckets of a column as columns. */
/* The rows of a column are counted in blocks. */
enum { ROWS_OF_BLOCK = 4096 };

struct blocks {
    const struct learnt *l;
    const struct column *c;
    struct step_grams g;
    double **x;      /* columns to fill; or NULL, then */
    uint32_t **have; /* of each block, how many rows have a bucket */
};

/* Of the rows of a block that have it, in have. */
static bool
count_block(void *ctx, size_t block, struct pool *alone, struct error *err)
{
    struct blocks *b = ctx;
    size_t rows = column_rows(b->c), begin = block * ROWS_OF_BLOCK;
    size_t end = rows - begin < ROWS_OF_BLOCK ? rows : begin + ROWS_OF_BLOCK;
    double *row = mem_try_array(b->g.size, sizeof *row, err);
    struct counting count;
    bool ok = counting_init(&count, &b->g, err) && row;

    (void)alone;
    for (size_t i = begin; i < end && ok; i++) {
        ok = (i % 64 || pool_check(alone, err)) &&
             count_row(&count, column_text(b->c, i), row, err);
        for (size_t k = 0; k < b->g.size && ok && b->have; k++)
            b->have[block][k] += row[k] > 0;
        if (ok && !b->have && b->l->n_numbers)
            weigh_row(b->l, row, b->g.size);
        for (size_t k = 0; k < b->g.size && ok && !b->have; k++)
            b->x[k][i] = row[k];
    }
    counting_fini(&count);
    free(row);
    return ok;
}

/* number: the idf of each bucket. */
static bool
fit_idf(struct step_fit *f, struct learnt *l, const struct column *c,
        struct error *err)
{
    struct blocks b = {.l = l, .c = c, .g = step_grams_of(f->s)};
    size_t size = b.g.size, n = pool_chunks(column_rows(c), ROWS_OF_BLOCK);
    bool ok = (b.have = mem_try_array(n, sizeof *b.have, err));

    for (size_t i = 0; i < n && ok; i++)
        ok = (b.have[i] = mem_try_array(size, sizeof **b.have, err));
    ok = ok && pool_each(f->pool, n, count_block, &b, err);
    for (size_t k = 0; k < size && ok; k++) {
        for (size_t i = 0; i < n; i++)
            l->number[k] += b.have[i][k];
        l->number[k] =
            fm_log((1 + (double)column_rows(c)) / (1 + l->number[k])) + 1;
    }
    for (size_t i = 0; i < n && b.have; i++)
        free(b.have[i]);
    free(b.have);
    return ok;
}

/* ---- names of buckets ---- */

/* The most frequent texts of a bucket; of equal ones the first by bytes. */
struct most {
    uint32_t code[NAMES];
    size_t n;
};

static bool
is_before(const struct seen *s, uint32_t a, uint32_t b)
{
    return s->count[a] != s->count[b]
               ? s->count[a] > s->count[b]
               : str_cmp(dict_text(s->texts, a), dict_text(s->texts, b)) < 0;
}

static void
most_put(struct most *m, const struct seen *s, uint32_t code)
{
    size_t at = m->n;

    while (at > 0 && is_before(s, code, m->code[at - 1]))
        at--;
    if (at == NAMES)
        return;
    m->n += m->n < NAMES;
    memmove(m->code + at + 1, m->code + at, (m->n - at - 1) * sizeof *m->code);
    m->code[at] = code;
}

/* "great/lovely": those that come a quarter as often as the first, or more.  A
 * blank, where a word begins or ends, is '_'. */
static void
most_name(const struct most *m, const struct seen *s, struct buf *out)
{
    buf_clear(out);
    for (size_t i = 0; i < m->n; i++) {
        struct str t = dict_text(s->texts, m->code[i]);

        if (s->count[m->code[i]] < (s->count[m->code[0]] + 3) / 4)
            break;
        buf_puts(out, i ? "/" : "");
        for (size_t k = 0; k < t.n; k++)
            buf_putc(out, t.p[k] == ' ' ? '_' : t.p[k]);
    }
}

static bool
see_rows(struct seen *s, const struct step_grams *g, const struct column *c,
         const struct pool *pool, struct error *err)
{
    size_t rows = column_rows(c), n = rows < SEEN_ROWS ? rows : SEEN_ROWS;
    double *row = mem_try_array(g->size, sizeof *row, err);
    struct counting count;
    bool ok = counting_init(&count, g, err) && row;

    count.seen = s;
    for (size_t i = 0; i < n && ok && s->left; i++)
        ok = (i % 64 || pool_check(pool, err)) &&
             count_row(&count, column_text(c, i * rows / n), row, err);
    if (ok && !s->ok)
        *err = s->err;
    counting_fini(&count);
    free(row);
    return ok && s->ok;
}

static bool
name_buckets(struct step_fit *f, struct learnt *l, const struct column *c,
             struct error *err)
{
    struct step_grams g = step_grams_of(f->s);
    struct seen s = {.left = SEEN_GRAMS, .ok = true};
    struct most *most = mem_try_array(g.size, sizeof *most, err);
    struct buf name;
    bool ok = most && (s.texts = dict_new(err)) &&
              (s.count = mem_try_array(SEEN_TEXTS, sizeof *s.count, err)) &&
              see_rows(&s, &g, c, f->pool, err);

    buf_init(&name);
    for (uint32_t i = 0; ok && i < dict_count(s.texts); i++) {
        struct str t = dict_text(s.texts, i);

        most_put(&most[bucket_of(t.p, t.n, "", 0, g.size)], &s, i);
    }
    for (size_t k = 0; k < g.size && ok; k++) {
        most_name(&most[k], &s, &name);
        ok = buf_check(&name, err) &&
             (l->text[k] = arena_text(&f->p->arena, name.data, name.len, err));
    }
    buf_fini(&name);
    dict_unref(s.texts);
    free(s.count);
    free(most);
    return ok;
}

void
step_bucket_name(const struct learnt *l, size_t bucket, struct buf *out)
{
    buf_clear(out);
    buf_printf(out, "%s#%zu", l->name, bucket);
    if (bucket < l->n_texts && l->text[bucket][0])
        buf_printf(out, " %s", l->text[bucket]);
}

static bool
text_fit(struct step_fit *f, struct error *err)
{
    bool tfidf = step_has(f->s, "tfidf");
    size_t size = step_grams_of(f->s).size;

    for (size_t i = 0; i < f->s->n; i++) {
        struct learnt *l = &f->s->column[i];
        const struct column *c = step_texts(f->in, l->name, err);

        if (!c || !step_room(f, l, tfidf ? size : 0, size, err) ||
            !name_buckets(f, l, c, err) || (tfidf && !fit_idf(f, l, c, err)))
            return false;
    }
    return true;
}

/* Models of before buckets had names have none. */
static bool
text_sound(const struct step *s)
{
    size_t size = step_grams_of(s).size;
    size_t want = step_has(s, "tfidf") ? size : 0;

    for (size_t i = 0; i < s->n; i++)
        if (s->column[i].n_numbers != want ||
            (s->column[i].n_texts && s->column[i].n_texts != size))
            return false;
    return s->n * size <= STEP_COLUMNS;
}

static bool
make_buckets(struct blocks *b, struct step_made *made, struct error *err)
{
    struct buf name;
    bool ok = true;

    buf_init(&name);
    for (size_t k = 0; k < b->g.size && ok; k++) {
        step_bucket_name(b->l, k, &name);
        if ((ok = buf_check(&name, err))) {
            ok = step_make(made, name.data, b->x[k], column_rows(b->c), err);
            b->x[k] = NULL;
        }
    }
    buf_fini(&name);
    return ok;
}

static bool
text_column(struct blocks *b, struct pool *pool, struct step_made *made,
            struct error *err)
{
    size_t n = column_rows(b->c);
    bool ok = (b->x = mem_try_array(b->g.size, sizeof *b->x, err));

    for (size_t k = 0; k < b->g.size && ok; k++)
        ok = (b->x[k] = mem_try_array(n, sizeof **b->x, err));
    ok = ok &&
         pool_each(pool, pool_chunks(n, ROWS_OF_BLOCK), count_block, b, err) &&
         make_buckets(b, made, err);
    for (size_t k = 0; b->x && k < b->g.size; k++)
        free(b->x[k]);
    free(b->x);
    return ok;
}

static bool
text_apply(const struct step *s, struct frame **f, struct pool *pool,
           struct error *err)
{
    bool *gone = mem_try_array(frame_cols(*f), sizeof *gone, err);
    struct step_made made = {0};
    bool ok = gone != NULL;

    for (size_t i = 0; i < s->n && ok; i++) {
        struct blocks b = {.l = &s->column[i], .g = step_grams_of(s)};

        ok = (b.c = step_texts(*f, b.l->name, err)) &&
             text_column(&b, pool, &made, err);
        if (ok)
            gone[frame_find(*f, b.l->name)] = true;
    }
    ok = ok && step_made_end(&made, f, gone, err);
    step_made_fini(&made);
    free(gone);
    return ok;
}

const struct step_kind step_words = {.name = "words",
                                     .suits = STEP_TEXTS,
                                     .as_is = true,
                                     .names = true,
                                     .check = text_check,
                                     .fit = text_fit,
                                     .sound = text_sound,
                                     .apply = text_apply};

const struct step_kind step_chars = {.name = "chars",
                                     .suits = STEP_TEXTS,
                                     .as_is = true,
                                     .names = true,
                                     .check = text_check,
                                     .fit = text_fit,
                                     .sound = text_sound,
                                     .apply = text_apply};

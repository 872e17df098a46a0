/* frame/jsonl.c -- JSON lines to a frame.
 *
 * The first pass walks all rows and learns which paths there are, what type
 * each has, and how many rows stand before each stretch; the second one
 * (jsonl_load.c) walks them again and writes the values to their place.  A row
 * is only taken when all of it is well formed.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/jsonl.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/builder.h"
#include "frame/jsonl_load.h"

enum {
    GRAIN = 1 << 20,
    PARTS_MAX = 512, /* each keeps something for each column */
    REJECT_TEXT_MAX = 1000
};

bool
jsonl_fail_part(struct jsonl_part *p, const struct error *err)
{
    p->err = *err;
    p->failed = true;
    return false;
}

/* ---- stretches ---- */

static bool
add_part(struct jsonl_reading *r, size_t *cap, size_t begin, size_t end,
         struct error *err)
{
    struct jsonl_part *p =
        mem_try_grow(r->part, r->n_parts, cap, sizeof *p, err);

    if (!p)
        return false;
    r->part = p;
    r->part[r->n_parts++] = (struct jsonl_part){.begin = begin, .end = end};
    return true;
}

/* The byte after the next row of a list that ends at or behind `from`: the
 * first comma outside of texts, lists and objects. */
struct list_cut {
    size_t at, depth;
    bool text;
};

static size_t
next_in_list(struct list_cut *c, struct str s, size_t from)
{
    for (; c->at < s.n; c->at++) {
        char b = s.p[c->at];

        if (c->text) {
            if (b == '\\')
                c->at++;
            else if (b == '"')
                c->text = false;
        } else if (b == '"') {
            c->text = true;
        } else if (b == '{' || b == '[') {
            c->depth++;
        } else if (b == '}' || b == ']') {
            c->depth -= c->depth > 0;
        } else if (b == ',' && c->depth == 0 && c->at >= from) {
            return ++c->at;
        }
    }
    return c->at = s.n;
}

static size_t
next_line(struct str s, size_t from)
{
    const char *nl = from < s.n ? memchr(s.p + from, '\n', s.n - from) : NULL;

    return nl ? (size_t)(nl - s.p) + 1 : s.n;
}

bool
jsonl_cut(struct jsonl_reading *r, struct error *err)
{
    size_t least =
        r->text.n / PARTS_MAX > GRAIN ? r->text.n / PARTS_MAX : GRAIN;
    size_t grain = r->o->grain ? r->o->grain : least;
    size_t cap = 0, at = r->body;
    struct list_cut c = {.at = at};

    do {
        size_t from = r->text.n - at < grain ? r->text.n : at + grain;
        size_t end = r->list ? next_in_list(&c, r->text, from)
                             : next_line(r->text, from);

        if (!add_part(r, &cap, at, end, err))
            return false;
        at = end;
    } while (at < r->text.n);
    return true;
}

/* Past a byte order mark; is it a list? */
void
jsonl_find_body(struct jsonl_reading *r)
{
    const char *p = r->text.p, *end = p + r->text.n;

    if (str_starts(r->text, "\xef\xbb\xbf"))
        p += 3;
    p = jsonl_skip_blank(p, end);
    if (p < end && *p == '[') {
        const char *q = jsonl_skip_blank(p + 1, end);

        r->list = q == end || *q == '{' || *q == ']';
        p += r->list;
    }
    r->body = (size_t)(p - r->text.p);
}

/* ---- the first pass ---- */

/* At most 18 digits fit whatever they are; longer ones are tried. */
static enum csv_class
class_of_number(struct str s)
{
    int64_t i;
    double x;

    if (s.n <= 18 || str_to_i64(s, &i))
        return CSV_INT;
    return str_to_f64(s, &x) ? CSV_FLOAT : CSV_TEXT;
}

static enum csv_class
class_of_text(const struct jsonl_value *v, enum csv_class so_far)
{
    int32_t day;
    int64_t us;

    if (so_far == CSV_TEXT || v->escaped || v->s.n < 10 || v->s.n > 40 ||
        v->s.p[4] != '-')
        return CSV_TEXT;
    if (str_to_date(v->s, &day))
        return CSV_DATE;
    return str_to_timestamp(v->s, &us) ? CSV_TIMESTAMP : CSV_TEXT;
}

static enum csv_class
class_of(const struct jsonl_value *v, enum csv_class so_far)
{
    double x;

    switch (v->kind) {
    case JSONL_NULL:
        return CSV_NONE;
    case JSONL_BOOL:
        return CSV_BOOL;
    case JSONL_INT:
        return class_of_number(v->s);
    case JSONL_FLOAT:
        return (v->s.n < 300 && !memchr(v->s.p, 'e', v->s.n) &&
                !memchr(v->s.p, 'E', v->s.n)) ||
                       str_to_f64(v->s, &x)
                   ? CSV_FLOAT
                   : CSV_TEXT;
    case JSONL_TEXT:
        return class_of_text(v, so_far);
    case JSONL_LIST:
        break;
    }
    return CSV_TEXT;
}

static bool
see_row(struct jsonl_part *p, const struct jsonl_rows *rows, struct error *err)
{
    if (p->n_seen < p->tree.n) {
        struct jsonl_seen *s =
            mem_try_resize(p->seen, p->tree.cap, sizeof *s, err);

        if (!s)
            return false;
        memset(s + p->n_seen, 0, (p->tree.cap - p->n_seen) * sizeof *s);
        p->seen = s;
        p->n_seen = p->tree.cap;
    }
    for (size_t i = 0; i < rows->n; i++) {
        struct jsonl_seen *s = &p->seen[rows->leaf[i].node];

        s->class = csv_join(s->class, class_of(&rows->leaf[i].v, s->class));
        s->null |= rows->leaf[i].v.kind == JSONL_NULL;
        s->value |= rows->leaf[i].v.kind != JSONL_NULL;
    }
    p->n_rows++;
    return true;
}

static bool
note_reject(struct jsonl_reading *r, struct jsonl_part *p,
            const struct jsonl_rows *rows, struct error *err)
{
    if (p->n_bad++ >= r->max_rejects)
        return true;
    if ((p->n_rejects & (p->n_rejects - 1)) == 0) {
        size_t n = p->n_rejects ? p->n_rejects * 2 : 1;
        struct jsonl_reject *list =
            mem_try_resize(p->reject, n, sizeof *list, err);

        if (!list)
            return false;
        p->reject = list;
    }
    p->reject[p->n_rejects++] =
        (struct jsonl_reject){(size_t)(rows->begin - r->text.p),
                              (size_t)(rows->p - r->text.p), rows->fault};
    return true;
}

static bool
survey_rows(struct jsonl_reading *r, struct jsonl_part *p,
            struct jsonl_rows *rows, struct error *err)
{
    for (size_t n = 1;; n++) {
        enum jsonl_found found = jsonl_next(rows, err);

        if (found == JSONL_END)
            return true;
        if (found == JSONL_FAILED ||
            (found == JSONL_ROW && !see_row(p, rows, err)) ||
            (found == JSONL_BAD && !note_reject(r, p, rows, err)))
            return false;
        if ((found == JSONL_BAD && r->list) ||
            (n % JSONL_STOP_EVERY == 0 && progress_stopped(r->progress)))
            return true;
    }
}

static void
survey_part(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct jsonl_reading *r = ctx;
    struct jsonl_part *p = &r->part[chunk];
    struct jsonl_rows rows;
    struct error err;

    (void)begin;
    (void)end;
    if (progress_stopped(r->progress))
        return;
    jsonl_rows_init(&rows, r->text.p + p->begin, r->text.p + p->end, r->list,
                    &p->tree, &p->tree);
    if (!jsonl_tree_init(&p->tree, &err) || !survey_rows(r, p, &rows, &err))
        jsonl_fail_part(p, &err);
    jsonl_rows_fini(&rows);
    progress_add(r->progress, p->end - p->begin);
}

static size_t
line_of(struct str text, size_t at)
{
    size_t line = 1;
    const char *p = text.p, *end = text.p + at;

    while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
        line++;
        p++;
    }
    return line;
}

static bool
fail_reject(const struct jsonl_reading *r, const struct jsonl_reject *x,
            struct error *err)
{
    size_t at = (size_t)(x->fault.at - r->text.p);

    return error_set(err, ERR_PARSE, "line %zu: %s", line_of(r->text, at),
                     x->fault.why);
}

/* Something must be there, and a list must be whole. */
static bool
check_rows(const struct jsonl_reading *r, struct error *err)
{
    const char *p = r->text.p + r->text.n;

    for (size_t i = 0; i < r->n_parts; i++)
        if (r->part[i].n_rejects > 0 && (r->list || r->n_rows == 0))
            return fail_reject(r, &r->part[i].reject[0], err);
    while (r->list && p > r->text.p && jsonl_skip_blank(p - 1, p) == p)
        p--;
    if (r->list && (p == r->text.p || p[-1] != ']'))
        return error_set(err, ERR_PARSE, "the list has no end: no ']'");
    if (r->n_rows == 0)
        return error_set(err, ERR_PARSE, "no rows");
    if (r->n_rows > UINT32_MAX)
        return error_set(err, ERR_LIMIT, "%zu rows, the limit is %lu",
                         r->n_rows, (unsigned long)UINT32_MAX);
    return true;
}

/* The nodes of one part, in its order, to nodes of the whole. */
static bool
join_part(struct jsonl_reading *r, struct jsonl_part *p, struct error *err)
{
    uint32_t *map = mem_try_array(p->tree.n, sizeof *map, err);

    for (size_t i = 1; map && i < p->tree.n; i++) {
        const struct jsonl_seen *from = i < p->n_seen ? &p->seen[i] : NULL;
        struct jsonl_seen *to;

        if (!jsonl_tree_add(&r->tree, map[p->tree.parent[i]],
                            jsonl_tree_name(&p->tree, (uint32_t)i), &map[i],
                            err)) {
            free(map);
            return false;
        }
        if (r->n_seen < r->tree.cap) {
            if (!(to = mem_try_resize(r->seen, r->tree.cap, sizeof *to, err))) {
                free(map);
                return false;
            }
            memset(to + r->n_seen, 0, (r->tree.cap - r->n_seen) * sizeof *to);
            r->seen = to;
            r->n_seen = r->tree.cap;
        }
        to = &r->seen[map[i]];
        if (from)
            *to = (struct jsonl_seen){csv_join(to->class, from->class),
                                      to->null || from->null,
                                      to->value || from->value};
    }
    free(map);
    jsonl_tree_fini(&p->tree);
    free(p->seen);
    p->seen = NULL;
    return map != NULL;
}

bool
jsonl_survey_parts(struct jsonl_reading *r, struct error *err)
{
    pool_for(r->pool, r->n_parts, 1, survey_part, r);
    if (!progress_check(r->progress, err))
        return false;
    for (size_t i = 0; i < r->n_parts; i++) {
        struct jsonl_part *p = &r->part[i];

        if (p->failed) {
            *err = p->err;
            return false;
        }
        p->first_row = r->n_rows;
        r->n_rows += p->n_rows;
        r->n_bad += p->n_bad;
    }
    return true;
}

bool
jsonl_join_parts(struct jsonl_reading *r, struct error *err)
{
    if (r->tree.n == 0 && !jsonl_tree_init(&r->tree, err))
        return false;
    for (size_t i = 0; i < r->n_parts; i++)
        if (!join_part(r, &r->part[i], err))
            return false;
    return true;
}

static bool
survey(struct jsonl_reading *r, struct error *err)
{
    progress_begin(r->progress, "looking", r->text.n);
    return jsonl_survey_parts(r, err) && check_rows(r, err) &&
           jsonl_join_parts(r, err);
}

/* ---- the table ---- */

static bool
add_reject(const struct jsonl_reading *r, const struct jsonl_reject *x,
           uint64_t line, struct builder *b, struct error *err)
{
    size_t len = x->end - x->begin;

    return builder_i64(b, 0, (int64_t)line, err) &&
           builder_text(b, 2, str_of(x->fault.why), err) &&
           builder_text(
               b, 3,
               (struct str){r->text.p + x->begin,
                            len < REJECT_TEXT_MAX ? len : REJECT_TEXT_MAX},
               err) &&
           builder_end_row(b, err);
}

bool
jsonl_add_rejects(const struct jsonl_reading *r, struct builder *b, size_t *n,
                  uint64_t line, struct error *err)
{
    size_t at = 0;

    for (size_t i = 0; i < r->n_parts; i++)
        for (size_t k = 0; k < r->part[i].n_rejects; k++) {
            const struct jsonl_reject *x = &r->part[i].reject[k];
            struct str gap = {r->text.p + at, x->begin - at};

            if (*n == r->max_rejects)
                return true;
            ++*n;
            line += line_of(gap, gap.n) - 1;
            at = x->begin;
            if (!add_reject(r, x, line, b, err))
                return false;
        }
    return true;
}

static struct frame *
make_rejects(const struct jsonl_reading *r, struct error *err)
{
    struct builder *b = csv_rejects_new(err);
    size_t n = 0;

    if (b && !jsonl_add_rejects(r, b, &n, 1, err)) {
        builder_free(b);
        return NULL;
    }
    return b ? builder_finish(b, err) : NULL;
}

struct frame *
jsonl_make_frame(struct jsonl_reading *r, struct error *err)
{
    const char **names = mem_try_array(r->n_cols, sizeof *names, err);
    struct column **columns = mem_try_array(r->n_cols, sizeof *columns, err);
    struct frame *f = NULL;

    if (names && columns) {
        for (size_t i = 0; i < r->n_cols; i++) {
            names[i] = r->target[i].name;
            columns[i] = r->target[i].column;
            r->target[i].column = NULL;
        }
        f = frame_new(r->n_rows, r->n_cols, names, columns, err);
    }
    free(names);
    free(columns);
    return f;
}

static bool
make_table(struct jsonl_reading *r, struct csv_table *out, struct error *err)
{
    struct csv_table t = {
        .n_rejected = r->n_bad, .n_bytes = r->text.n, .header = true};

    if ((t.rejects = make_rejects(r, err)) &&
        (t.frame = jsonl_make_frame(r, err))) {
        *out = t;
        return true;
    }
    csv_table_fini(&t);
    return false;
}

void
jsonl_reading_fini(struct jsonl_reading *r)
{
    for (size_t i = 0; r->part && i < r->n_parts; i++) {
        jsonl_tree_fini(&r->part[i].tree);
        free(r->part[i].seen);
        free(r->part[i].reject);
    }
    for (size_t i = 0; r->piece && i < r->n_parts * r->n_cols; i++)
        piece_fini(&r->piece[i]);
    for (size_t i = 0; r->target && i < r->n_cols; i++) {
        free(r->target[i].name);
        free(r->target[i].data);
        column_unref(r->target[i].column);
    }
    jsonl_tree_fini(&r->tree);
    free(r->part);
    free(r->seen);
    free(r->inner);
    free(r->target);
    free(r->column_of);
    free(r->piece);
}

bool
jsonl_parse(struct str text, const char *name, const struct jsonl_options *o,
            struct pool *pool, struct progress *progress, struct csv_table *out,
            struct error *err)
{
    static const struct jsonl_options usual = {0};
    struct jsonl_reading r = {
        .o = o ? o : &usual, .pool = pool, .progress = progress, .text = text};
    bool ok;

    r.max_rejects = r.o->max_rejects ? r.o->max_rejects : JSONL_MAX_REJECTS;
    jsonl_find_body(&r);
    ok = jsonl_cut(&r, err) && survey(&r, err) && jsonl_load(&r, err) &&
         make_table(&r, out, err);
    jsonl_reading_fini(&r);
    return ok || error_prefix(err, "%s: ", name);
}

/* frame/jsonl_stream.c -- JSON lines, batch by batch.
 *
 * Gone through twice, as jsonl_parse() does with the whole: windows of whole
 * lines, from which the paths, their types and the rows of each part are
 * learnt; then parts, as many as make a batch.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/builder.h"
#include "frame/jsonl_load.h"
#include "frame/stream_source.h"
#include "frame/stream_text.h"

enum {
    PARTS_OF_WINDOW = 16,
    PARTS_MOST = 1 << 16, /* about */
    WIDE = 8              /* bytes of memory for each of a batch's text */
};

/* Rows that are read by one thread. */
struct stretch {
    uint64_t begin;
    size_t len, n_rows;
};

struct stream_jsonl {
    struct stream stream;
    char *name;
    struct jsonl_options o;
    struct stream_text *text;
    struct jsonl_reading r; /* its text is the window at hand */
    struct stretch *stretch;
    size_t n, cap, at;
    size_t window;
    struct frame *rejects;
    size_t n_rejected;
};

/* ---- the look ---- */

struct look {
    struct stream_jsonl *j;
    uint64_t at, lines; /* of the window; line ends before it */
    bool last;
    struct builder *rejects;
    size_t n_rejects;
    struct error *first; /* reject there was, or no code */
};

static size_t
count_lines(struct str s)
{
    size_t n = 0;
    const char *p = s.p, *end = s.p + s.n;

    while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
        n++;
        p++;
    }
    return n;
}

/* The first lines must tell whether they are a list. */
static bool
tells_list(struct str s)
{
    const char *end = s.p + s.n;
    const char *p =
        jsonl_skip_blank(s.p + (str_starts(s, "\xef\xbb\xbf") ? 3 : 0), end);

    return p < end && (*p != '[' || jsonl_skip_blank(p + 1, end) < end);
}

/* Whole lines, at least one unless the text is over. */
static bool
next_lines(struct look *l, struct error *err)
{
    struct jsonl_reading *r = &l->j->r;
    size_t want = l->j->window;

    for (;; want *= 2) {
        const char *nl;

        if (!progress_check(l->j->stream.progress, err) ||
            !stream_text_get(l->j->text, l->at, want, &r->text, &l->last, err))
            return false;
        if (l->last)
            return true;
        if ((nl = memrchr(r->text.p, '\n', r->text.n))) {
            r->text.n = (size_t)(nl + 1 - r->text.p);
            if (l->at > 0 || tells_list(r->text))
                return true;
        }
    }
}

static void
forget_parts(struct jsonl_reading *r)
{
    for (size_t i = 0; i < r->n_parts; i++) {
        jsonl_tree_fini(&r->part[i].tree);
        free(r->part[i].seen);
        free(r->part[i].reject);
    }
    free(r->part);
    r->part = NULL;
    r->n_parts = 0;
}

/* Should there be no row at all, this is what is wrong with the first. */
static void
keep_first(struct look *l)
{
    const struct jsonl_reading *r = &l->j->r;

    for (size_t i = 0; i < r->n_parts && l->first->code == 0; i++)
        if (r->part[i].n_rejects > 0) {
            const struct jsonl_fault *f = &r->part[i].reject[0].fault;
            struct str before = {r->text.p, (size_t)(f->at - r->text.p)};

            error_set(l->first, ERR_PARSE, "line %llu: %s",
                      (unsigned long long)l->lines + 1 + count_lines(before),
                      f->why);
        }
}

static bool
keep_stretches(struct look *l, struct error *err)
{
    struct stream_jsonl *j = l->j;

    for (size_t i = 0; i < j->r.n_parts; i++) {
        const struct jsonl_part *p = &j->r.part[i];
        struct stretch *more =
            mem_try_grow(j->stretch, j->n, &j->cap, sizeof *more, err);

        if (!more)
            return false;
        j->stretch = more;
        if (p->n_rows > 0)
            j->stretch[j->n++] = (struct stretch){l->at + p->begin,
                                                  p->end - p->begin, p->n_rows};
    }
    return true;
}

static bool
look_at_lines(struct look *l, struct error *err)
{
    struct jsonl_reading *r = &l->j->r;
    bool ok;

    r->body = 0;
    r->n_rows = 0;
    if (l->at == 0)
        jsonl_find_body(r);
    if (r->list)
        return error_set(err, ERR_LIMIT,
                         "a list of objects can be read only whole");
    if (r->body >= r->text.n)
        return true;
    ok = jsonl_cut(r, err) && jsonl_survey_parts(r, err) &&
         jsonl_join_parts(r, err) &&
         jsonl_add_rejects(r, l->rejects, &l->n_rejects, l->lines + 1, err) &&
         keep_stretches(l, err);
    if (ok)
        keep_first(l);
    forget_parts(r);
    l->j->stream.n_rows += ok ? r->n_rows : 0;
    return ok;
}

static void
note_foreign(struct look *l)
{
    struct csv_table *told = &l->j->stream.told;
    size_t first, n = encoding_foreign_lines(l->j->r.text, &first);

    if (n > 0 && told->n_foreign == 0)
        told->foreign_line = (size_t)l->lines + first;
    told->n_foreign += n;
}

static bool
look_through(struct look *l, struct error *err)
{
    const struct jsonl_reading *r = &l->j->r;

    progress_begin(l->j->stream.progress, "looking",
                   stream_text_len(l->j->text));
    do {
        if (!next_lines(l, err) || !look_at_lines(l, err))
            return false;
        l->at += r->text.n;
        note_foreign(l);
        l->lines += count_lines(r->text);
        progress_set(l->j->stream.progress,
                     stream_text_used(l->j->text, l->at));
    } while (!l->last);
    l->j->stream.told.n_bytes = (size_t)l->at;
    l->j->stream.told.header = true;
    if (l->j->stream.n_rows > 0)
        return true;
    if (l->first->code)
        *err = *l->first;
    else
        error_set(err, ERR_PARSE, "no rows");
    return false;
}

static bool
look(struct stream_jsonl *j, struct error *err)
{
    struct error first = {0};
    struct look l = {.j = j, .first = &first};

    if (!(l.rejects = csv_rejects_new(err)))
        return false;
    if (!look_through(&l, err)) {
        builder_free(l.rejects);
        return false;
    }
    j->n_rejected = j->r.n_bad;
    return (j->rejects = builder_finish(l.rejects, err)) &&
           jsonl_targets(&j->r, err);
}

/* ---- reading ---- */

/* As many stretches as make a batch, one at least, as parts of a text that
 * begins with the first of them. */
static bool
choose_parts(struct stream_jsonl *j, size_t *len, struct error *err)
{
    struct jsonl_reading *r = &j->r;
    uint64_t begin = j->stretch[j->at].begin;
    size_t cap = 0, most = j->window / jsonl_row_bytes(r) * WIDE;

    r->n_rows = *len = 0;
    for (size_t i = j->at; i < j->n; i++) {
        const struct stretch *s = &j->stretch[i];
        size_t from = (size_t)(s->begin - begin);
        struct jsonl_part *p;

        if (r->n_parts > 0 &&
            (from + s->len > j->window || r->n_rows + s->n_rows > most))
            break;
        p = mem_try_grow(r->part, r->n_parts, &cap, sizeof *p, err);
        if (!p)
            return false;
        r->part = p;
        *len = from + s->len;
        p[r->n_parts++] = (struct jsonl_part){.begin = from,
                                              .end = *len,
                                              .first_row = r->n_rows,
                                              .n_rows = s->n_rows};
        r->n_rows += s->n_rows;
    }
    return true;
}

static bool
read_batch(struct stream_jsonl *j, struct frame **out, struct error *err)
{
    struct jsonl_reading *r = &j->r;
    uint64_t begin = j->stretch[j->at].begin;
    size_t len;
    bool last;

    if (!choose_parts(j, &len, err) ||
        !stream_text_get(j->text, begin, len, &r->text, &last, err))
        return false;
    if (r->text.n < len)
        return error_set(err, ERR_STATE, "the file changed while it was read");
    if (!jsonl_load_rows(r, err) || !(*out = jsonl_make_frame(r, err)))
        return false;
    j->at += r->n_parts;
    progress_set(j->stream.progress, stream_text_used(j->text, begin + len));
    return true;
}

/* What one batch leaves behind. */
static void
forget_batch(struct jsonl_reading *r)
{
    for (size_t i = 0; r->piece && i < r->n_parts * r->n_cols; i++)
        piece_fini(&r->piece[i]);
    free(r->piece);
    r->piece = NULL;
    for (size_t i = 0; r->target && i < r->n_cols; i++) {
        free(r->target[i].data);
        column_unref(r->target[i].column);
        r->target[i].data = NULL;
        r->target[i].column = NULL;
    }
    forget_parts(r);
}

static bool
lines_next(struct stream *s, struct frame **out, struct error *err)
{
    struct stream_jsonl *j = (struct stream_jsonl *)s;
    bool ok;

    if (j->at == j->n)
        return true;
    if (j->at == 0)
        progress_begin(s->progress, "reading", stream_text_len(j->text));
    ok = read_batch(j, out, err);
    forget_batch(&j->r);
    ok = stream_text_believe(j->text, ok ? out : NULL, err) && ok;
    return ok || error_prefix(err, "%s: ", j->name);
}

static bool
lines_rewind(struct stream *s, struct error *err)
{
    struct stream_jsonl *j = (struct stream_jsonl *)s;

    j->at = 0;
    return stream_text_rewind(j->text, err);
}

static const struct frame *
lines_rejects(const struct stream *s, size_t *n)
{
    const struct stream_jsonl *j = (const struct stream_jsonl *)s;

    *n = j->n_rejected;
    return j->rejects;
}

static void
lines_close(struct stream *s)
{
    struct stream_jsonl *j = (struct stream_jsonl *)s;

    jsonl_reading_fini(&j->r);
    stream_text_free(j->text);
    frame_unref(j->rejects);
    free(j->stretch);
    free(j->name);
    free(j);
}

static const struct stream_class lines_class = {
    lines_next, lines_rewind, lines_close, lines_rejects, NULL};

/* ---- opening ---- */

static struct frame *
make_head(const struct stream_jsonl *j, struct error *err)
{
    size_t n = j->r.n_cols;
    const char **names = mem_try_array(n, sizeof *names, err);
    enum col_type *types = mem_try_array(n, sizeof *types, err);
    struct builder *b = NULL;

    for (size_t i = 0; names && types && i < n; i++) {
        names[i] = j->r.target[i].name;
        types[i] = j->r.target[i].type;
    }
    if (names && types)
        b = builder_new(n, names, types, err);
    free(names);
    free(types);
    return b ? builder_finish(b, err) : NULL;
}

static size_t
grain_of(const struct stream_jsonl *j, const struct source_options *o)
{
    size_t least = stream_text_len(j->text) / PARTS_MOST;
    size_t grain = j->window / PARTS_OF_WINDOW;

    if (o->csv.grain)
        return o->csv.grain;
    return grain > least ? grain : least;
}

struct stream *
stream_open_jsonl(const struct stream_source *from, struct stream_text *t,
                  struct error *err)
{
    struct stream_jsonl *j = mem_new(sizeof *j);
    size_t max = from->o->csv.max_rejects;
    struct frame *head;
    bool ok;

    j->text = t;
    j->name = mem_text(from->path);
    j->window = stream_window(from->o);
    j->o.grain = grain_of(j, from->o);
    j->stream.pool = from->pool;
    j->stream.progress = from->progress;
    j->stream.pass = stream_text_len(t);
    progress_expect(from->progress, 2 * j->stream.pass);
    j->r = (struct jsonl_reading){
        .o = &j->o,
        .pool = from->pool,
        /* which counts plain bytes */
        .progress = stream_text_packed(t) ? NULL : from->progress,
        .max_rejects = max ? max : JSONL_MAX_REJECTS};
    ok = look(j, err);
    ok = stream_text_whole(t, err) && ok;
    if (!ok || !stream_text_rewind(t, err) || !(head = make_head(j, err))) {
        lines_close(&j->stream);
        return NULL;
    }
    j->stream.rows_known = true;
    stream_init(&j->stream, &lines_class, head, NULL);
    return &j->stream;
}

/* frame/csv_stream.c -- delimited text, batch by batch.
 *
 * csv_read() finds delimiter, header and types from the whole text, and so
 * does a stream: it goes through the text twice.
 *
 *   look   windows of whole rows: a survey of each, all values but those of
 *          text columns tried as the type that was right so far; where the
 *          rows are, region by region, is kept
 *   read   regions, as many as make a batch, to columns
 *
 * While the delimiter is open, the first window says which it is, and good rows
 * are counted for every candidate besides: mostly in the same survey, since
 * which rows there are depends on the delimiter only where there are quotes.
 * When the count at the end says otherwise, the look begins anew.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/builder.h"
#include "frame/csv_reading.h"
#include "frame/source_part.h"
#include "frame/stream_source.h"
#include "frame/stream_text.h"

enum {
    REGIONS_MOST = 1 << 16, /* about; each is kept */
    HEAD = 32               /* bytes that tell what a binary file is */
};

struct stream_csv {
    struct stream stream;
    struct csv_options o;
    char *name;
    char **types, **nulls; /* of the options */
    struct stream_text *text;
    struct csv_reading r;      /* its scan is of the window at hand */
    char *first;               /* the text up to the end of the first row */
    struct csv_region *region; /* of the whole text; bytes in themselves */
    uint64_t *region_at;       /* where each begins in the text */
    size_t n_regions, cap, cap_at;
    size_t at;     /* region that is read next */
    size_t window; /* bytes of a batch */
    size_t max_rejects, n_rejected;
    struct frame *rejects;
};

/* How far a look at the text is. */
struct look {
    struct stream_csv *c;
    char head[HEAD]; /* of the text */
    size_t head_len, window, grain;
    size_t first_end;    /* of the first row */
    uint64_t at, lines;  /* of the rows that are known; lines before them */
    bool last;           /* the window at hand ends where the text ends */
    char delimiter;      /* that is supposed */
    struct csv_window w; /* rows with that */
    /* Rows with all candidates, while the delimiter is open: */
    bool open, apart; /* apart: they need not be those of w */
    uint64_t open_at, open_tried;
    struct csv_window all;
    bool watch; /* texts of the first row that occur again make a difference */
};

/* ---- windows ---- */

/* The text from l->at on. */
static bool
get_window(struct look *l, size_t want, struct str *s, struct error *err)
{
    uint64_t from = l->open && l->open_at < l->at ? l->open_at : l->at;
    size_t before = (size_t)(l->at - from);
    struct str all;

    if (!stream_text_get(l->c->text, from, before + want, &all, &l->last, err))
        return false;
    *s = (struct str){all.p + before, all.n - before};
    return true;
}

/* Rows of all candidates up to the end of the window s, which begins at
 * l->at. */
static bool
count_candidates(struct look *l, struct str s, struct error *err)
{
    uint64_t end = l->at + s.n;
    struct csv_scan scan;
    struct csv_survey v;
    const char *p = l->open_at < l->at ? s.p - (l->at - l->open_at)
                                       : s.p + (l->open_at - l->at);

    /* A row without an end is looked at again when there is twice as much. */
    if (end <= l->open_at || (!l->last && end - l->open_at < l->open_tried))
        return true;
    scan = csv_scan_of((struct str){p, (size_t)(end - l->open_at)}, '\0');
    l->all.begin = 0;
    l->all.last = l->last;
    if (!csv_survey_window(&v, &scan, &l->all, l->c->r.pool, NULL, err))
        return false;
    csv_survey_fini(&v);
    l->open_at += l->all.end;
    l->open_tried = l->all.end > 0 ? 0 : 2 * (end - l->open_at);
    return true;
}

/* One survey for all, as long as there is no quote. */
static bool
survey_together(struct look *l, struct str s, struct error *err)
{
    struct csv_reading *r = &l->c->r;
    struct csv_scan scan = csv_scan_of(s, '\0');
    struct csv_window before = l->all;

    l->all.begin = l->w.begin;
    l->all.last = l->last;
    if (!csv_survey_window(&r->survey, &scan, &l->all, r->pool, r->progress,
                           err))
        return false;
    if (l->all.has_quote) {
        csv_survey_fini(&r->survey);
        l->all = before;
        l->apart = true;
        l->open_at = l->at + l->w.begin;
        return true;
    }
    l->w.end = l->all.end;
    l->w.n_lines = l->all.n_lines;
    l->open_at = l->at + l->all.end;
    return true;
}

static bool
survey_window(struct look *l, struct str s, struct error *err)
{
    struct csv_reading *r = &l->c->r;

    if (l->open && !l->apart) {
        if (!survey_together(l, s, err))
            return false;
        if (!l->apart)
            return true;
    }
    l->w.last = l->last;
    return csv_survey_window(&r->survey, &r->scan, &l->w, r->pool, r->progress,
                             err) &&
           (!l->open || count_candidates(l, s, err));
}

static struct csv_place
place_of(const struct look *l)
{
    return (struct csv_place){&l->c->r.scan, l->at, l->lines};
}

static bool
is_text(const struct look *l, struct error *err)
{
    struct csv_place from = place_of(l);

    return csv_reading_text(&from, (struct str){l->head, l->head_len},
                            l->first_end, err);
}

/* The whole rows from l->at on; at least one unless the text is over. */
static bool
next_rows(struct look *l, struct error *err)
{
    struct csv_reading *r = &l->c->r;

    for (size_t want = l->window;; want *= 2) {
        struct str s;

        if (!progress_check(l->c->stream.progress, err) ||
            !get_window(l, want, &s, err))
            return false;
        r->scan = csv_scan_of(s, l->delimiter);
        if (s.n <= l->w.begin)
            return true;
        if (!survey_window(l, s, err))
            return false;
        if (r->survey.has_zero && !is_text(l, err))
            return false;
        if (r->survey.n_regions > 0)
            return true;
        csv_survey_fini(&r->survey);
    }
}

/* ---- the first row ---- */

/* What all candidates make of a window with a first row: the delimiter that is
 * supposed. */
static bool
suppose_delimiter(struct look *l, const struct csv_scan *all, struct error *err)
{
    struct csv_window w = l->all;
    struct csv_survey v;

    w.last = l->last;
    if (!csv_survey_window(&v, all, &w, l->c->r.pool, NULL, err))
        return false;
    csv_survey_fini(&v);
    l->all.pick = csv_survey_best(w.good, w.expected, all->n_delimiters);
    l->delimiter = all->delimiters[l->all.pick];
    return true;
}

/* Where the first row begins, in a window that holds all of it. */
static bool
begin_look(struct look *l, struct str *s, struct error *err)
{
    struct csv_scan all, one;
    size_t begin;

    for (;; l->window *= 2) {
        if (!get_window(l, l->window, s, err))
            return false;
        if (s->n == 0)
            return error_set(err, ERR_PARSE, "line 1: the file is empty");
        all = csv_scan_of(*s, l->c->o.delimiter);
        begin = csv_first_row(&all);
        if (begin == s->n && l->last)
            return error_set(err, ERR_PARSE,
                             "line %zu: no row in the whole file",
                             csv_count_lines(&all, 0, s->n) + 1);
        if (!l->last && (begin == s->n || csv_row_end(&all, begin) == s->n))
            continue;
        l->open = all.n_delimiters > 1;
        l->grain =
            csv_reading_grain(&l->c->o, csv_row_end(&all, begin) - begin);
        l->w.begin = l->all.begin = begin;
        l->w.grain = l->all.grain = l->grain;
        csv_survey_expected(&all, begin, l->all.expected);
        if (!suppose_delimiter(l, &all, err))
            return false;
        one = csv_scan_of(*s, l->delimiter);
        if (l->last || csv_row_end(&one, begin) < s->n)
            break;
    }
    csv_survey_expected(&one, begin, l->w.expected);
    l->first_end = csv_row_end(&one, begin);
    l->head_len = s->n < HEAD ? s->n : HEAD;
    memcpy(l->head, s->p, l->head_len);
    return true;
}

/* The first row is kept, since its fields are asked for when its window is
 * gone. */
static bool
keep_first(struct look *l, struct error *err)
{
    struct stream_csv *c = l->c;
    struct csv_reading *r = &c->r;
    struct csv_scan window = r->scan;
    size_t len = csv_row_end(&window, l->w.begin);
    bool ok;

    r->n = l->w.expected[0] + 1;
    if (!csv_survey_width(r->n, err))
        return false;
    if (!csv_reading_room(r, err) ||
        !(c->first = mem_try_text(window.p, len, err)))
        return false;
    r->begin = l->w.begin;
    r->scan = csv_scan_of((struct str){c->first, len}, l->delimiter);
    ok = csv_reading_first(r, err);
    r->scan = window;
    return ok;
}

/* Does a header depend on whether its texts occur again? */
static bool
must_watch(const struct csv_reading *r)
{
    if (r->o->header >= 0 || !r->header)
        return false;
    for (size_t k = 0; k < r->n; k++)
        if (r->first_class[k] != CSV_TEXT && r->first_class[k] != CSV_NONE)
            return false;
    return true;
}

static bool
read_first(struct look *l, struct error *err)
{
    struct csv_reading *r = &l->c->r;
    struct csv_columns_job job;

    if (!keep_first(l, err))
        return false;
    job = csv_reading_job(r);
    if (!csv_columns_sample(&job, r->first, r->guess, r->repeats, err))
        return false;
    r->header = csv_reading_guess_header(r);
    l->watch = must_watch(r);
    return csv_reading_names(r, err) && csv_reading_plan(r, err);
}

/* ---- the look ---- */

/* Keep where the rows are; from now on in bytes of the whole text. */
static bool
keep_regions(struct look *l, struct error *err)
{
    struct stream_csv *c = l->c;
    const struct csv_survey *v = &c->r.survey;

    for (size_t i = 0; i < v->n_regions; i++) {
        struct csv_region g = v->region[i];
        struct csv_region *more =
            mem_try_grow(c->region, c->n_regions, &c->cap, sizeof g, err);
        uint64_t *at;

        if (!more)
            return false;
        c->region = more;
        at = mem_try_grow(c->region_at, c->n_regions, &c->cap_at, sizeof *at,
                          err);
        if (!at)
            return false;
        c->region_at = at;
        g.line += l->lines + csv_count_lines(&c->r.scan, g.line_from, g.begin);
        g.line_from = 0;
        g.end -= g.begin;
        at[c->n_regions] = l->at + g.begin;
        g.begin = 0;
        c->region[c->n_regions++] = g;
        c->stream.n_rows += g.n_good;
    }
    return true;
}

static bool
check_rows(struct look *l, struct error *err)
{
    struct csv_reading *r = &l->c->r;
    struct csv_place from = place_of(l);

    return csv_check(&r->survey, &from, r->pool, &r->foreign, err);
}

static bool
look_at_values(struct look *l, struct error *err)
{
    struct csv_reading *r = &l->c->r;
    struct csv_columns_job job = csv_reading_job(r);

    job.skip_first = r->header && l->at == 0;
    return csv_columns_look(&job, l->watch ? r->first : NULL, r->repeats, err);
}

static bool
look_through(struct look *l, struct error *err)
{
    struct csv_reading *r = &l->c->r;
    struct str s;

    progress_begin(l->c->stream.progress, "looking",
                   stream_text_len(l->c->text));
    if (!begin_look(l, &s, err))
        return false;
    do {
        bool ok = next_rows(l, err);

        if (ok && r->survey.n_regions > 0)
            ok = check_rows(l, err) && (l->at > 0 || read_first(l, err)) &&
                 look_at_values(l, err) && keep_regions(l, err);
        csv_survey_fini(&r->survey);
        if (!ok)
            return false;
        l->at += l->w.end;
        l->lines += l->w.n_lines;
        l->w.begin = 0;
        progress_set(l->c->stream.progress,
                     stream_text_used(l->c->text, l->at));
    } while (!l->last);
    return true;
}

/* What was supposed of the header is checked as csv_read() does. */
static bool
settle(struct stream_csv *c, uint64_t len, struct error *err)
{
    struct csv_reading *r = &c->r;

    for (size_t k = 0; k < r->n; k++)
        r->guess[k] = r->plan[k].guess;
    if (r->o->header < 0 && r->header &&
        !csv_reading_is_header(r, r->guess, r->repeats)) {
        r->header = false;
        if (!csv_reading_names(r, err) || !csv_reading_plan(r, err))
            return false;
    }
    for (size_t k = 0; k < r->n; k++)
        if (csv_class_open(r->plan[k].guess))
            r->plan[k].guess = CSV_TEXT;
    c->stream.n_rows -= r->header && r->first_good;
    c->stream.told = (struct csv_table){.n_bytes = (size_t)len,
                                        .delimiter = r->scan.delimiters[0],
                                        .header = r->header,
                                        .n_foreign = r->foreign.n_fields,
                                        .foreign_line = r->foreign.line};
    c->stream.rows_known = !r->o->types || !r->o->types[0];
    return true;
}

static void
reading_init(struct stream_csv *c)
{
    c->r = (struct csv_reading){
        .o = &c->o, .pool = c->stream.pool, .progress = c->stream.progress};
    csv_nulls_init(&c->r.nulls, c->o.nulls);
}

static void
forget(struct stream_csv *c)
{
    csv_reading_fini(&c->r);
    reading_init(c);
    free(c->first);
    c->first = NULL;
    c->n_regions = 0;
    c->stream.n_rows = 0;
}

/* Until the delimiter that was supposed is the one to choose. */
static bool
look(struct stream_csv *c, size_t window, struct error *err)
{
    for (;;) {
        struct look l = {.c = c, .window = window};
        char best;

        if (!look_through(&l, err))
            return false;
        if (!l.open)
            return settle(c, l.at, err);
        best = csv_scan_of(STR(""), '\0')
                   .delimiters[csv_survey_best(l.all.good, l.all.expected,
                                               CSV_DELIMITERS)];
        if (best == l.delimiter)
            return settle(c, l.at, err);
        c->o.delimiter = best;
        forget(c);
        if (!stream_text_rewind(c->text, err))
            return false;
    }
}

/* ---- reading ---- */

/* As many regions as make a batch, one at least, as the survey of a text that
 * begins with the first of them. */
static size_t
choose_regions(struct stream_csv *c)
{
    struct csv_survey *v = &c->r.survey;
    uint64_t begin = c->region_at[c->at];
    size_t len = 0, n = 0;

    /* Each once moved to its place in the batch stays as long as it is. */
    v->region = c->region + c->at;
    while (c->at + n < c->n_regions) {
        struct csv_region *g = &c->region[c->at + n];
        size_t from = (size_t)(c->region_at[c->at + n] - begin);
        size_t bytes = g->end - g->begin;

        if (n > 0 && from + bytes > c->window)
            break;
        len = from + bytes;
        g->begin = g->line_from = from;
        g->end = len;
        n++;
    }
    v->n_regions = n;
    v->n_fields = c->r.n;
    return len;
}

static bool
copy_rejects(struct builder *b, const struct frame *f, struct error *err)
{
    for (size_t i = 0; i < frame_rows(f); i++) {
        if (!builder_i64(b, 0, column_int64s(frame_column(f, 0))[i], err))
            return false;
        for (size_t k = 1; k < frame_cols(f); k++) {
            const struct column *c = frame_column(f, k);

            if (column_is_valid(c, i) &&
                !builder_text(b, k, column_text(c, i), err))
                return false;
        }
        if (!builder_end_row(b, err))
            return false;
    }
    return true;
}

/* Rows that were set aside, behind those that are known. */
static bool
add_rejects(struct stream_csv *c, struct error *err)
{
    const struct csv_columns *x = &c->r.columns;
    struct builder *b;
    struct frame *f;

    c->n_rejected += x->n_rejected;
    if (x->n_rejects == 0)
        return true;
    if (!(b = csv_rejects_new(err)))
        return false;
    if (!copy_rejects(b, c->rejects, err)) {
        builder_free(b);
        return false;
    }
    for (size_t i = 0; i < x->n_rejects; i++)
        if (!csv_reading_reject(&c->r, &x->reject[i], b, err)) {
            builder_free(b);
            return false;
        }
    if (!(f = builder_finish(b, err)))
        return false;
    frame_unref(c->rejects);
    c->rejects = f;
    return true;
}

static bool
changed(struct error *err)
{
    return error_set(err, ERR_STATE, "%s", CSV_CHANGED);
}

static bool
read_columns(struct stream_csv *c, struct error *err)
{
    struct csv_reading *r = &c->r;
    struct csv_columns_job job = csv_reading_job(r);
    size_t kept = frame_rows(c->rejects);

    job.skip_first = r->header && c->at == 0;
    job.max_rejects = c->max_rejects - kept;
    if (!csv_columns_init(&r->columns, &job, err))
        return false;
    for (size_t k = 0; k < r->n; k++)
        if (column_type(r->columns.column[k]) != stream_type(&c->stream, k))
            return changed(err);
    return true;
}

static bool
read_batch(struct stream_csv *c, struct frame **out, struct error *err)
{
    struct csv_reading *r = &c->r;
    size_t len = choose_regions(c);
    struct str s;
    bool last;

    if (!stream_text_get(c->text, c->region_at[c->at], len, &s, &last, err))
        return false;
    if (s.n < len)
        return changed(err);
    r->scan = csv_scan_of(s, r->scan.delimiters[0]);
    if (!read_columns(c, err) || !add_rejects(c, err))
        return false;
    *out = frame_new(r->columns.n_rows, r->n, (const char *const *)r->names,
                     r->columns.column, err);
    r->columns.n_cols = 0; /* frame_new took the columns */
    c->at += r->survey.n_regions;
    progress_set(c->stream.progress,
                 stream_text_used(c->text, c->region_at[c->at - 1] + len));
    return *out != NULL;
}

static bool
csv_next(struct stream *s, struct frame **out, struct error *err)
{
    struct stream_csv *c = (struct stream_csv *)s;
    bool ok;

    if (c->at == c->n_regions)
        return true;
    if (c->at == 0)
        progress_begin(s->progress, "reading", stream_text_len(c->text));
    ok = read_batch(c, out, err);
    c->r.survey = (struct csv_survey){0}; /* its regions are ours */
    csv_columns_fini(&c->r.columns);
    ok = stream_text_believe(c->text, ok ? out : NULL, err) && ok;
    return ok || error_prefix(err, "%s: ", c->name);
}

static bool
no_rejects(struct stream_csv *c, struct error *err)
{
    struct builder *b = csv_rejects_new(err);
    struct frame *f = b ? builder_finish(b, err) : NULL;

    if (!f)
        return false;
    frame_unref(c->rejects);
    c->rejects = f;
    c->n_rejected = 0;
    return true;
}

static bool
csv_rewind(struct stream *s, struct error *err)
{
    struct stream_csv *c = (struct stream_csv *)s;

    if (!stream_text_rewind(c->text, err) || !no_rejects(c, err))
        return error_prefix(err, "%s: ", c->name);
    c->at = 0;
    return true;
}

static const struct frame *
csv_rejects(const struct stream *s, size_t *n)
{
    const struct stream_csv *c = (const struct stream_csv *)s;

    *n = c->n_rejected;
    return c->rejects;
}

static void
free_list(char **list)
{
    for (size_t i = 0; list && list[i]; i++)
        free(list[i]);
    free(list);
}

static void
csv_close(struct stream *s)
{
    struct stream_csv *c = (struct stream_csv *)s;

    csv_reading_fini(&c->r);
    stream_text_free(c->text);
    frame_unref(c->rejects);
    free_list(c->types);
    free_list(c->nulls);
    free(c->first);
    free(c->region);
    free(c->region_at);
    free(c->name);
    free(c);
}

static const struct stream_class csv_class = {csv_next, csv_rewind, csv_close,
                                              csv_rejects, NULL};

/* ---- opening ---- */

/* NULL for NULL, which the options tell from an empty list. */
static char **
copy_list(const char *const *from)
{
    size_t n = 0;
    char **list;

    if (!from)
        return NULL;
    while (from[n])
        n++;
    list = mem_new((n + 1) * sizeof *list);
    for (size_t i = 0; i < n; i++)
        list[i] = mem_text(from[i]);
    return list;
}

/* The options, which may go when the stream is open. */
static void
keep_options(struct stream_csv *c, const struct stream_source *from)
{
    c->o = source_csv_options(from->path, from->o);
    c->types = copy_list(c->o.types);
    c->nulls = copy_list(c->o.nulls);
    c->o.types = (const char *const *)c->types;
    c->o.nulls = (const char *const *)c->nulls;
    if (!c->o.grain && stream_text_len(c->text) / REGIONS_MOST > CSV_GRAIN)
        c->o.grain = stream_text_len(c->text) / REGIONS_MOST;
}

/* Bytes of text whose columns take what a batch may. */
static size_t
batch_of_text(const struct stream_csv *c, size_t window)
{
    uint64_t len = 0;
    size_t row = 0, text;
    bool texts = false;

    for (size_t i = 0; i < c->n_regions; i++)
        len += c->region[i].end;
    text = (size_t)(len / (c->stream.n_rows + 1)) + 1;
    for (size_t k = 0; k < c->r.n; k++) {
        enum col_type t = csv_type_of(c->r.plan[k].guess);

        row += column_width(t);
        texts |= t == COL_TEXT;
    }
    row += texts ? text : 0;
    return row > text ? (size_t)((double)window * (double)text / (double)row)
                      : window;
}

static struct frame *
make_head(const struct stream_csv *c, struct error *err)
{
    enum col_type *types = mem_try_array(c->r.n, sizeof *types, err);
    struct builder *b = NULL;

    for (size_t k = 0; types && k < c->r.n; k++)
        types[k] = csv_type_of(c->r.plan[k].guess);
    if (types)
        b = builder_new(c->r.n, (const char *const *)c->r.names, types, err);
    free(types);
    return b ? builder_finish(b, err) : NULL;
}

struct stream *
stream_open_csv(const struct stream_source *from, struct stream_text *t,
                struct error *err)
{
    struct stream_csv *c = mem_new(sizeof *c);
    size_t window = stream_window(from->o);
    struct frame *head;
    bool ok;

    c->text = t;
    c->name = mem_text(from->path);
    c->stream.pool = from->pool;
    c->stream.progress = from->progress;
    c->stream.pass = stream_text_len(t);
    progress_expect(from->progress, 2 * c->stream.pass);
    keep_options(c, from);
    reading_init(c);
    c->max_rejects = csv_reading_job(&c->r).max_rejects;
    ok = look(c, window, err);
    ok = stream_text_whole(t, err) && ok;
    if (!ok || !no_rejects(c, err) || !stream_text_rewind(t, err) ||
        !(head = make_head(c, err))) {
        csv_close(&c->stream);
        return NULL;
    }
    c->window = batch_of_text(c, window);
    stream_init(&c->stream, &csv_class, head, NULL);
    return &c->stream;
}

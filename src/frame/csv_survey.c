/* frame/csv_survey.c -- the first pass over delimited text.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/csv_survey.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/csv.h"

/* A piece of the text, between two line starts. */
struct piece {
    size_t begin, end;
    struct csv_count count; /* as if it began with a row */
    bool skipped;           /* what follows is known: */
    size_t first_row;       /* as if it began within a quoted field */
    bool ends_inside;
};

struct survey_job {
    const struct csv_scan *s;
    struct progress *progress;
    size_t begin, grain;
    struct piece *piece;
    size_t n_pieces;
    size_t expected[CSV_DELIMITERS];
    bool again;  /* all was counted before, with other delimiters */
    bool window; /* of a text; what is expected is known */
    struct csv_region *region;
    struct csv_count *count; /* of each region */
    size_t n_regions;
    uint32_t *dirty; /* regions whose rows are to be counted again */
    size_t n_dirty;
};

/* ---- cutting ---- */

static void
find_line(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct survey_job *j = ctx;
    size_t limit = j->begin + end;

    if (chunk == 0)
        j->piece[0].begin = j->begin;
    else
        j->piece[chunk].begin = csv_next_line(j->s, j->begin + begin, limit);
}

/* Pieces where no line begins are joined to the one before. */
static bool
cut_pieces(struct survey_job *j, struct pool *pool, struct error *err)
{
    size_t len = j->s->len - j->begin;
    size_t n = pool_chunks(len, j->grain), kept = 0;

    if (!(j->piece = mem_try_array(n, sizeof *j->piece, err)))
        return false;
    pool_for(pool, len, j->grain, find_line, j);
    for (size_t i = 0; i < n; i++) {
        size_t begin = j->piece[i].begin;

        if (begin == CSV_NOWHERE || begin >= j->s->len ||
            (kept > 0 && begin == j->piece[kept - 1].begin))
            continue;
        if (kept > 0)
            j->piece[kept - 1].end = begin;
        j->piece[kept++].begin = begin;
    }
    j->piece[kept - 1].end = j->s->len;
    j->n_pieces = kept;
    return true;
}

/* ---- counting ---- */

static void
skip_quoted(const struct survey_job *j, struct piece *p)
{
    p->first_row = CSV_NOWHERE;
    p->ends_inside = true;
    if (p->count.has_quote)
        csv_skip_quoted(j->s, p->begin, p->end, &p->first_row, &p->ends_inside);
    p->skipped = true;
}

/* Read from within a quoted field by mistake, rows hardly ever have the right
 * number of fields.  So where they do, nothing more is asked of the piece
 * unless the true state asks for it. */
static bool
looks_right(const struct survey_job *j, const struct csv_count *c)
{
    for (size_t d = 0; d < j->s->n_delimiters; d++)
        if (c->n_good[d] == c->n_rows)
            return true;
    return false;
}

static void
count_piece(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct survey_job *j = ctx;
    struct piece *p = &j->piece[chunk];
    size_t n = p->end - p->begin;

    (void)begin;
    (void)end;
    if (progress_stopped(j->progress))
        return;
    csv_count_rows(j->s, p->begin, p->end, j->expected, &p->count);
    p->skipped = false;
    if (!p->count.has_quote || !looks_right(j, &p->count))
        skip_quoted(j, p);
    if (j->again)
        return;
    progress_add(j->progress, n / CSV_SCAN_PART);
}

void
csv_survey_expected(const struct csv_scan *s, size_t begin, size_t *expected)
{
    size_t none[CSV_DELIMITERS] = {0};
    struct csv_count first;

    csv_count_rows(s, begin, csv_row_end(s, begin), none, &first);
    for (size_t d = 0; d < s->n_delimiters; d++)
        expected[d] = first.n_fields[d] - 1;
}

/* A candidate that the first row does not have will not be chosen: when it
 * leaves one at most, the text need not be asked. */
static void
narrow_delimiters(struct csv_scan *s, size_t begin)
{
    size_t expected[CSV_DELIMITERS], n = 0, one = 0;

    csv_survey_expected(s, begin, expected);
    for (size_t d = 0; d < s->n_delimiters; d++)
        if (expected[d] > 0) {
            one = d;
            n++;
        }
    if (n > 1)
        return;
    s->delimiters[0] = s->delimiters[one];
    s->n_delimiters = 1;
}

static bool
count_pieces(struct survey_job *j, struct pool *pool, struct error *err)
{
    if (!j->window)
        csv_survey_expected(j->s, j->begin, j->expected);
    pool_for(pool, j->n_pieces, 1, count_piece, j);
    return progress_check(j->progress, err);
}

/* ---- regions ---- */

/* Run the true state through the pieces.  A region that begins or ends
 * elsewhere than its piece is listed as dirty. */
static void
lay_regions(struct survey_job *j)
{
    size_t n = 0, line = 1 + csv_count_lines(j->s, 0, j->begin);
    bool inside = false, spills;

    j->n_dirty = 0;
    for (size_t i = 0; i < j->n_pieces; i++) {
        struct piece *p = &j->piece[i];
        size_t begin;

        if (inside && !p->skipped)
            skip_quoted(j, p);
        begin = inside ? p->first_row : p->begin;
        if (begin != CSV_NOWHERE) {
            if (n > 0)
                j->region[n - 1].end = begin;
            j->region[n] = (struct csv_region){.begin = begin,
                                               .end = j->s->len,
                                               .line_from = p->begin,
                                               .line = line};
            j->count[n++] = p->count;
        }
        /* Its bytes are in the region before, too, when that goes on. */
        if (p->count.foreign) {
            j->region[n - 1].foreign = true;
            j->region[n > 1 ? n - 2 : 0].foreign = true;
        }
        spills = inside ? p->ends_inside : p->count.ends_inside;
        if ((inside && begin != CSV_NOWHERE) || (!inside && spills))
            j->dirty[j->n_dirty++] = (uint32_t)(n - 1);
        inside = spills;
        line += p->count.n_lines;
    }
    j->n_regions = n;
}

static void
count_dirty(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct survey_job *j = ctx;
    const struct csv_region *r = &j->region[j->dirty[chunk]];

    (void)begin;
    (void)end;
    if (!progress_stopped(j->progress))
        csv_count_rows(j->s, r->begin, r->end, j->expected,
                       &j->count[j->dirty[chunk]]);
}

/* Regions and what they hold, for the delimiters of the scan. */
static bool
count_regions(struct survey_job *j, struct pool *pool, struct error *err)
{
    if (!count_pieces(j, pool, err))
        return false;
    lay_regions(j);
    pool_for(pool, j->n_dirty, 1, count_dirty, j);
    return progress_check(j->progress, err);
}

size_t
csv_survey_best(const size_t *good, const size_t *expected, size_t n)
{
    size_t best = 0;

    for (size_t d = 1; d < n; d++) {
        bool more = good[d] > good[best] ||
                    (good[d] == good[best] && expected[d] > expected[best]);

        if (expected[d] > 0 && (more || expected[best] == 0))
            best = d;
    }
    return best;
}

static void
add_good(const struct survey_job *j, size_t *good)
{
    for (size_t i = 0; i < j->n_regions; i++)
        for (size_t d = 0; d < j->s->n_delimiters; d++)
            good[d] += j->count[i].n_good[d];
}

static size_t
best_delimiter(const struct survey_job *j)
{
    size_t good[CSV_DELIMITERS] = {0};

    add_good(j, good);
    return csv_survey_best(good, j->expected, j->s->n_delimiters);
}

/* Leave the best of the candidates.  What was counted stays right when there
 * are no quotes: only which quote opens a field depends on the delimiters. */
static bool
choose_delimiter(struct survey_job *j, struct csv_scan *s, struct pool *pool,
                 struct error *err)
{
    size_t best = best_delimiter(j);
    bool has_quote = false;

    s->delimiters[0] = s->delimiters[best];
    s->n_delimiters = 1;
    j->expected[0] = j->expected[best];
    for (size_t i = 0; i < j->n_regions; i++) {
        struct csv_count *c = &j->count[i];

        c->n_good[0] = c->n_good[best];
        c->n_fields[0] = c->n_fields[best];
        c->n_wide[0] = c->n_wide[best];
        c->wide_at[0] = c->wide_at[best];
        has_quote |= c->has_quote;
    }
    j->again = true;
    return !has_quote || count_regions(j, pool, err);
}

bool
csv_survey_width(size_t n_fields, struct error *err)
{
    return n_fields <= CSV_COLS_MAX ||
           error_set(err, ERR_LIMIT, "%zu columns, the limit is %d", n_fields,
                     CSV_COLS_MAX);
}

static bool
finish(const struct survey_job *j, size_t pick, struct csv_survey *v,
       struct error *err)
{
    if (!csv_survey_width(j->expected[pick] + 1, err))
        return false;
    v->n_regions = j->n_regions;
    v->n_fields = j->expected[pick] + 1;
    for (size_t i = 0; i < j->n_pieces; i++)
        v->has_zero |= j->piece[i].count.has_zero;
    for (size_t i = 0; i < v->n_regions; i++) {
        struct csv_region *r = &v->region[i];

        r->n_rows = j->count[i].n_rows;
        r->n_good = j->count[i].n_good[pick];
        r->n_fields = j->count[i].n_fields[pick];
        r->n_wide = j->count[i].n_wide[pick];
        r->wide_at = j->count[i].wide_at[pick];
        r->zero = j->count[i].has_zero;
        r->long_one = r->end - r->begin > CSV_FIELD_MAX;
        if (r->end - r->begin >= UINT32_MAX)
            return error_set(err, ERR_LIMIT,
                             "line %zu: a row of more than 4 GiB", r->line);
    }
    return true;
}

static bool
job_init(struct survey_job *j, struct csv_survey *v, struct pool *pool,
         struct error *err)
{
    bool ok;

    *v = (struct csv_survey){0};
    ok = cut_pieces(j, pool, err) &&
         (v->region = mem_try_array(j->n_pieces, sizeof *j->region, err)) &&
         (j->count = mem_try_array(j->n_pieces, sizeof *j->count, err)) &&
         (j->dirty = mem_try_array(j->n_pieces, sizeof *j->dirty, err));
    j->region = v->region;
    return ok;
}

static bool
job_end(struct survey_job *j, struct csv_survey *v, bool ok)
{
    free(j->piece);
    free(j->count);
    free(j->dirty);
    if (!ok)
        csv_survey_fini(v);
    return ok;
}

bool
csv_survey_init(struct csv_survey *v, struct csv_scan *s, size_t begin,
                size_t grain, struct pool *pool, struct progress *progress,
                struct error *err)
{
    struct survey_job j = {
        .s = s, .progress = progress, .begin = begin, .grain = grain};

    narrow_delimiters(s, begin);
    return job_end(
        &j, v,
        job_init(&j, v, pool, err) && count_regions(&j, pool, err) &&
            (s->n_delimiters == 1 || choose_delimiter(&j, s, pool, err)) &&
            finish(&j, 0, v, err));
}

/* ---- windows ---- */

/* The last row of the window may go on behind it, and is left to the next. */
static void
leave_last_row(struct survey_job *j, struct csv_window *w)
{
    struct csv_region *g = &j->region[j->n_regions - 1];
    size_t end = g->begin, next;

    while ((next = csv_row_end(j->s, end)) < j->s->len)
        end = next;
    w->n_lines = g->line - 1 + csv_count_lines(j->s, g->line_from, end);
    w->end = g->end = end;
    if (end > g->begin)
        csv_count_rows(j->s, g->begin, end, j->expected,
                       &j->count[j->n_regions - 1]);
    else
        j->n_regions--;
}

bool
csv_survey_window(struct csv_survey *v, const struct csv_scan *s,
                  struct csv_window *w, struct pool *pool,
                  struct progress *progress, struct error *err)
{
    struct survey_job j = {.s = s,
                           .progress = progress,
                           .begin = w->begin,
                           .grain = w->grain,
                           .window = true};
    bool ok;

    memcpy(j.expected, w->expected, sizeof j.expected);
    ok = job_init(&j, v, pool, err) && count_regions(&j, pool, err);
    w->end = s->len;
    w->has_quote = false;
    for (size_t i = 0; ok && i < j.n_pieces; i++)
        w->has_quote |= j.piece[i].count.has_quote;
    if (ok && !w->last)
        leave_last_row(&j, w);
    if (ok)
        add_good(&j, w->good);
    return job_end(&j, v, ok && finish(&j, w->pick, v, err));
}

void
csv_survey_fini(struct csv_survey *v)
{
    free(v->region);
    v->region = NULL;
    v->n_regions = 0;
}

/* frame/csv.c -- delimited text to a frame.
 *
 *   first row -> survey: delimiter, regions -> sample: types, header?
 *             -> columns: checked against every value -> frame and rejects
 *
 * The head of a text is cut behind a row's end and read in the same way.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "frame/builder.h"
#include "frame/csv_reading.h"
#include "frame/names.h"

enum {
    ROWS_PER_GRAIN = 64,
    MAX_REJECTS = 1000,
    ZERO_HEAD = 4096,
    REJECT_TEXT_MAX = 4096
};

void
csv_reading_fini(struct csv_reading *r)
{
    for (size_t i = 0; r->names && i < r->n; i++)
        free(r->names[i]);
    free(r->names);
    free(r->first);
    free(r->first_class);
    free(r->guess);
    free(r->repeats);
    free(r->plan);
    csv_survey_fini(&r->survey);
    csv_columns_fini(&r->columns);
}

/* ---- what is not a table ---- */

static const struct {
    const char *bytes, *what;
} kinds[] = {
    {"\x1f\x8b", "a gzip file"},
    {"PK\x03\x04", "a zip file"},
    {"PAR1", "a Parquet file"},
    {"\x28\xb5\x2f\xfd", "a zstd file"},
    {"ARROW1", "an Arrow file"},
    {"\x7f"
     "ELF",
     "a program"},
    {"\x89PNG", "a picture"},
    {"%PDF", "a PDF file"},
    {"SQLite format 3", "a database"},
    {"\xff\xfe", "UTF-16 text"},
    {"\xfe\xff", "UTF-16 text"},
};

static const char *
kind_of(struct str head)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (str_starts(head, kinds[i].bytes))
            return kinds[i].what;
    return NULL;
}

/* Where a text begins as text does, rows without zero bytes can be read. */
bool
csv_reading_text(const struct csv_place *from, struct str head,
                 uint64_t first_end, struct error *err)
{
    const struct csv_scan *s = from->scan;
    const char *zero = memchr(s->p, '\0', s->len), *what = kind_of(head);
    size_t at = zero ? (size_t)(zero - s->p) : s->len;

    if (!zero ||
        (!what && from->at + at >= ZERO_HEAD && from->at + at >= first_end))
        return true;
    return error_set(
        err, ERR_PARSE,
        "line %llu: a zero byte: this is %s, expected text in "
        "UTF-8",
        (unsigned long long)(from->lines + 1 + csv_count_lines(s, 0, at)),
        what ? what : "a binary file");
}

/* The first row that is not blank. */
static bool
find_begin(struct csv_reading *r, struct error *err)
{
    const struct csv_scan *s = &r->scan;

    if (s->len == 0)
        return error_set(err, ERR_PARSE, "line 1: the file is empty");
    r->begin = csv_first_row(s);
    if (r->begin < s->len)
        return true;
    return error_set(err, ERR_PARSE, "line %zu: no row in the whole file",
                     csv_count_lines(s, 0, s->len) + 1);
}

/* ---- the first row ---- */

bool
csv_reading_first(struct csv_reading *r, struct error *err)
{
    const struct csv_scan *s = &r->scan;
    size_t end = csv_row_end(s, r->begin), none[CSV_DELIMITERS] = {0};
    struct csv_count c;
    struct csv_index x;

    csv_count_rows(s, r->begin, end, none, &c);
    if (!csv_index_init(&x, s, r->begin, end, c.n_rows, c.n_fields[0], err))
        return false;
    r->first_good = true;
    for (size_t k = 0; k < r->n; k++) {
        const char *from = s->p + r->begin + csv_field_begin(&x, 0, k);
        const char *to = s->p + r->begin + x.field[k];
        bool open;

        r->first[k] = csv_cell_at(from, to);
        if (csv_quotes_ok(from, to, &open))
            continue;
        r->first_good = false;
        r->first[k] = (struct csv_cell){{from, (size_t)(to - from)}, false};
        if (open) {
            csv_index_fini(&x);
            return error_set(err, ERR_PARSE,
                             "line %zu: a quote in the first row is never "
                             "closed",
                             1 + csv_count_lines(s, 0, r->begin));
        }
    }
    csv_index_fini(&x);
    for (size_t k = 0; k < r->n; k++)
        r->first_class[k] = csv_classify(r->first[k], &r->nulls);
    return true;
}

/* Is the first row a header, when the values below it have these classes? */
bool
csv_reading_is_header(const struct csv_reading *r, const enum csv_class *below,
                      const bool *repeats)
{
    bool typed = false, text = false, again = false;

    for (size_t k = 0; k < r->n; k++) {
        enum csv_class c = r->first_class[k];

        if (c == CSV_TEXT && below[k] != CSV_TEXT && below[k] != CSV_NONE)
            return true;
        typed |= c != CSV_TEXT && c != CSV_NONE;
        text |= c == CSV_TEXT;
        again |= c == CSV_TEXT && (!repeats || repeats[k]);
    }
    return text && !typed && !again;
}

/* From the sample.  A column with nothing in the sample may turn out to be of
 * another type: suppose so, since a supposed header is checked at the end. */
bool
csv_reading_guess_header(const struct csv_reading *r)
{
    if (r->o->header >= 0)
        return r->o->header > 0;
    for (size_t k = 0; k < r->n; k++)
        if (r->first_class[k] == CSV_TEXT && r->guess[k] == CSV_NONE)
            return true;
    return csv_reading_is_header(r, r->guess, r->repeats);
}

static bool
has_text(const struct column *c, struct str s)
{
    if (column_type(c) != COL_TEXT)
        return false;
    if (!column_is_loose(c))
        return dict_find(column_dict(c), s) != DICT_NONE;
    for (size_t i = 0; i < column_rows(c); i++)
        if (column_is_valid(c, i) && str_eq(column_text(c, i), s))
            return true;
    return false;
}

/* With all values read as if below a header: was that right?  Texts are looked
 * through only where types do not tell. */
static bool
check_header(struct csv_reading *r, bool *right, struct error *err)
{
    struct buf scratch;
    bool ok = true;

    *right = true;
    if (r->o->header >= 0 || !r->header)
        return true;
    for (size_t k = 0; k < r->n; k++)
        r->guess[k] = r->plan[k].found;
    if (csv_reading_is_header(r, r->guess, NULL))
        return true;
    buf_init(&scratch);
    for (size_t k = 0; ok && k < r->n; k++) {
        struct str s = csv_cell_text(r->first[k], &scratch);

        r->repeats[k] = has_text(r->columns.column[k], s);
        ok = buf_check(&scratch, err);
    }
    *right = csv_reading_is_header(r, r->guess, r->repeats);
    buf_fini(&scratch);
    return ok;
}

/* ---- names ---- */

static char *
name_of(const struct csv_reading *r, size_t k, struct dict *taken,
        struct error *err)
{
    struct buf scratch;
    struct str s = STR("");
    char *name;

    buf_init(&scratch);
    if (r->header)
        s = csv_cell_text(r->first[k], &scratch);
    name = buf_check(&scratch, err) ? names_unique(s, k, taken, err) : NULL;
    buf_fini(&scratch);
    return name;
}

bool
csv_reading_names(struct csv_reading *r, struct error *err)
{
    struct dict *taken = dict_new(err);
    bool ok = taken != NULL;

    for (size_t k = 0; ok && k < r->n; k++) {
        free(r->names[k]);
        ok = (r->names[k] = name_of(r, k, taken, err)) != NULL;
    }
    dict_unref(taken);
    return ok;
}

/* ---- types ---- */

bool
csv_type_loose(const struct csv_options *o, size_t i)
{
    size_t left = 0;

    while (o->types[i + left])
        left++;
    return left <= o->types_loose;
}

static bool
force_type(struct csv_reading *r, const char *text, bool loose,
           struct error *err)
{
    enum csv_class class;
    const char *near;
    struct str name;

    if (!csv_type_parse(text, &name, &class, err))
        return false;
    for (size_t k = 0; k < r->n; k++)
        if (str_is(name, r->names[k])) {
            r->plan[k] = (struct csv_column_plan){class, true, CSV_NONE};
            return true;
        }
    if (loose)
        return true;
    near = str_nearest(name, (const char *const *)r->names, r->n);
    return error_set(err, ERR_NOTFOUND, "no column '%.*s'%s%s%s", (int)name.n,
                     name.p, near ? " (did you mean '" : "", near ? near : "",
                     near ? "'?)" : "");
}

bool
csv_reading_plan(struct csv_reading *r, struct error *err)
{
    for (size_t k = 0; k < r->n; k++) {
        enum csv_class guess = r->guess[k];

        if (!r->header && r->first_good)
            guess = csv_join(guess, r->first_class[k]);
        r->plan[k] = (struct csv_column_plan){guess, false, CSV_NONE};
    }
    for (size_t i = 0; r->o->types && r->o->types[i]; i++)
        if (!force_type(r, r->o->types[i], csv_type_loose(r->o, i), err))
            return false;
    return true;
}

/* ---- the columns ---- */

struct csv_columns_job
csv_reading_job(const struct csv_reading *r)
{
    return (struct csv_columns_job){
        .scan = &r->scan,
        .survey = &r->survey,
        .nulls = &r->nulls,
        .map = r->map,
        .skip_first = r->header,
        .first_good = r->first_good,
        .again = r->again,
        .max_rejects = r->o->max_rejects ? r->o->max_rejects : MAX_REJECTS,
        .pool = r->pool,
        .progress = r->progress,
        .plan = r->plan,
    };
}

static bool
read_columns(struct csv_reading *r, struct error *err)
{
    struct csv_columns_job job = csv_reading_job(r);
    bool right;

    if (!csv_columns_sample(&job, r->first, r->guess, r->repeats, err))
        return false;
    r->header = csv_reading_guess_header(r);
    for (;;) {
        if (!csv_reading_names(r, err) || !csv_reading_plan(r, err))
            return false;
        job = csv_reading_job(r);
        if (!csv_columns_init(&r->columns, &job, err))
            return false;
        if (!check_header(r, &right, err))
            return false;
        if (right)
            return true;
        csv_columns_fini(&r->columns);
        r->header = false;
        r->again = true;
    }
}

/* ---- rejects ---- */

/* The text of field `col` of a row that was set aside. */
static bool
reject_cell(const struct csv_reading *r, const struct csv_reject *why,
            struct buf *out, struct error *err)
{
    size_t none[CSV_DELIMITERS] = {0};
    const char *base = r->scan.p + why->begin;
    struct csv_count c;
    struct csv_index x;
    struct str s;

    csv_count_rows(&r->scan, why->begin, why->end, none, &c);
    if (!csv_index_init(&x, &r->scan, why->begin, why->end, c.n_rows,
                        c.n_fields[0], err))
        return false;
    s = csv_cell_at(base + csv_field_begin(&x, 0, why->col),
                    base + x.field[why->col])
            .s;
    csv_index_fini(&x);
    buf_add(out, s.p, s.n < 40 ? s.n : 40);
    return true;
}

static bool
reason_of(const struct csv_reading *r, const struct csv_reject *why,
          struct buf *out, struct error *err)
{
    enum col_type t;

    switch (why->fault) {
    case CSV_FAULT_FIELDS:
        buf_printf(out, "%zu field%s, expected %zu", why->n_fields,
                   why->n_fields == 1 ? "" : "s", r->n);
        return true;
    case CSV_FAULT_QUOTE:
        buf_printf(out, "text after the closing quote of field %zu",
                   why->col + 1);
        return true;
    case CSV_FAULT_OPEN:
        buf_printf(out, "the quote of field %zu is never closed", why->col + 1);
        return true;
    case CSV_FAULT_ZERO:
        buf_printf(out, "a zero byte in field %zu", why->col + 1);
        return true;
    case CSV_FAULT_VALUE:
        break;
    }
    t = csv_type_of(r->plan[why->col].guess);
    buf_putc(out, '\'');
    if (!reject_cell(r, why, out, err))
        return false;
    buf_printf(out, "' is not %s %s", t == COL_INT64 ? "an" : "a",
               column_type_word(t));
    return true;
}

bool
csv_reading_reject(const struct csv_reading *r, const struct csv_reject *why,
                   struct builder *b, struct error *err)
{
    size_t len = why->end - why->begin;
    struct buf reason;
    bool ok;

    if (len > REJECT_TEXT_MAX)
        len = REJECT_TEXT_MAX;
    buf_init(&reason);
    ok = reason_of(r, why, &reason, err) && buf_check(&reason, err) &&
         builder_i64(b, 0, (int64_t)why->line, err) &&
         (why->fault == CSV_FAULT_FIELDS || why->col >= r->n ||
          builder_text(b, 1, str_of(r->names[why->col]), err)) &&
         builder_text(b, 2, (struct str){reason.data, reason.len}, err) &&
         builder_text(b, 3, (struct str){r->scan.p + why->begin, len}, err) &&
         builder_end_row(b, err);
    buf_fini(&reason);
    return ok;
}

struct builder *
csv_rejects_new(struct error *err)
{
    static const char *const names[] = {"line", "column", "reason", "text"};
    static const enum col_type types[] = {COL_INT64, COL_TEXT, COL_TEXT,
                                          COL_TEXT};

    return builder_new(4, names, types, err);
}

static struct frame *
make_rejects(const struct csv_reading *r, struct error *err)
{
    struct builder *b = csv_rejects_new(err);

    if (!b)
        return NULL;
    for (size_t i = 0; i < r->columns.n_rejects; i++)
        if (!csv_reading_reject(r, &r->columns.reject[i], b, err)) {
            builder_free(b);
            return NULL;
        }
    return builder_finish(b, err);
}

/* ---- the whole ---- */

static bool
make_table(struct csv_reading *r, struct csv_table *out, struct error *err)
{
    struct csv_columns *c = &r->columns;

    *out = (struct csv_table){.n_rejected = c->n_rejected,
                              .n_bytes = r->scan.len,
                              .n_foreign = r->foreign.n_fields,
                              .foreign_line = r->foreign.line,
                              .delimiter = r->scan.delimiters[0],
                              .header = r->header};
    if (!(out->rejects = make_rejects(r, err)))
        return false;
    out->frame = frame_new(c->n_rows, c->n_cols, (const char *const *)r->names,
                           c->column, err);
    c->n_cols = 0; /* frame_new took the columns */
    if (out->frame)
        return true;
    csv_table_fini(out);
    return false;
}

size_t
csv_reading_grain(const struct csv_options *o, size_t row)
{
    size_t grain = o->grain ? o->grain : CSV_GRAIN;

    /* Wide rows need larger regions, or what each region keeps for each
     * column would outweigh the values. */
    if (!o->grain && grain / ROWS_PER_GRAIN < row)
        grain = row < SIZE_MAX / ROWS_PER_GRAIN ? row * ROWS_PER_GRAIN : row;
    return grain;
}

static bool
survey(struct csv_reading *r, struct error *err)
{
    size_t row = csv_row_end(&r->scan, r->begin) - r->begin;
    struct csv_place from = {.scan = &r->scan};

    if (!csv_survey_init(&r->survey, &r->scan, r->begin,
                         csv_reading_grain(r->o, row), r->pool, r->progress,
                         err))
        return false;
    if (r->survey.has_zero &&
        !csv_reading_text(&from, (struct str){r->scan.p, r->scan.len},
                          csv_row_end(&r->scan, r->begin), err))
        return false;
    r->n = r->survey.n_fields;
    return csv_check(&r->survey, &from, r->pool, &r->foreign, err);
}

bool
csv_reading_room(struct csv_reading *r, struct error *err)
{
    return (r->first = mem_try_array(r->n, sizeof *r->first, err)) &&
           (r->first_class =
                mem_try_array(r->n, sizeof *r->first_class, err)) &&
           (r->guess = mem_try_array(r->n, sizeof *r->guess, err)) &&
           (r->repeats = mem_try_array(r->n, sizeof *r->repeats, err)) &&
           (r->names = mem_try_array(r->n, sizeof *r->names, err)) &&
           (r->plan = mem_try_array(r->n, sizeof *r->plan, err));
}

static bool
reading_init(struct csv_reading *r, struct error *err)
{
    return find_begin(r, err) && survey(r, err) && csv_reading_room(r, err) &&
           csv_reading_first(r, err);
}

static bool
parse(struct csv_reading *r, const char *name, struct csv_table *out,
      struct error *err)
{
    static const struct csv_options find_all = {.header = -1};
    bool ok;

    if (!r->o)
        r->o = &find_all;
    csv_nulls_init(&r->nulls, r->o->nulls);
    progress_begin(r->progress, "reading", r->scan.len);
    ok =
        reading_init(r, err) && read_columns(r, err) && make_table(r, out, err);
    csv_reading_fini(r);
    return ok || error_prefix(err, "%s: ", name);
}

bool
csv_parse(struct str text, const char *name, const struct csv_options *o,
          struct pool *pool, struct progress *progress, struct csv_table *out,
          struct error *err)
{
    struct csv_reading r = {
        .o = o,
        .pool = pool,
        .progress = progress,
        .scan = csv_scan_of(text, o ? o->delimiter : '\0'),
    };

    return parse(&r, name, out, err);
}

bool
csv_parse_map(const struct file_map *m, const char *name,
              const struct csv_options *o, struct pool *pool,
              struct progress *progress, struct csv_table *out,
              struct error *err)
{
    struct csv_reading r = {
        .o = o,
        .pool = pool,
        .progress = progress,
        .map = m,
        .scan =
            csv_scan_of((struct str){m->data, m->len}, o ? o->delimiter : '\0'),
    };

    return parse(&r, name, out, err);
}

bool
csv_delimiter_parse(const char *text, char *out, struct error *err)
{
    if (strcmp(text, "tab") == 0 || strcmp(text, "\\t") == 0) {
        *out = '\t';
        return true;
    }
    *out = text[0];
    if (strlen(text) == 1 && !strchr("\"\n\r", *text) &&
        (unsigned char)*text < 0x80)
        return true;
    return error_set(err, ERR_USAGE,
                     "delimiter '%s', expected one character of ASCII that is "
                     "no quote, or tab",
                     text);
}

bool
csv_types_check(const char *const *types, struct error *err)
{
    enum csv_class class;
    struct str name;

    for (size_t i = 0; types && types[i]; i++)
        if (!csv_type_parse(types[i], &name, &class, err))
            return false;
    return true;
}

bool
csv_read(const char *path, const struct csv_options *o, struct pool *pool,
         struct progress *progress, struct csv_table *out, struct error *err)
{
    struct file_map m;
    bool ok;

    if (!file_map_open(&m, path, progress, err))
        return false;
    ok = csv_parse_map(&m, path, o, pool, progress, out, err);
    if (!file_map_whole(&m, err)) {
        error_prefix(err, "%s: ", path);
        if (ok)
            csv_table_fini(out);
        ok = false;
    }
    file_map_close(&m);
    return ok;
}

void
csv_table_fini(struct csv_table *t)
{
    frame_unref(t->frame);
    frame_unref(t->rejects);
    t->frame = t->rejects = NULL;
}

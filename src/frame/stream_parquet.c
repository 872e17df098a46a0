/* frame/stream_parquet.c -- the row groups of a Parquet file.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/builder.h"
#include "frame/parquet.h"
#include "frame/source_part.h"
#include "frame/stream_source.h"

enum { TEXT_LEN = 32 /* bytes that a text may take, to choose a batch */ };

struct stream_parquet {
    struct stream stream;
    struct file_map map;
    struct parquet_info info;
    struct frame *rejects; /* columns that are left out */
    size_t n_rejects;
    size_t at, batch_rows; /* group; rows that are read at a time, about */
};

static struct str
bytes_of(const struct stream_parquet *p)
{
    return (struct str){p->map.data, p->map.len};
}

static void
parquet_cool(const struct stream *s)
{
    const struct stream_parquet *p = (const struct stream_parquet *)s;

    file_map_cool(&p->map, 0, p->map.len);
}

/* At least one group, and those behind it that fit too. */
static size_t
groups_of_batch(const struct stream_parquet *p, uint64_t *rows)
{
    size_t n = 1;

    *rows = p->info.group_rows[p->at];
    while (p->at + n < p->info.n_groups &&
           p->info.group_rows[p->at + n] <= p->batch_rows - *rows &&
           *rows <= p->batch_rows)
        *rows += p->info.group_rows[p->at + n++];
    return n;
}

static bool
parquet_next(struct stream *s, struct frame **out, struct error *err)
{
    struct stream_parquet *p = (struct stream_parquet *)s;
    struct parquet_options o = {.first_group = p->at, .in_batches = true};
    uint64_t rows;
    bool ok;

    if (p->at == p->info.n_groups)
        return true;
    if (p->at == 0)
        progress_begin(s->progress, "reading", s->n_rows);
    o.n_groups = groups_of_batch(p, &rows);
    ok = parquet_parse(bytes_of(p), &o, s->pool, s->progress, out, err);
    parquet_cool(s);
    if (!file_map_whole(&p->map, err)) {
        if (ok)
            frame_unref(*out);
        *out = NULL;
        return false;
    }
    if (!ok)
        return false;
    p->at += o.n_groups;
    progress_add(s->progress, rows);
    return true;
}

static bool
parquet_rewind(struct stream *s, struct error *err)
{
    (void)err;
    ((struct stream_parquet *)s)->at = 0;
    return true;
}

static void
parquet_close(struct stream *s)
{
    struct stream_parquet *p = (struct stream_parquet *)s;

    parquet_info_fini(&p->info);
    frame_unref(p->rejects);
    file_map_close(&p->map);
    free(p);
}

static const struct frame *
parquet_rejects(const struct stream *s, size_t *n)
{
    const struct stream_parquet *p = (const struct stream_parquet *)s;

    *n = p->n_rejects;
    return p->rejects;
}

static const struct stream_class parquet_class = {
    parquet_next, parquet_rewind, parquet_close, parquet_rejects, parquet_cool};

/* ---- opening ---- */

/* Unsigned 64-bit values beyond int64 make a column of floats. */
static bool
is_float(const struct stream_parquet *p, const struct parquet_column *c,
         bool *yes, struct error *err)
{
    const char *columns[] = {c->name, NULL};
    struct parquet_options o = {
        .columns = columns, .n_groups = 1, .in_batches = true};

    *yes = false;
    if (c->type != COL_INT64 || strncmp(c->stored, "int64 unsigned", 14) != 0)
        return true;
    for (; !*yes && o.first_group < p->info.n_groups; o.first_group++) {
        struct frame *f;

        if (!parquet_parse(bytes_of(p), &o, p->stream.pool, p->stream.progress,
                           &f, err))
            return false;
        *yes = column_type(frame_column(f, 0)) == COL_FLOAT64;
        frame_unref(f);
        parquet_cool(&p->stream);
    }
    return true;
}

static bool
find_types(const struct stream_parquet *p, const char **names,
           enum col_type *types, size_t *n, struct error *err)
{
    for (size_t i = 0; i < p->info.n_columns; i++) {
        const struct parquet_column *c = &p->info.columns[i];
        bool beyond;

        if (c->skipped)
            continue;
        if (!is_float(p, c, &beyond, err))
            return false;
        names[*n] = c->name;
        types[(*n)++] = beyond ? COL_FLOAT64 : c->type;
    }
    return true;
}

static void
choose_batch(struct stream_parquet *p, const enum col_type *types, size_t n)
{
    size_t row = 1;

    for (size_t i = 0; i < n; i++)
        row += column_width(types[i]) + (types[i] == COL_TEXT ? TEXT_LEN : 0);
    p->batch_rows = stream_batch_bytes() / row;
}

static struct frame *
make_head(struct stream_parquet *p, struct error *err)
{
    size_t n = 0, room = p->info.n_columns;
    const char **names = mem_try_array(room, sizeof *names, err);
    enum col_type *types = mem_try_array(room, sizeof *types, err);
    struct builder *b = NULL;

    if (names && types && find_types(p, names, types, &n, err)) {
        choose_batch(p, types, n);
        b = builder_new(n, names, types, err);
    }
    free(names);
    free(types);
    return b ? builder_finish(b, err) : NULL;
}

static bool
note_left_out(struct stream_parquet *p, struct error *err)
{
    struct builder *b = csv_rejects_new(err);

    if (!b)
        return false;
    if (!source_note_left_out(&p->info, b, &p->n_rejects, err)) {
        builder_free(b);
        return false;
    }
    return (p->rejects = builder_finish(b, err)) != NULL;
}

struct stream *
stream_open_parquet(const struct stream_source *from, struct file_map *m,
                    struct error *err)
{
    struct stream_parquet *p = mem_new(sizeof *p);
    struct frame *head;

    p->map = *m;
    *m = (struct file_map){.data = ""};
    p->stream.pool = from->pool;
    p->stream.progress = from->progress;
    if (!parquet_info_parse(bytes_of(p), &p->info, err) ||
        !note_left_out(p, err) || !(head = make_head(p, err))) {
        parquet_close(&p->stream);
        return NULL;
    }
    stream_init(&p->stream, &parquet_class, head, NULL);
    p->stream.n_rows = p->info.n_rows;
    p->stream.rows_known = true;
    p->stream.pass = p->stream.n_rows;
    stream_expect(&p->stream);
    return &p->stream;
}

/* frame/arrow_in.c -- an Arrow file or stream batch by batch.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/arrow_in.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/arrow_reading.h"

struct arrow_in {
    struct arrow_reading r;
    struct arena schema_arena, dictionary_arena; /* r's is of a batch */
    bool is_file;
    size_t first;              /* byte of the first message behind the schema */
    size_t at;                 /* byte of the next message; of a file, batch */
    size_t n_batches, batches; /* of a file: how many, where in the footer */
    uint64_t n_rows;
    struct frame *head;
};

/* ---- one batch ---- */

static void
forget_batch(struct arrow_in *a)
{
    a->r.file.n_batches = 0;
    a->r.file.n_rows = 0;
    arena_reset(&a->r.file.arena);
}

/* The next message of a stream, with what it brings in its own arena.  *end:
 * there is none. */
static bool
next_message(struct arrow_in *a, bool *end)
{
    struct arrow_file *f = &a->r.file;
    struct str rest = {f->bytes.p + a->at, f->bytes.n - a->at};
    struct arena batch = f->arena;
    size_t used, body;
    struct flat m;
    bool lasts, ok;

    *end = rest.n == 0;
    if (*end)
        return true;
    if (!arrow_message_open(&a->r, rest, &m, &used))
        return false;
    if ((*end = m.s.n == 0))
        return true;
    rest = (struct str){rest.p + used, rest.n - used};
    /* Once found to be damaged, a message tells another kind. */
    lasts = arrow_message_kind(&m) != ARROW_BATCH;
    if (lasts)
        f->arena = a->dictionary_arena;
    ok = arrow_message_read(&a->r, &m, rest, &body);
    if (lasts) {
        a->dictionary_arena = f->arena;
        f->arena = batch;
    }
    a->at += ok ? used + body : 0;
    return ok;
}

/* Bring the next batch in; *end: there is none. */
static bool
next_batch(struct arrow_in *a, bool *end)
{
    forget_batch(a);
    *end = false;
    if (a->is_file) {
        *end = a->at == a->n_batches;
        return *end ||
               arrow_block_read(&a->r, a->batches + a->at++ * ARROW_BLOCK,
                                ARROW_BATCH);
    }
    while (!*end && a->r.file.n_batches == 0)
        if (!next_message(a, end))
            return false;
    return true;
}

bool
arrow_in_next(struct arrow_in *a, struct frame **out, struct error *err)
{
    bool end;

    *out = NULL;
    a->r.err = err;
    if (!next_batch(a, &end))
        return false;
    if (end)
        return true;
    *out = arrow_decode(&a->r);
    return *out != NULL;
}

void
arrow_in_rewind(struct arrow_in *a)
{
    a->at = a->is_file ? 0 : a->first;
    if (a->is_file)
        return;
    /* A stream may begin with additions, which must not join what was its
     * last dictionary. */
    arrow_forget_dictionaries(&a->r);
    arena_reset(&a->dictionary_arena);
}

/* ---- types ---- */

/* Is there a column of unsigned numbers, whose type its values decide? */
static bool
has_uint64(const struct arrow_field *f, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((f[i].kind == ARROW_INT && f[i].bits == 64 && !f[i].is_signed) ||
            has_uint64(f[i].child, f[i].n_children))
            return true;
    return false;
}

/* Float where a batch has one. */
static bool
widen(struct arrow_in *a, const struct frame *f, struct error *err)
{
    for (size_t i = 0; i < frame_cols(f); i++) {
        const struct column *c = frame_column(a->head, i);
        struct column *wide;
        struct frame *head;
        size_t lost;

        if (column_type(frame_column(f, i)) != COL_FLOAT64 ||
            column_type(c) == COL_FLOAT64)
            continue;
        if (!(wide = column_cast(c, COL_FLOAT64, &lost, err)) ||
            !(head = frame_with(a->head, frame_name(a->head, i), wide, err)))
            return false;
        frame_unref(a->head);
        a->head = head;
    }
    return true;
}

static bool
settle_types(struct arrow_in *a, struct error *err)
{
    const struct arrow_schema *s = &a->r.file.schema;
    struct frame *f;
    bool ok = true;

    /* With the last dictionaries, so that damage in them is met though no
     * batch may need them. */
    forget_batch(a);
    if (!(a->head = arrow_decode(&a->r)))
        return false;
    arrow_in_rewind(a);
    while (ok && has_uint64(s->field, s->n_fields) &&
           (ok = arrow_in_next(a, &f, err)) && f) {
        ok = widen(a, f, err);
        frame_unref(f);
        arrow_in_cool(a);
    }
    arrow_in_rewind(a);
    return ok;
}

struct frame *
arrow_in_head(struct arrow_in *a)
{
    return frame_ref(a->head);
}

/* ---- opening ---- */

static bool
open_file(struct arrow_in *a)
{
    struct arrow_reading *r = &a->r;
    size_t root, n, at;

    a->is_file = true;
    if (!arrow_file_open(r))
        return false;
    root = flat_root(&r->footer);
    a->batches = flat_vector(&r->footer, root, ARROW_FOOTER_BATCHES,
                             ARROW_BLOCK, &a->n_batches);
    at = flat_vector(&r->footer, root, ARROW_FOOTER_DICTIONARIES, ARROW_BLOCK,
                     &n);
    a->schema_arena = r->file.arena;
    arena_init(&r->file.arena);
    for (size_t i = 0; i < n; i++) {
        struct arena batch = r->file.arena;
        bool ok;

        r->file.arena = a->dictionary_arena;
        ok = arrow_block_read(r, at + i * ARROW_BLOCK, ARROW_DICTIONARY);
        a->dictionary_arena = r->file.arena;
        r->file.arena = batch;
        if (!ok)
            return false;
    }
    if (!r->footer.bad)
        return true;
    return error_set(r->err, ERR_PARSE, "its footer is damaged");
}

static bool
open_stream(struct arrow_in *a)
{
    struct arrow_reading *r = &a->r;
    struct str rest = r->file.bytes;
    size_t used, body;
    struct flat m;

    if (!arrow_message_open(r, rest, &m, &used) || m.s.n == 0)
        return m.s.n != 0 ? false
                          : error_set(r->err, ERR_PARSE, "it has no schema");
    if (!arrow_message_read(r, &m, (struct str){rest.p + used, rest.n - used},
                            &body))
        return false;
    a->schema_arena = r->file.arena;
    arena_init(&r->file.arena);
    a->first = used + body;
    r->one_version = true;
    return true;
}

/* Once through, with a look at all messages. */
static bool
count_rows(struct arrow_in *a)
{
    bool end;

    for (arrow_in_rewind(a);; a->n_rows += a->r.file.n_rows) {
        if (!next_batch(a, &end))
            return false;
        if (end)
            return true;
    }
}

struct arrow_in *
arrow_in_open(struct file_map *m, struct pool *pool, struct error *err)
{
    struct arrow_in *a = mem_new(sizeof *a);
    struct str s = {m->data, m->len};
    bool ok;

    arrow_reading_init(&a->r, s, pool, NULL, err);
    arena_init(&a->schema_arena);
    arena_init(&a->dictionary_arena);
    ok = (a->r.file.hold = file_hold_new(m, err)) &&
         (str_starts(s, ARROW_MAGIC) ? open_file(a) : open_stream(a)) &&
         count_rows(a) && settle_types(a, err);
    if (ok)
        return a;
    arrow_in_close(a);
    return NULL;
}

void
arrow_in_close(struct arrow_in *a)
{
    struct file_hold *hold;

    if (!a)
        return;
    hold = a->r.file.hold;
    frame_unref(a->head);
    arrow_reading_fini(&a->r);
    arena_fini(&a->schema_arena);
    arena_fini(&a->dictionary_arena);
    file_hold_unref(hold);
    free(a);
}

uint64_t
arrow_in_rows(const struct arrow_in *a)
{
    return a->n_rows;
}

size_t
arrow_in_len(const struct arrow_in *a)
{
    return a->is_file ? a->n_batches : a->r.file.bytes.n;
}

size_t
arrow_in_at(const struct arrow_in *a)
{
    return a->at;
}

void
arrow_in_cool(const struct arrow_in *a)
{
    file_map_cool(file_hold_map(a->r.file.hold), 0, a->r.file.bytes.n);
}

/* frame/stream_spill.c -- batches that wait on the disk.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/stream_spill.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/spill.h"

/* Where the parts of a column lie. */
struct place {
    uint64_t at;      /* values, validity, ends of texts, texts */
    uint32_t n_texts; /* of COL_TEXT */
    bool holes;
    size_t len; /* bytes of the texts */
};

struct batch {
    size_t n_rows;
    struct place *place; /* of each column */
};

struct spilled {
    struct frame *head;
    int fd;
    uint64_t end, n_rows;
    struct batch *batch;
    size_t n, cap;
};

struct spilled *
spilled_new(const struct frame *head, struct error *err)
{
    struct spilled *s = mem_try_array(1, sizeof *s, err);

    if (!s)
        return NULL;
    if ((s->fd = spill_open(err)) < 0) {
        free(s);
        return NULL;
    }
    s->head = frame_ref(head);
    return s;
}

void
spilled_free(struct spilled *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++)
        free(s->batch[i].place);
    free(s->batch);
    frame_unref(s->head);
    close(s->fd);
    free(s);
}

size_t
spilled_count(const struct spilled *s)
{
    return s->n;
}

uint64_t
spilled_rows(const struct spilled *s)
{
    return s->n_rows;
}

/* ---- writing --------------------------------------------------------- */

static bool
append(struct spilled *s, const void *p, size_t len, struct error *err)
{
    if (!spill_append(s->fd, p, len, err))
        return false;
    s->end += len;
    return true;
}

/* The texts that occur, numbered anew: codes, then ends (from 0), then bytes;
 * the caller frees all. */
struct texts {
    uint32_t *map, *code;
    size_t *end, n;
    struct buf bytes;
};

static bool
gather_texts(const struct column *c, struct texts *t, struct error *err)
{
    const struct dict *d = column_dict(c);
    size_t n = column_rows(c), n_dict = dict_count(d);
    size_t most = n_dict < n ? n_dict : n;

    if (!(t->map = mem_try_unset(n_dict, sizeof *t->map, err)) ||
        !(t->code = mem_try_array(n, sizeof *t->code, err)) ||
        !(t->end = mem_try_array(most + 1, sizeof *t->end, err)))
        return false;
    memset(t->map, 0xff, n_dict * sizeof *t->map);
    for (size_t i = 0; i < n; i++) {
        uint32_t code = column_codes(c)[i];

        if (!column_is_valid(c, i))
            continue;
        if (t->map[code] == DICT_NONE) {
            struct str s = dict_text(d, code);

            buf_add(&t->bytes, s.p, s.n);
            t->map[code] = (uint32_t)t->n++;
            t->end[t->n] = t->bytes.len;
        }
        t->code[i] = t->map[code];
    }
    return buf_check(&t->bytes, err);
}

static bool
put_valid(struct spilled *s, const struct column *c, struct place *p,
          struct error *err)
{
    const uint64_t *valid = column_validity(c);

    p->holes = valid;
    return !valid || append(s, valid, (column_rows(c) + 63) / 64 * 8, err);
}

static bool
put_texts(struct spilled *s, const struct column *c, struct place *p,
          struct error *err)
{
    struct texts t = {0};
    bool ok;

    buf_init(&t.bytes);
    ok = gather_texts(c, &t, err) &&
         append(s, t.code, column_rows(c) * sizeof *t.code, err) &&
         put_valid(s, c, p, err) &&
         append(s, t.end, (t.n + 1) * sizeof *t.end, err) &&
         append(s, t.bytes.data, t.bytes.len, err);
    p->n_texts = (uint32_t)t.n;
    p->len = t.bytes.len;
    free(t.map);
    free(t.code);
    free(t.end);
    buf_fini(&t.bytes);
    return ok;
}

bool
spilled_put(struct spilled *s, const struct frame *f, struct error *err)
{
    struct batch *more =
        mem_try_grow(s->batch, s->n, &s->cap, sizeof *more, err);
    struct batch b = {.n_rows = frame_rows(f)};
    bool ok = more;

    if (ok)
        s->batch = more;
    ok = ok && (b.place = mem_try_array(frame_cols(f), sizeof *b.place, err));
    for (size_t i = 0; ok && i < frame_cols(f); i++) {
        const struct column *c = frame_column(f, i);
        struct place *p = &b.place[i];

        p->at = s->end;
        ok = column_type(c) == COL_TEXT
                 ? put_texts(s, c, p, err)
                 : append(s, column_data(c),
                          b.n_rows * column_width(column_type(c)), err) &&
                       put_valid(s, c, p, err);
    }
    if (!ok) {
        free(b.place);
        return false;
    }
    s->batch[s->n++] = b;
    s->n_rows += b.n_rows;
    return true;
}

/* ---- reading --------------------------------------------------------- */

static struct dict *
get_texts(const struct spilled *s, const struct place *p, uint64_t at,
          struct error *err)
{
    size_t head = (p->n_texts + (size_t)1) * sizeof(size_t);
    char *block = mem_try_unset(head + p->len, 1, err);
    struct file_map map;
    struct file_hold *hold;

    if (!block || !spill_read(s->fd, at, block, head + p->len, err)) {
        free(block);
        return NULL;
    }
    if (!file_map_memory(&map, block, head + p->len, err) ||
        !(hold = file_hold_new(&map, err)))
        return NULL;
    return dict_borrow(block + head, (const size_t *)(void *)block, p->n_texts,
                       hold, err);
}

static struct column *
get_column(const struct spilled *s, const struct batch *b, size_t col,
           struct error *err)
{
    const struct place *p = &b->place[col];
    enum col_type type = column_type(frame_column(s->head, col));
    size_t len = b->n_rows * column_width(type);
    size_t words = p->holes ? (b->n_rows + 63) / 64 : 0;
    void *data = mem_try_unset(b->n_rows, column_width(type), err);
    uint64_t *valid = NULL;
    struct dict *dict = NULL;

    if (data && spill_read(s->fd, p->at, data, len, err) &&
        (!words || ((valid = mem_try_array(words, sizeof *valid, err)) &&
                    spill_read(s->fd, p->at + len, valid, words * 8, err))) &&
        (type != COL_TEXT ||
         (dict = get_texts(s, p, p->at + len + words * 8, err))))
        return column_new(type, b->n_rows, data, valid, dict, err);
    free(data);
    free(valid);
    return NULL;
}

struct frame *
spilled_get(const struct spilled *s, size_t batch, struct error *err)
{
    size_t n = frame_cols(s->head), made = 0;
    struct column **c = mem_try_array(n, sizeof(struct column *), err);
    const char **names = c ? mem_try_array(n, sizeof *names, err) : NULL;
    struct frame *out = NULL;

    for (; names && made < n; made++) {
        names[made] = frame_name(s->head, made);
        if (!(c[made] = get_column(s, &s->batch[batch], made, err)))
            break;
    }
    if (names && made == n)
        out = frame_new(s->batch[batch].n_rows, n, names, c, err);
    else
        while (made > 0)
            column_unref(c[--made]);
    free(names);
    free(c);
    return out;
}

/* frame/arrow_codes.c -- columns of codes into dictionaries.
 *
 * A dictionary may be replaced between batches: then codes are translated to
 * those of one dict that holds the texts of all.  Mostly there is one, of
 * different texts, and the codes mean in the frame what they say in the file.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/arrow_decode.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* What the codes of all versions mean in the column. */
struct meaning {
    enum col_type type;
    struct dict *dict;
    uint32_t **map; /* for each version: its codes to those of dict */
};

static void
meaning_fini(struct meaning *m, size_t n)
{
    for (size_t i = 0; m->map && i < n; i++)
        free(m->map[i]);
    free(m->map);
    dict_unref(m->dict);
}

static size_t
version_size(const struct arrow_version *v)
{
    return v->texts ? dict_count(v->texts) : column_rows(v->values);
}

static bool
version_has(const struct arrow_version *v, uint64_t code)
{
    return v->texts || column_is_valid(v->values, code);
}

static bool
map_version(struct meaning *m, const struct arrow_version *v, uint32_t **map,
            struct error *err)
{
    const struct dict *from = v->texts ? v->texts : column_dict(v->values);
    size_t n = version_size(v);
    uint32_t *own = mem_try_array(dict_count(from), sizeof *own, err);
    bool ok = own && (*map = mem_try_array(n, sizeof **map, err)) &&
              dict_add_all(m->dict, from, own, err);

    for (size_t i = 0; ok && i < n; i++)
        if (version_has(v, i))
            (*map)[i] = own[v->texts ? i : column_codes(v->values)[i]];
    free(own);
    return ok;
}

/* A column of dictionaries that differ in type can only come of uint64. */
static bool
find_meaning(const struct arrow_dictionary *dict, struct meaning *m,
             struct error *err)
{
    size_t n = dict->n_versions;

    m->type = dict->version[0].texts ? COL_TEXT
                                     : column_type(dict->version[0].values);
    for (size_t i = 1; i < n; i++)
        if (!dict->version[i].texts &&
            column_type(dict->version[i].values) != m->type)
            return error_set(err, ERR_PARSE,
                             "its dictionaries differ in their type");
    if (m->type != COL_TEXT)
        return true;
    if (!(m->map = mem_try_array(n, sizeof *m->map, err)) ||
        !(m->dict = dict_new(err)))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!map_version(m, &dict->version[i], &m->map[i], err))
            return false;
    return true;
}

static bool
outside(uint64_t code, size_t n, struct error *err)
{
    return error_set(err, ERR_PARSE, "code %llu, its dictionary has %zu values",
                     (unsigned long long)code, n);
}

static bool
put_codes(const struct arrow_field *f, const struct arrow_array *x,
          const struct meaning *mean, struct arrow_making *m, size_t row,
          struct error *err)
{
    const struct arrow_version *v = &f->dict->version[x->version];
    size_t n = x->known, width = column_width(m->type);
    const char *from = mean->map ? NULL : column_data(v->values);

    for (size_t i = 0; i < x->n; i++) {
        uint64_t code;
        char *to = (char *)m->data + (row + i) * width;

        if (!column_bit(m->valid, row + i))
            continue;
        code = (uint64_t)arrow_int(f->index, x, i);
        if (code >= n)
            return outside(code, n, err);
        if (!version_has(v, code))
            m->valid[(row + i) / 64] &= ~(UINT64_C(1) << ((row + i) % 64));
        else if (mean->map)
            memcpy(to, &mean->map[x->version][code], sizeof(uint32_t));
        else
            memcpy(to, from + code * width, width);
    }
    return true;
}

static uint64_t *
all_valid(size_t n, struct error *err)
{
    uint64_t *valid = mem_try_array(arrow_words(n), sizeof *valid, err);

    if (valid)
        arrow_put_ones(valid, 0, n);
    return valid;
}

static struct column *
translate(struct arrow_decode *d, const struct arrow_parts *p, uint64_t *valid)
{
    const struct arrow_field *f = p->field;
    struct meaning mean = {0};
    struct arrow_making m = {.valid = valid};
    struct column *c = NULL;
    size_t row = 0;
    bool ok;

    buf_init(&m.text);
    ok = find_meaning(f->dict, &mean, d->err) &&
         (m.data = mem_try_aligned(p->rows, column_width(mean.type), d->err)) &&
         (m.valid || (m.valid = all_valid(p->rows, d->err)));
    m.type = mean.type;
    for (size_t i = 0; ok && i < p->n; row += p->x[i++]->n) {
        arena_reset(&d->scratch);
        ok = progress_check(d->progress, d->err) &&
             arrow_array_load(d->a, f, p->x[i], &d->scratch, d->err) &&
             put_codes(f, p->x[i], &mean, &m, row, d->err);
    }
    if (ok) {
        m.dict = mean.dict;
        mean.dict = NULL;
        c = arrow_making_end(&m, p->rows, d->err);
    } else {
        arrow_making_fini(&m);
    }
    meaning_fini(&mean, f->dict->n_versions);
    return c;
}

/* Every code of rows begin..end-1 below n, but for those of missing values. */
static bool
check_codes(const uint32_t *codes, size_t begin, size_t end,
            const uint64_t *valid, size_t n, struct error *err)
{
    uint32_t max = 0;

    for (size_t i = begin; i < end; i++)
        max = codes[i] > max ? codes[i] : max;
    if (max < n || begin == end)
        return true;
    for (size_t i = begin; i < end; i++)
        if (codes[i] >= n && column_bit(valid, i))
            return outside(codes[i], n, err);
    return true;
}

/* A batch may use what had come before it of a dictionary that grows. */
static bool
check_parts(const uint32_t *codes, const struct arrow_parts *p,
            const uint64_t *valid, struct error *err)
{
    bool ok = true;

    for (size_t i = 0, row = 0; ok && i < p->n; row += p->x[i++]->n)
        ok = check_codes(codes, row, row + p->x[i]->n, valid, p->x[i]->known,
                         err);
    return ok;
}

/* The codes are 32 bits wide and mean what they say. */
static struct column *
keep_codes(struct arrow_decode *d, const struct arrow_parts *p, uint64_t *valid)
{
    struct dict *dict = p->field->dict->version[0].texts;
    const uint32_t *mapped = arrow_in_place(d, p, sizeof *mapped);
    uint32_t *codes = NULL;
    size_t row = 0;
    bool ok = true;

    if (!mapped && !(codes = mem_try_aligned(p->rows, sizeof *codes, d->err)))
        ok = false;
    for (size_t i = 0; !mapped && ok && i < p->n; row += p->x[i++]->n) {
        arena_reset(&d->scratch);
        ok = progress_check(d->progress, d->err) &&
             arrow_copy_part(d, p->field->index, p->x[i], (char *)(codes + row),
                             sizeof *codes);
    }
    if (!ok || !check_parts(mapped ? mapped : codes, p, valid, d->err)) {
        free(codes);
        free(valid);
        return NULL;
    }
    if (mapped)
        return arrow_borrow(d, COL_TEXT, mapped, p, valid, dict_ref(dict));
    return column_new(COL_TEXT, p->rows, codes, valid, dict_ref(dict), d->err);
}

struct column *
arrow_decode_codes(struct arrow_decode *d, const struct arrow_parts *p,
                   uint64_t *valid)
{
    const struct arrow_field *f = p->field;

    /* No batch, no dictionary. */
    if (f->dict->n_versions == 0) {
        struct arrow_field plain = *f;

        plain.dict = NULL;
        return arrow_convert(d, &(struct arrow_parts){.field = &plain}, valid);
    }
    if (f->dict->n_versions == 1 && f->dict->version[0].texts &&
        f->index->bits == 32)
        return keep_codes(d, p, valid);
    return translate(d, p, valid);
}

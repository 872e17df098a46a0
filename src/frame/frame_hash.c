/* frame/frame_hash.c -- the fingerprint of a table.
 *
 * A hash of hashes: for each column its name, type, validity and values.
 * Codes of text depend on how a dict was filled, so texts are numbered anew
 * in order of first appearance in the column.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "frame/frame.h"

enum { HASH_TEXT = 33 };

static void
add_hash(struct buf *out, const void *p, size_t len)
{
    char hex[HASH_TEXT];

    file_hash(p, len, hex);
    buf_puts(out, hex);
    buf_putc(out, '\n');
}

static bool
add_text(const struct column *c, struct buf *out, struct error *err)
{
    const struct dict *d = column_dict(c);
    const uint32_t *codes = column_codes(c);
    size_t n = column_rows(c), n_seen = 0;
    uint32_t *fresh = mem_try_array(n, sizeof *fresh, err);
    uint32_t *number = mem_try_array(dict_count(d), sizeof *number, err);
    struct buf texts;
    bool ok = fresh && number;

    buf_init(&texts);
    for (size_t i = 0; ok && i < n; i++) {
        if (!column_is_valid(c, i))
            continue;
        if (number[codes[i]] == 0) {
            struct str s = dict_text(d, codes[i]);
            uint64_t len = s.n;

            number[codes[i]] = (uint32_t)++n_seen;
            buf_add(&texts, &len, sizeof len);
            buf_add(&texts, s.p, s.n);
        }
        fresh[i] = number[codes[i]];
    }
    ok = ok && buf_check(&texts, err);
    if (ok) {
        add_hash(out, fresh, n * sizeof *fresh);
        add_hash(out, texts.data, texts.len);
    }
    buf_fini(&texts);
    free(fresh);
    free(number);
    return ok;
}

static bool
add_column(const struct column *c, struct buf *out, struct error *err)
{
    size_t n = column_rows(c);
    enum col_type t = column_type(c);

    if (column_validity(c))
        add_hash(out, column_validity(c), (n + 63) / 64 * sizeof(uint64_t));
    if (t == COL_TEXT)
        return add_text(c, out, err);
    add_hash(out, column_data(c), n * column_width(t));
    return true;
}

bool
frame_fingerprint(const struct frame *f, char out[33], struct error *err)
{
    struct buf b;
    bool ok = true;

    buf_init(&b);
    buf_printf(&b, "lathe frame 1\n%zu rows\n", frame_rows(f));
    for (size_t i = 0; ok && i < frame_cols(f); i++) {
        const char *name = frame_name(f, i);

        buf_printf(&b, "%zu %s %s\n", strlen(name), name,
                   column_type_word(column_type(frame_column(f, i))));
        ok = add_column(frame_column(f, i), &b, err);
    }
    ok = ok && buf_check(&b, err);
    if (ok)
        file_hash(b.data, b.len, out);
    buf_fini(&b);
    return ok;
}

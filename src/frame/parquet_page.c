/* frame/parquet_page.c -- the pages of a column chunk.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/parquet_page.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* What a page may unfold to, lest a small file ask for all the memory: that
 * of any real page, and as much more as packing has ever saved. */
enum { PAGE_FREE_LEN = 64 << 20, PAGE_MAX_RATIO = 4096 };
/* Values that a chunk may promise for each byte it has. */
enum { CHUNK_FREE_VALUES = 1 << 26, CHUNK_MAX_RATIO = 1 << 16 };

static bool
damaged(struct error *err, const char *what)
{
    return error_set(err, ERR_PARSE, "%s", what);
}

bool
pq_room_need(struct pq_room *r, size_t n, struct error *err)
{
    char *p;

    /* Also when nothing is needed there is a place to point to. */
    if (r->p && n <= r->cap)
        return true;
    /* What is there need not be kept. */
    if (!(p = mem_try_resize(NULL, n, 1, err)))
        return false;
    free(r->p);
    r->p = p;
    r->cap = n;
    return true;
}

bool
pq_pages_begin(struct pq_pages *p, struct str file, const struct pq_leaf *l,
               const struct pq_chunk *c, struct error *err)
{
    int64_t at = c->data_offset;
    uint64_t most;

    p->file = file;
    p->leaf = l;
    p->has_dictionary = false;
    if (c->encrypted || !c->has_meta)
        return damaged(err, "the column is encrypted, which is not supported");
    if (c->elsewhere)
        return damaged(err, "the values lie in another file");
    if (c->type != l->element->type)
        return damaged(err, "the column and its values differ in type");
    if (!pq_codec(c->codec, &p->codec))
        return error_set(err, ERR_PARSE,
                         "packed by codec %d%s, which is not "
                         "supported",
                         (int)c->codec, c->codec == 3 ? " (LZO)" : "");
    if (c->dictionary_offset > 0 && c->dictionary_offset < at)
        at = c->dictionary_offset;
    if (at < 0 || (uint64_t)at > file.n || c->n_values < 0)
        return damaged(err, "the values lie outside of the file");
    p->at = (size_t)at;
    most = (file.n - p->at) * (uint64_t)CHUNK_MAX_RATIO + CHUNK_FREE_VALUES;
    if ((uint64_t)c->n_values > most)
        return damaged(err, "more values than the file can hold");
    p->left = (size_t)c->n_values;
    return true;
}

static bool
is_packed(const struct pq_pages *p, const struct pq_page *h)
{
    return p->codec != CODEC_NONE && (h->type != PQ_PAGE_DATA_V2 || h->packed);
}

static bool
holds_texts(const struct pq_page *h)
{
    return h->type == PQ_PAGE_DICTIONARY || h->encoding == PQ_PLAIN;
}

/* Room for a page, to go or to stay. */
static char *
make_room(struct pq_pages *p, const struct pq_page *h, size_t len,
          struct error *err)
{
    struct pq_room *room =
        h->type == PQ_PAGE_DICTIONARY ? p->dictionary : p->page;
    struct pq_stay *s = holds_texts(h) ? p->stay : NULL;

    if (!s)
        return pq_room_need(room, len, err) ? room->p : NULL;
    if (len > s->end - s->at) {
        damaged(err, "a page of more bytes than told");
        return NULL;
    }
    s->at += len;
    return s->block + s->at - len;
}

/* The bytes of one page, from `in` of h->packed_len bytes; `kept` bytes at the
 * start are not packed. */
static bool
unpack(struct pq_pages *p, const struct pq_page *h, struct str in, size_t kept,
       struct str *out, struct error *err)
{
    uint64_t most = (uint64_t)in.n * PAGE_MAX_RATIO + PAGE_FREE_LEN;
    size_t len = is_packed(p, h) ? (size_t)h->plain_len : in.n;
    char *to;

    *out = in;
    if (!is_packed(p, h) && !(p->stay && holds_texts(h)))
        return true;
    if (len > INT32_MAX || len > most || len < kept || in.n < kept)
        return damaged(err, "a page of impossible size");
    if (!(to = make_room(p, h, len, err)))
        return false;
    *out = (struct str){to, len};
    if (!is_packed(p, h))
        kept = len;
    if (kept > 0)
        memcpy(to, in.p, kept);
    /* Nothing may be packed to nothing. */
    if (len == kept)
        return true;
    return codec_decompress(p->codec, (struct str){in.p + kept, in.n - kept},
                            to + kept, len - kept, err);
}

/* Take levels off the start of a page of version 1. */
static bool
take_levels(struct str *bytes, enum pq_encoding encoding, unsigned max,
            size_t n, struct str *out)
{
    unsigned width = 0;
    uint32_t len;

    *out = STR("");
    if (max == 0)
        return true;
    while (max >> width)
        width++;
    if (encoding == PQ_BIT_PACKED) {
        uint64_t bits = (uint64_t)n * width;

        if ((bits + 7) / 8 > bytes->n)
            return false;
        len = (uint32_t)((bits + 7) / 8);
    } else {
        if (encoding != PQ_RLE || bytes->n < sizeof len)
            return false;
        memcpy(&len, bytes->p, sizeof len);
        bytes->p += sizeof len;
        bytes->n -= sizeof len;
        if (len > bytes->n)
            return false;
    }
    *out = (struct str){bytes->p, len};
    bytes->p += len;
    bytes->n -= len;
    return true;
}

static bool
take_apart(struct pq_pages *p, const struct pq_page *h, struct str bytes,
           struct pq_content *out)
{
    const struct pq_leaf *l = p->leaf;

    out->rep_encoding = out->def_encoding = PQ_RLE;
    out->rep = out->def = STR("");
    if (h->type == PQ_PAGE_DATA) {
        out->rep_encoding = h->rep_encoding;
        out->def_encoding = h->def_encoding;
        if (!take_levels(&bytes, h->rep_encoding, l->max_rep, out->n,
                         &out->rep) ||
            !take_levels(&bytes, h->def_encoding, l->max_def, out->n,
                         &out->def))
            return false;
    } else if (h->type == PQ_PAGE_DATA_V2) {
        size_t rep = (size_t)h->rep_len, def = (size_t)h->def_len;

        out->rep = (struct str){bytes.p, rep};
        out->def = (struct str){bytes.p + rep, def};
        bytes.p += rep + def;
        bytes.n -= rep + def;
    }
    out->values = bytes;
    return true;
}

static bool
read_page(struct pq_pages *p, const struct pq_page *h, struct str in,
          struct pq_content *out, struct error *err)
{
    size_t kept = 0;
    struct str bytes;

    if (h->has_crc && codec_crc32(in) != h->crc)
        return damaged(err, "a page is damaged: its checksum differs");
    if (h->type == PQ_PAGE_DATA_V2) {
        if ((uint64_t)h->rep_len > in.n ||
            (uint64_t)h->def_len > in.n - (uint64_t)h->rep_len)
            return damaged(err, "a page of impossible size");
        kept = (size_t)(h->rep_len + h->def_len);
    }
    out->is_dictionary = h->type == PQ_PAGE_DICTIONARY;
    out->n = (size_t)h->n_values;
    out->encoding = h->encoding;
    return unpack(p, h, in, kept, &bytes, err) &&
           (take_apart(p, h, bytes, out) || damaged(err, "damaged levels"));
}

/* The header of the next page that is not an index, and its bytes. */
static bool
next_header(struct pq_pages *p, struct pq_page *h, struct str *in, bool *done,
            struct error *err)
{
    *done = p->left == 0;
    while (p->left > 0) {
        size_t len;

        *in = (struct str){p->file.p + p->at, p->file.n - p->at};
        if (!pq_page_read(*in, h, &len))
            return damaged(err, "a page header is damaged");
        *in = (struct str){in->p + len, (size_t)h->packed_len};
        p->at += len + in->n;
        if (h->type == PQ_PAGE_INDEX)
            continue;
        if (h->type == PQ_PAGE_DICTIONARY) {
            if (p->has_dictionary)
                return damaged(err, "two dictionaries in a column");
            p->has_dictionary = true;
            return true;
        }
        if ((uint64_t)h->n_values > p->left)
            return damaged(err, "more values than told");
        p->left -= (size_t)h->n_values;
        return true;
    }
    return false;
}

bool
pq_pages_next(struct pq_pages *p, struct pq_content *out, bool *done,
              struct error *err)
{
    struct pq_page h;
    struct str in;

    return next_header(p, &h, &in, done, err) && read_page(p, &h, in, out, err);
}

bool
pq_pages_survey(struct pq_pages *p, struct pq_survey *s)
{
    struct pq_page h;
    struct error none;
    struct str in;
    bool done;

    while (next_header(p, &h, &in, &done, &none)) {
        if (!holds_texts(&h)) {
            s->others |= h.encoding != PQ_RLE_DICTIONARY &&
                         h.encoding != PQ_PLAIN_DICTIONARY;
            continue;
        }
        s->others |= h.plain_len > INT32_MAX;
        s->stay_len += is_packed(p, &h) ? (size_t)h.plain_len : in.n;
        s->packed_len += in.n;
        s->n_texts += (size_t)h.n_values;
    }
    return done;
}

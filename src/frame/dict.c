/* frame/dict.c -- distinct texts and their codes.
 *
 * Texts lie end to end in one block; end[code] is where each ends.  The table
 * is open addressing over slots of 64 bits: a 32-bit hash, then code + 1, so
 * that most probes end without a look at the text and the table can grow
 * without hashing anew.  A dict over a mapping has no table until someone
 * looks for a text; the first to look makes it, under a lock.  A dict over a
 * block has place[code] instead of end[code], and copies no text.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/dict.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/order.h"

enum { FIRST_SLOTS = 16, FIRST_BYTES = 64, SMALL = 1024 };
enum { GROUP = 64 }; /* texts that are looked up together */
enum { WIDE = 16 };  /* slots for each text that are too many to keep */

struct dict {
    atomic_size_t refs;
    char *bytes;
    size_t n_bytes, cap_bytes;
    size_t *end;     /* end[code]; the start is end[code - 1] or 0 */
    uint32_t *place; /* over a block of cap_bytes: instead of end */
    size_t n, cap;
    uint64_t *slot;         /* 0: free; else hash << 32 | code + 1 */
    size_t n_slots;         /* a power of two, at least 2 n */
    struct file_hold *hold; /* NULL: bytes and end are its own */
    pthread_mutex_t lock;   /* over making the table when first needed */
    atomic_bool indexed;    /* slot may be read */
};

static uint64_t
mix(uint64_t a, uint64_t b)
{
    uint64_t x = (a ^ b) * UINT64_C(0x9e3779b97f4a7c15);

    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    return x ^ x >> 29;
}

static inline uint64_t
load64(const char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    return v;
}

/* The n bytes at p, 1 to 8 of them, in one word: any way will do that differs
 * when they do and n is the same. */
static inline uint64_t
load_short(const char *p, size_t n)
{
    uint32_t a, b;

    if (n == 8)
        return load64(p);
    if (n < 4)
        return (uint64_t)(unsigned char)p[0] << 16 |
               (uint64_t)(unsigned char)p[n / 2] << 8 | (unsigned char)p[n - 1];
    memcpy(&a, p, sizeof a);
    memcpy(&b, p + n - 4, sizeof b);
    return (uint64_t)a << 32 | b;
}

/* Are these n bytes the same?  Most texts are short. */
static inline bool
same_bytes(const char *p, const char *q, size_t n)
{
    if (n <= 8)
        return n == 0 || load_short(p, n) == load_short(q, n);
    if (n <= 16)
        return load64(p) == load64(q) && load64(p + n - 8) == load64(q + n - 8);
    return memcmp(p, q, n) == 0;
}

static uint32_t
hash_text(struct str s)
{
    uint64_t h = s.n * UINT64_C(0xa0761d6478bd642f);

    if (s.n <= 8)
        return (uint32_t)(mix(h, s.n > 0 ? load_short(s.p, s.n) : 1) >> 32);
    for (size_t i = 0; i + 8 < s.n; i += 8)
        h = mix(h, load64(s.p + i));
    return (uint32_t)(mix(h, load64(s.p + s.n - 8)) >> 32);
}

struct dict *
dict_new(struct error *err)
{
    struct dict *d = mem_try_array(1, sizeof *d, err);

    if (!d)
        return NULL;
    atomic_init(&d->refs, 1);
    if (!(d->slot = mem_try_array(FIRST_SLOTS, sizeof *d->slot, err))) {
        free(d);
        return NULL;
    }
    d->n_slots = FIRST_SLOTS;
    atomic_init(&d->indexed, true);
    return d;
}

struct dict *
dict_borrow(const char *bytes, const size_t *offset, size_t n,
            struct file_hold *hold, struct error *err)
{
    struct dict *d = mem_try_array(1, sizeof *d, err);

    assert(offset[0] == 0 && n < DICT_NONE);
    if (!d) {
        file_hold_unref(hold);
        return NULL;
    }
    atomic_init(&d->refs, 1);
    d->bytes = (char *)(uintptr_t)bytes;
    d->end = (size_t *)(uintptr_t)(offset + 1);
    d->n = d->cap = n;
    d->n_bytes = d->cap_bytes = offset[n];
    d->hold = hold;
    pthread_mutex_init(&d->lock, NULL);
    return d;
}

static size_t
slots_for(size_t n)
{
    size_t n_slots = FIRST_SLOTS;

    while (n_slots / 2 <= n)
        n_slots *= 2;
    return n_slots;
}

struct dict *
dict_over_block(char *block, size_t len, size_t n, struct error *err)
{
    struct dict *d = mem_try_array(1, sizeof *d, err);

    assert(len <= UINT32_MAX && n < DICT_NONE);
    if (!d) {
        free(block);
        return NULL;
    }
    atomic_init(&d->refs, 1);
    d->bytes = block;
    d->cap_bytes = len;
    d->cap = n;
    pthread_mutex_init(&d->lock, NULL);
    if ((d->place = mem_try_unset(n, sizeof *d->place, err)) &&
        (d->slot = mem_try_unset(slots_for(n), sizeof *d->slot, err)))
        return d;
    dict_unref(d);
    return NULL;
}

struct dict *
dict_ref(const struct dict *d)
{
    struct dict *mine = (struct dict *)(uintptr_t)d;

    atomic_fetch_add_explicit(&mine->refs, 1, memory_order_relaxed);
    return mine;
}

void
dict_unref(struct dict *d)
{
    if (!d || atomic_fetch_sub_explicit(&d->refs, 1, memory_order_acq_rel) > 1)
        return;
    if (d->hold) {
        file_hold_unref(d->hold);
    } else {
        free(d->bytes);
        free(d->end);
    }
    if (d->hold || d->place)
        pthread_mutex_destroy(&d->lock);
    free(d->place);
    free(d->slot);
    free(d);
}

bool
dict_whole(const struct dict *d, struct error *err)
{
    return file_hold_whole(d->hold, err);
}

static inline struct str
text_at(const struct dict *d, uint32_t place)
{
    uint32_t n;

    memcpy(&n, d->bytes + place - sizeof n, sizeof n);
    return n > 0 ? (struct str){d->bytes + place, n} : STR("");
}

static inline struct str
text_of(const struct dict *d, uint32_t code)
{
    size_t begin;

    if (d->place)
        return text_at(d, d->place[code]);
    begin = code > 0 ? d->end[code - 1] : 0;
    if (d->end[code] == begin)
        return STR("");
    return (struct str){d->bytes + begin, d->end[code] - begin};
}

struct str
dict_text(const struct dict *d, uint32_t code)
{
    assert(code < d->n);
    return text_of(d, code);
}

/* Where the search for a hash begins.  Its upper bits decide, so that a table
 * twice as large has the same texts in the same order: it is filled from the
 * old one by walking through both. */
static inline size_t
home(uint32_t hash, size_t n_slots)
{
    return (size_t)((uint64_t)hash * n_slots >> 32);
}

/* The slot that holds s, or the free one where it belongs. */
static inline uint64_t *
probe(const struct dict *d, struct str s, uint32_t hash)
{
    size_t mask = d->n_slots - 1;
    size_t at = home(hash, d->n_slots);

    for (;; at = (at + 1) & mask) {
        uint64_t v = d->slot[at];

        if (v == 0)
            return &d->slot[at];
        if (v >> 32 == hash) {
            struct str here = text_of(d, (uint32_t)v - 1);

            if (here.n == s.n && same_bytes(here.p, s.p, s.n))
                return &d->slot[at];
        }
    }
}

/* Small ones grow faster: threads make thousands of them for their shares. */
static size_t
grown(size_t n)
{
    return n < SMALL ? n * 4 : n * 2;
}

static bool
grow_slots(struct dict *d, struct error *err)
{
    size_t n_old = d->n_slots, n = grown(n_old);
    uint64_t *old = d->slot, *slot = mem_try_table(n, sizeof *slot, err);

    if (!slot)
        return false;
    d->slot = slot;
    d->n_slots = n;
    for (size_t i = 0; i < n_old; i++) {
        size_t at = home((uint32_t)(old[i] >> 32), n);

        if (old[i] == 0)
            continue;
        while (slot[at])
            at = (at + 1) & (n - 1);
        slot[at] = old[i];
    }
    free(old);
    return true;
}

static bool
reserve(struct dict *d, size_t len, struct error *err)
{
    size_t *end = mem_try_grow(d->end, d->n, &d->cap, sizeof *end, err);

    if (!end)
        return false;
    d->end = end;
    if (len > d->cap_bytes - d->n_bytes) {
        size_t cap = d->cap_bytes ? grown(d->cap_bytes) : FIRST_BYTES;
        char *bytes;

        if (cap < d->n_bytes + len)
            cap = d->n_bytes + len;
        if (!(bytes = mem_try_resize(d->bytes, cap, 1, err)))
            return false;
        d->bytes = bytes;
        d->cap_bytes = cap;
    }
    return d->n_slots / 2 > d->n || grow_slots(d, err);
}

static bool
add_hashed(struct dict *d, struct str s, uint32_t hash, uint32_t *code,
           struct error *err)
{
    uint64_t *slot = probe(d, s, hash);
    size_t n_slots = d->n_slots;

    if (*slot) {
        *code = (uint32_t)*slot - 1;
        return true;
    }
    if (d->n == DICT_NONE)
        return error_set(err, ERR_LIMIT, "more than %lu different texts",
                         (unsigned long)DICT_NONE);
    if (!reserve(d, s.n, err))
        return false;
    if (n_slots != d->n_slots)
        slot = probe(d, s, hash);
    if (s.n > 0)
        memcpy(d->bytes + d->n_bytes, s.p, s.n);
    d->n_bytes += s.n;
    d->end[d->n] = d->n_bytes;
    *code = (uint32_t)d->n++;
    *slot = (uint64_t)hash << 32 | d->n;
    return true;
}

bool
dict_add(struct dict *d, struct str s, uint32_t *code, struct error *err)
{
    assert(!d->hold && !d->place);
    return add_hashed(d, s, hash_text(s), code, err);
}

uint32_t
dict_hash(struct str s)
{
    return hash_text(s);
}

/* A look-up touches a slot, then where the text lies, then the text, each far
 * from the last one in a large dict.  A group of texts goes through these
 * steps together, so that the waits overlap. */
static void
fetch_ahead(const struct dict *d, const uint32_t *hash, size_t n)
{
    size_t n_slots = d->n_slots;

    for (size_t i = 0; i < n; i++)
        PREFETCH(&d->slot[home(hash[i], n_slots)]);
    for (size_t i = 0; i < n; i++) {
        uint64_t v = d->slot[home(hash[i], n_slots)];

        if (v >> 32 != hash[i] || (uint32_t)v < 2)
            continue;
        if (d->place)
            PREFETCH(&d->place[(uint32_t)v - 1]);
        else
            PREFETCH(&d->end[(uint32_t)v - 2]);
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t v = d->slot[home(hash[i], n_slots)];

        if (v >> 32 == hash[i] && (uint32_t)v > 1)
            PREFETCH(d->bytes + (d->place ? d->place[(uint32_t)v - 1]
                                          : d->end[(uint32_t)v - 2]));
    }
}

bool
dict_add_hashed(struct dict *d, const struct str *s, const uint32_t *hash,
                size_t n, uint32_t *codes, struct error *err)
{
    assert(!d->hold && !d->place);
    for (size_t at = 0, m; at < n; at += m) {
        m = n - at < GROUP ? n - at : GROUP;
        fetch_ahead(d, hash + at, m);
        for (size_t i = at; i < at + m; i++)
            if (!add_hashed(d, s[i], hash[i], &codes[i], err))
                return false;
    }
    return true;
}

bool
dict_add_many(struct dict *d, const struct str *s, size_t n, uint32_t *codes,
              struct error *err)
{
    uint32_t hash[GROUP];

    for (size_t at = 0, m; at < n; at += m) {
        m = n - at < GROUP ? n - at : GROUP;
        for (size_t i = 0; i < m; i++)
            hash[i] = hash_text(s[at + i]);
        if (!dict_add_hashed(d, s + at, hash, m, codes + at, err))
            return false;
    }
    return true;
}

/* The table is for as many texts as may come, whoever adds the first. */
static void
open_table(struct dict *d)
{
    d->n_slots = slots_for(d->cap);
    memset(d->slot, 0, d->n_slots * sizeof *d->slot);
    atomic_store_explicit(&d->indexed, true, memory_order_release);
}

static void
add_placed(struct dict *d, struct str s, uint32_t hash, uint32_t place,
           uint32_t *code)
{
    uint64_t *slot = probe(d, s, hash);

    if (*slot) {
        *code = (uint32_t)*slot - 1;
        return;
    }
    assert(d->n < d->cap);
    d->n_bytes += s.n;
    d->place[d->n] = place;
    *code = (uint32_t)d->n++;
    *slot = (uint64_t)hash << 32 | d->n;
}

void
dict_add_placed(struct dict *d, const uint32_t *place, size_t n,
                uint32_t *codes)
{
    assert(d->place);
    if (d->n_slots == 0)
        open_table(d);
    for (size_t at = 0, m; at < n; at += m) {
        struct str s[GROUP];
        uint32_t hash[GROUP];

        m = n - at < GROUP ? n - at : GROUP;
        for (size_t i = 0; i < m; i++) {
            s[i] = text_at(d, place[at + i]);
            hash[i] = hash_text(s[i]);
        }
        fetch_ahead(d, hash, m);
        for (size_t i = 0; i < m; i++)
            add_placed(d, s[i], hash[i], place[at + i], &codes[at + i]);
    }
}

/* A table far too wide is let go: who looks for a text makes one that fits. */
static void
trim_placed(struct dict *d)
{
    if (d->n_slots > 0 && d->n_slots / WIDE <= d->n)
        return;
    free(d->slot);
    d->slot = NULL;
    d->n_slots = 0;
    atomic_store_explicit(&d->indexed, false, memory_order_release);
}

/* A failure changes nothing. */
void
dict_trim(struct dict *d)
{
    struct error none;
    void *p;

    assert(!d->hold);
    if (d->place) {
        trim_placed(d);
        return;
    }
    if (d->n > 0 && d->n < d->cap &&
        (p = mem_try_resize(d->end, d->n, sizeof *d->end, &none))) {
        d->end = p;
        d->cap = d->n;
    }
    if (d->n_bytes > 0 && d->n_bytes < d->cap_bytes &&
        (p = mem_try_resize(d->bytes, d->n_bytes, 1, &none))) {
        d->bytes = p;
        d->cap_bytes = d->n_bytes;
    }
}

bool
dict_add_all(struct dict *d, const struct dict *from, uint32_t *map,
             struct error *err)
{
    enum { BATCH = 512 };
    struct str s[BATCH];

    for (size_t i = 0; i < from->n; i += BATCH) {
        size_t n = from->n - i < BATCH ? from->n - i : BATCH;

        for (size_t k = 0; k < n; k++)
            s[k] = dict_text(from, (uint32_t)(i + k));
        if (!dict_add_many(d, s, n, map + i, err))
            return false;
    }
    return true;
}

/* The table of a dict without one, when there is memory for it. */
static bool
make_table(struct dict *d)
{
    struct error none;
    size_t n_slots = slots_for(d->n);
    uint64_t *slot;

    if (!(slot = mem_try_table(n_slots, sizeof *slot, &none)))
        return false;
    for (size_t i = 0; i < d->n; i++) {
        uint32_t hash = hash_text(dict_text(d, (uint32_t)i));
        size_t at = home(hash, n_slots);

        while (slot[at])
            at = (at + 1) & (n_slots - 1);
        slot[at] = (uint64_t)hash << 32 | (i + 1);
    }
    d->slot = slot;
    d->n_slots = n_slots;
    atomic_store_explicit(&d->indexed, true, memory_order_release);
    return true;
}

static bool
has_table(const struct dict *d)
{
    struct dict *mine = (struct dict *)(uintptr_t)d;
    bool ok;

    if (atomic_load_explicit(&mine->indexed, memory_order_acquire))
        return true;
    pthread_mutex_lock(&mine->lock);
    ok = mine->slot || make_table(mine);
    pthread_mutex_unlock(&mine->lock);
    return ok;
}

uint32_t
dict_find(const struct dict *d, struct str s)
{
    uint64_t v;

    if (has_table(d)) {
        v = *probe(d, s, hash_text(s));
        return v ? (uint32_t)v - 1 : DICT_NONE;
    }
    for (size_t i = 0; i < d->n; i++)
        if (str_eq(dict_text(d, (uint32_t)i), s))
            return (uint32_t)i;
    return DICT_NONE;
}

void
dict_find_range(const struct dict *d, const struct dict *from, size_t begin,
                size_t end, uint32_t *map)
{
    bool table = has_table(d);

    for (; begin < end; begin += GROUP) {
        size_t n = end - begin < GROUP ? end - begin : GROUP;
        struct str s[GROUP];
        uint32_t hash[GROUP];

        for (size_t i = 0; i < n; i++) {
            s[i] = dict_text(from, (uint32_t)(begin + i));
            hash[i] = hash_text(s[i]);
        }
        if (table)
            fetch_ahead(d, hash, n);
        for (size_t i = 0; i < n; i++) {
            uint64_t v = table ? *probe(d, s[i], hash[i]) : 0;

            map[begin + i] = table ? (uint32_t)v - 1 : dict_find(d, s[i]);
        }
    }
}

bool
dict_block(const struct dict *d, struct str *block, const size_t **end)
{
    *end = d->end;
    *block = (struct str){d->n_bytes ? d->bytes : "", d->n_bytes};
    return !d->place;
}

size_t
dict_len(const struct dict *d)
{
    return d->n_bytes;
}

size_t
dict_count(const struct dict *d)
{
    return d->n;
}

size_t
dict_bytes(const struct dict *d)
{
    size_t n = d->place ? d->n * sizeof *d->place : d->cap * sizeof *d->end;

    return sizeof *d + d->cap_bytes + n + d->n_slots * sizeof *d->slot;
}

/* ---- order ---- */

struct ranked {
    struct str text;
    uint32_t code;
};

/* Texts differ, so the order is total. */
static int
by_text(const void *a, const void *b)
{
    return str_cmp(((const struct ranked *)a)->text,
                   ((const struct ranked *)b)->text);
}

/* Codes in the order of their texts: by radix over eight bytes at a time. */
struct ranking {
    const struct dict *d;
    uint32_t *code, *code2;
    uint64_t *key, *key2;
    struct ranked *few; /* FEW_TEXTS of them */
    const struct progress *progress;
};

/* Texts that agree in DEEP bytes are compared whole, and so are a few. */
enum { FEW_TEXTS = 64, DEEP = 64 };

static uint64_t
bytes_at(struct str s, size_t depth)
{
    size_t n = s.n - depth < 8 ? s.n - depth : 8;
    uint64_t key = 0;

    for (size_t i = 0; i < n; i++)
        key |= (uint64_t)(unsigned char)s.p[depth + i] << (56 - 8 * i);
    return key;
}

static bool
compare_texts(const struct ranking *r, size_t begin, size_t n,
              struct error *err)
{
    struct ranked *list = r->few;

    if (n > FEW_TEXTS && !(list = mem_try_array(n, sizeof *list, err)))
        return false;
    for (size_t i = 0; i < n; i++)
        list[i] = (struct ranked){text_of(r->d, r->code[begin + i]),
                                  r->code[begin + i]};
    qsort(list, n, sizeof *list, by_text);
    for (size_t i = 0; i < n; i++)
        r->code[begin + i] = list[i].code;
    if (list != r->few)
        free(list);
    return true;
}

/* Sort the codes begin..begin + n, whose texts are alike up to depth and not
 * shorter.  The arrays of r are where they were when it returns. */
static bool
rank_range(const struct ranking *r, size_t begin, size_t n, size_t depth,
           struct error *err)
{
    uint64_t *key = r->key + begin, *key2 = r->key2 + begin;
    uint32_t *code = r->code + begin, *code2 = r->code2 + begin;
    bool ended = false;

    for (size_t i = 0; i < n; i++)
        ended = ended || text_of(r->d, code[i]).n < depth;
    if (n <= FEW_TEXTS || depth >= DEEP || ended)
        return n < 2 || compare_texts(r, begin, n, err);
    for (size_t i = 0; i < n; i++)
        key[i] = bytes_at(text_of(r->d, code[i]), depth);
    order_sort_ids(&key, &code, &key2, &code2, n, r->progress);
    if (!progress_check(r->progress, err))
        return false;
    if (code != r->code + begin) {
        memcpy(r->code + begin, code, n * sizeof *code);
        memcpy(r->key + begin, key, n * sizeof *key);
    }
    /* Deeper ranges overwrite their own keys alone. */
    for (size_t i = 0, end; i < n; i = end) {
        uint64_t same = r->key[begin + i];

        for (end = i + 1; end < n && r->key[begin + end] == same; end++)
            ;
        if (end - i > 1 && !rank_range(r, begin + i, end - i, depth + 8, err))
            return false;
    }
    return true;
}

bool
dict_ranks(const struct dict *d, uint32_t *rank,
           const struct progress *progress, struct error *err)
{
    struct ranking r = {.d = d, .progress = progress};
    bool ok = (r.code = mem_try_unset(d->n, sizeof *r.code, err)) &&
              (r.code2 = mem_try_unset(d->n, sizeof *r.code2, err)) &&
              (r.key = mem_try_unset(d->n, sizeof *r.key, err)) &&
              (r.key2 = mem_try_unset(d->n, sizeof *r.key2, err)) &&
              (r.few = mem_try_array(FEW_TEXTS, sizeof *r.few, err));

    for (size_t i = 0; ok && i < d->n; i++)
        r.code[i] = (uint32_t)i;
    ok = ok && rank_range(&r, 0, d->n, 0, err);
    for (size_t i = 0; ok && i < d->n; i++)
        rank[r.code[i]] = (uint32_t)i;
    free(r.code);
    free(r.code2);
    free(r.key);
    free(r.key2);
    free(r.few);
    return ok;
}

/* Kernels over texts.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "frame/expr_plan.h"

/* A text a kernel makes: nested replace() would grow without bound. */
enum { MAX_VALUE = 1 << 20 };

#define KERNEL(name)                                                      \
    bool name(const struct step *s, const struct vec *const *a, size_t n, \
              struct vec *out, struct arena *mem, struct error *err)

static bool
is_set(const struct vec *v, size_t i)
{
    return v->valid[i / 64] >> (i % 64) & 1;
}

static void
valid_all(struct vec *out, const struct vec *const *a, size_t n_args)
{
    memcpy(out->valid, a[0]->valid, sizeof out->valid);
    for (size_t k = 1; k < n_args; k++)
        for (size_t w = 0; w < EXPR_WORDS; w++)
            out->valid[w] &= a[k]->valid[w];
}

static bool
check_length(size_t len, struct error *err)
{
    if (len <= MAX_VALUE)
        return true;
    return error_set(err, ERR_LIMIT, "a text of %zu bytes, at most %d", len,
                     MAX_VALUE);
}

KERNEL(k_matches)
{
    const struct str *x = v_text(a[0]);
    uint8_t *o = out->own;

    (void)mem;
    valid_all(out, a, 1);
    for (size_t i = 0; i < n; i++) {
        bool found = false;

        if (is_set(out, i) && !regex_find(s->regex, x[i], &found, 0, NULL, err))
            return false;
        o[i] = found;
    }
    return true;
}

/* Group number `option`; missing where the pattern does not match. */
KERNEL(k_extract)
{
    const struct str *x = v_text(a[0]);
    struct str *o = out->own;

    (void)mem;
    valid_all(out, a, 1);
    for (size_t i = 0; i < n; i++) {
        bool found = false;

        o[i] = (struct str){"", 0};
        if (!is_set(out, i))
            continue;
        if (!regex_find(s->regex, x[i], &found, (unsigned)s->option, &o[i],
                        err))
            return false;
        if (!found)
            out->valid[i / 64] &= ~((uint64_t)1 << (i % 64));
    }
    return true;
}

KERNEL(k_replace_matches)
{
    const struct str *x = v_text(a[0]), *to = v_text(a[1]);
    struct str *o = out->own;
    struct buf text;
    bool ok = true;

    buf_init(&text);
    valid_all(out, a, 2);
    for (size_t i = 0; ok && i < n; i++) {
        char *p;

        o[i] = (struct str){"", 0};
        if (!is_set(out, i))
            continue;
        buf_clear(&text);
        ok = regex_replace(s->regex, x[i], to[i], MAX_VALUE, &text, err) &&
             (p = arena_try(mem, text.len + 1, 1, err));
        if (ok) {
            memcpy(p, text.data, text.len);
            o[i] = (struct str){p, text.len};
        }
    }
    buf_fini(&text);
    return ok;
}

static bool
change_case(struct str x, uint32_t change(uint32_t), struct str *out,
            struct arena *mem, struct error *err)
{
    /* A letter and its other case may differ in length, by a byte at most. */
    char *p = arena_try(mem, 4 * x.n + 1, 1, err);
    size_t at = 0, len = 0;
    int32_t cp;

    if (!p)
        return false;
    while ((cp = str_next(x, &at)) >= 0)
        len += str_put_utf8(change((uint32_t)cp), p + len);
    *out = (struct str){p, len};
    return check_length(len, err);
}

static bool
map_case(const struct vec *const *a, size_t n, struct vec *out,
         uint32_t change(uint32_t), struct arena *mem, struct error *err)
{
    const struct str *x = v_text(a[0]);
    struct str *o = out->own;

    valid_all(out, a, 1);
    for (size_t i = 0; i < n; i++) {
        o[i] = x[i];
        if (is_set(out, i) && !change_case(x[i], change, &o[i], mem, err))
            return false;
    }
    return true;
}

KERNEL(k_lower)
{
    (void)s;
    return map_case(a, n, out, str_cp_lower, mem, err);
}

KERNEL(k_upper)
{
    (void)s;
    return map_case(a, n, out, str_cp_upper, mem, err);
}

KERNEL(k_trim)
{
    const struct str *x = v_text(a[0]);
    struct str *o = out->own;

    (void)s;
    (void)mem;
    (void)err;
    valid_all(out, a, 1);
    for (size_t i = 0; i < n; i++)
        o[i] = str_trim(x[i]);
    return true;
}

KERNEL(k_length)
{
    const struct str *x = v_text(a[0]);
    int64_t *o = out->own;

    (void)s;
    (void)mem;
    (void)err;
    valid_all(out, a, 1);
    for (size_t i = 0; i < n; i++) {
        size_t at = 0;

        o[i] = 0;
        while (str_next(x[i], &at) >= 0)
            o[i]++;
    }
    return true;
}

static bool
contains(struct str x, struct str part)
{
    return !part.n || (x.n && memmem(x.p, x.n, part.p, part.n));
}

static bool
starts_with(struct str x, struct str part)
{
    return x.n >= part.n && (!part.n || !memcmp(x.p, part.p, part.n));
}

static bool
ends_with(struct str x, struct str part)
{
    return x.n >= part.n &&
           (!part.n || !memcmp(x.p + x.n - part.n, part.p, part.n));
}

static bool
map_test(const struct vec *const *a, size_t n, struct vec *out,
         bool test(struct str, struct str))
{
    const struct str *x = v_text(a[0]), *part = v_text(a[1]);
    uint8_t *o = out->own;

    valid_all(out, a, 2);
    for (size_t i = 0; i < n; i++)
        o[i] = is_set(out, i) && test(x[i], part[i]);
    return true;
}

KERNEL(k_contains)
{
    (void)s;
    (void)mem;
    (void)err;
    return map_test(a, n, out, contains);
}

KERNEL(k_starts_with)
{
    (void)s;
    (void)mem;
    (void)err;
    return map_test(a, n, out, starts_with);
}

KERNEL(k_ends_with)
{
    (void)s;
    (void)mem;
    (void)err;
    return map_test(a, n, out, ends_with);
}

static size_t
count_parts(struct str x, struct str part)
{
    size_t count = 0;
    const char *p = x.p, *end = x.p + x.n;

    while (p < end && (p = memmem(p, (size_t)(end - p), part.p, part.n))) {
        p += part.n;
        count++;
    }
    return count;
}

/* Every `from`, left to right, becomes `to`; an empty `from` changes nothing. */
static bool
replace(struct str x, struct str from, struct str to, struct str *out,
        struct arena *mem, struct error *err)
{
    size_t count = from.n && x.n ? count_parts(x, from) : 0, len = 0;
    const char *p = x.p, *end = x.p + x.n, *hit;
    char *o;

    *out = x;
    if (!count)
        return true;
    if (!check_length(x.n - count * from.n + count * to.n, err) ||
        !(o = arena_try(mem, x.n - count * from.n + count * to.n + 1, 1, err)))
        return false;
    for (; (hit = memmem(p, (size_t)(end - p), from.p, from.n));
         p = hit + from.n) {
        memcpy(o + len, p, (size_t)(hit - p));
        len += (size_t)(hit - p);
        if (to.n)
            memcpy(o + len, to.p, to.n);
        len += to.n;
        if (!--count) {
            p = hit + from.n;
            break;
        }
    }
    memcpy(o + len, p, (size_t)(end - p));
    *out = (struct str){o, len + (size_t)(end - p)};
    return true;
}

KERNEL(k_replace)
{
    const struct str *x = v_text(a[0]), *from = v_text(a[1]),
                     *to = v_text(a[2]);
    struct str *o = out->own;

    (void)s;
    valid_all(out, a, 3);
    for (size_t i = 0; i < n; i++) {
        o[i] = (struct str){"", 0};
        if (is_set(out, i) && !replace(x[i], from[i], to[i], &o[i], mem, err))
            return false;
    }
    return true;
}

static bool
join(const struct vec *const *a, size_t n_args, size_t i, struct str *out,
     struct arena *mem, struct error *err)
{
    size_t len = 0;
    char *p;

    for (size_t k = 0; k < n_args; k++)
        len += v_text(a[k])[i].n;
    if (!check_length(len, err) || !(p = arena_try(mem, len + 1, 1, err)))
        return false;
    *out = (struct str){p, len};
    for (size_t k = 0; k < n_args; k++) {
        struct str part = v_text(a[k])[i];

        if (part.n)
            memcpy(p, part.p, part.n);
        p += part.n;
    }
    return true;
}

KERNEL(k_concat)
{
    struct str *o = out->own;

    valid_all(out, a, s->n_args);
    for (size_t i = 0; i < n; i++) {
        o[i] = (struct str){"", 0};
        if (is_set(out, i) && !join(a, s->n_args, i, &o[i], mem, err))
            return false;
    }
    return true;
}

/* ---- parts ----------------------------------------------------------- */

static int64_t
count_characters(struct str x)
{
    size_t at = 0;
    int64_t n = 0;

    while (str_next(x, &at) >= 0)
        n++;
    return n;
}

/* Byte at which character number `n`, from 0, begins. */
static size_t
byte_of(struct str x, int64_t n)
{
    size_t at = 0;

    while (n-- > 0 && str_next(x, &at) >= 0)
        ;
    return at;
}

/* From character `start`, 1 being the first and -1 the last; 0 is none. */
static bool
substr(struct str x, int64_t start, int64_t n, struct str *out)
{
    size_t begin, len;

    if (start == 0 || n < 0)
        return false;
    if (start < 0) {
        int64_t from_end = count_characters(x) + start;

        start = from_end < 0 ? 1 : from_end + 1;
    }
    begin = byte_of(x, start - 1);
    *out = (struct str){x.p + begin, x.n - begin};
    len = byte_of(*out, n);
    out->n = len;
    return true;
}

KERNEL(k_substr)
{
    const struct str *x = v_text(a[0]);
    struct str *o = out->own;

    (void)mem;
    (void)err;
    valid_all(out, a, s->n_args);
    for (size_t i = 0; i < n; i++) {
        o[i] = (struct str){"", 0};
        if (is_set(out, i) &&
            !substr(x[i], v_int(a[1])[i],
                    s->n_args > 2 ? v_int(a[2])[i] : INT64_MAX, &o[i]))
            out->valid[i / 64] &= ~((uint64_t)1 << (i % 64));
    }
    return true;
}

/* Part number n between separators, -1 the last; false when there is none. */
static bool
split_part(struct str x, struct str by, int64_t n, struct str *out)
{
    const char *p = x.p, *end = x.p + x.n, *hit;

    if (n < 0)
        n += (int64_t)(by.n && x.n ? count_parts(x, by) : 0) + 2;
    if (n < 1)
        return false;
    while (--n > 0) {
        if (!by.n || p == end ||
            !(hit = memmem(p, (size_t)(end - p), by.p, by.n)))
            return false;
        p = hit + by.n;
    }
    hit = by.n && p < end ? memmem(p, (size_t)(end - p), by.p, by.n) : NULL;
    *out = (struct str){p, (size_t)((hit ? hit : end) - p)};
    return true;
}

KERNEL(k_split_part)
{
    struct str *o = out->own;

    (void)s;
    (void)mem;
    (void)err;
    valid_all(out, a, 3);
    for (size_t i = 0; i < n; i++) {
        o[i] = (struct str){"", 0};
        if (is_set(out, i) && !split_part(v_text(a[0])[i], v_text(a[1])[i],
                                          v_int(a[2])[i], &o[i]))
            out->valid[i / 64] &= ~((uint64_t)1 << (i % 64));
    }
    return true;
}

/* Character of the first occurrence, from 1. */
KERNEL(k_position)
{
    const struct str *x = v_text(a[0]), *part = v_text(a[1]);
    int64_t *o = out->own;

    (void)s;
    (void)mem;
    (void)err;
    valid_all(out, a, 2);
    for (size_t i = 0; i < n; i++) {
        const char *hit = NULL;

        o[i] = 0;
        if (!is_set(out, i))
            continue;
        if (!part[i].n)
            hit = x[i].p;
        else if (x[i].n)
            hit = memmem(x[i].p, x[i].n, part[i].p, part[i].n);
        if (hit)
            o[i] = 1 + count_characters(
                           (struct str){x[i].p, (size_t)(hit - x[i].p)});
        else
            out->valid[i / 64] &= ~((uint64_t)1 << (i % 64));
    }
    return true;
}

/* To n characters with `fill` over and over, cut where it is enough. */
static bool
pad(struct str x, int64_t n, struct str fill, bool left, struct str *out,
    struct arena *mem, struct error *err)
{
    int64_t need = n > 0 ? n - count_characters(x) : 0;
    size_t len = left ? 0 : x.n, at = 0, room;
    char *p;

    *out = x;
    if (need <= 0 || !fill.n)
        return true;
    if (!check_length(need > MAX_VALUE ? (size_t)MAX_VALUE + 1 : (size_t)need,
                      err))
        return false;
    /* A character takes four bytes at most. */
    room = (size_t)need * 4;
    if (!(p = arena_try(mem, room + x.n + 1, 1, err)))
        return false;
    if (!left && x.n)
        memcpy(p, x.p, x.n);
    for (; need > 0; need--) {
        size_t begin = at % fill.n;

        at = begin;
        (void)str_next(fill, &at);
        memcpy(p + len, fill.p + begin, at - begin);
        len += at - begin;
    }
    if (left && x.n)
        memcpy(p + len, x.p, x.n);
    *out = (struct str){p, len + (left ? x.n : 0)};
    return check_length(out->n, err);
}

/* option: on the left? */
KERNEL(k_pad)
{
    const struct str blank = STR(" ");
    struct str *o = out->own;

    valid_all(out, a, s->n_args);
    for (size_t i = 0; i < n; i++) {
        o[i] = (struct str){"", 0};
        if (is_set(out, i) && !pad(v_text(a[0])[i], v_int(a[1])[i],
                                   s->n_args > 2 ? v_text(a[2])[i] : blank,
                                   s->option, &o[i], mem, err))
            return false;
    }
    return true;
}

/* Arithmetic, comparison and logic over vectors.
 *
 * A value that does not exist -- division by zero, an integer that leaves its
 * range, a function outside its domain -- is missing: one rule, so that no
 * row can stop a whole column and if() may guard its own branches.
 * exp and log are base/fmath's, pow and log10 go through long double: what
 * they give reaches models and must not follow the CPU.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <endian.h>
#include <math.h>
#include <string.h>

#include "base/fmath.h"
#include "frame/expr_plan.h"

#define KERNEL(name)                                                      \
    bool name(const struct step *s, const struct vec *const *a, size_t n, \
              struct vec *out, struct arena *mem, struct error *err)

#define UNUSED_KERNEL_ARGUMENTS \
    (void)s;                    \
    (void)mem;                  \
    (void)err

static void
valid_one(struct vec *out, const struct vec *a)
{
    memcpy(out->valid, a->valid, sizeof out->valid);
}

static void
valid_both(struct vec *out, const struct vec *a, const struct vec *b)
{
    for (size_t w = 0; w < EXPR_WORDS; w++)
        out->valid[w] = a->valid[w] & b->valid[w];
}

static void
clear(struct vec *out, size_t i)
{
    out->valid[i / 64] &= ~((uint64_t)1 << (i % 64));
}

/* ---- one formula a row ----------------------------------------------- */

/* out = formula of x[i] (and y[i]); missing where an argument is. */
#define MAP1(name, type, get, result, formula) \
    KERNEL(name)                               \
    {                                          \
        const type *x = get(a[0]);             \
        result *o = out->own;                  \
                                               \
        UNUSED_KERNEL_ARGUMENTS;               \
        valid_one(out, a[0]);                  \
        for (size_t i = 0; i < n; i++)         \
            o[i] = formula;                    \
        return true;                           \
    }

#define MAP2(name, type, get, result, formula)     \
    static KERNEL(name)                            \
    {                                              \
        const type *x = get(a[0]), *y = get(a[1]); \
        result *o = out->own;                      \
                                                   \
        UNUSED_KERNEL_ARGUMENTS;                   \
        valid_both(out, a[0], a[1]);               \
        for (size_t i = 0; i < n; i++)             \
            o[i] = formula;                        \
        return true;                               \
    }

/* As MAP1 and MAP2 for a partial function: missing where fn says false. */
#define PARTIAL1(name, type, get, fn)  \
    KERNEL(name)                       \
    {                                  \
        const type *x = get(a[0]);     \
        type *o = out->own;            \
                                       \
        UNUSED_KERNEL_ARGUMENTS;       \
        valid_one(out, a[0]);          \
        for (size_t i = 0; i < n; i++) \
            if (!fn(x[i], &o[i]))      \
                clear(out, i);         \
        return true;                   \
    }

#define PARTIAL2(name, type, get, fn)              \
    static KERNEL(name)                            \
    {                                              \
        const type *x = get(a[0]), *y = get(a[1]); \
        type *o = out->own;                        \
                                                   \
        UNUSED_KERNEL_ARGUMENTS;                   \
        valid_both(out, a[0], a[1]);               \
        for (size_t i = 0; i < n; i++)             \
            if (!fn(x[i], y[i], &o[i]))            \
                clear(out, i);                     \
        return true;                               \
    }

/* ---- integers -------------------------------------------------------- */

static bool
add_int(int64_t x, int64_t y, int64_t *out)
{
    *out = 0;
    if (y > 0 ? x > INT64_MAX - y : x < INT64_MIN - y)
        return false;
    *out = x + y;
    return true;
}

static bool
sub_int(int64_t x, int64_t y, int64_t *out)
{
    *out = 0;
    if (y < 0 ? x > INT64_MAX + y : x < INT64_MIN + y)
        return false;
    *out = x - y;
    return true;
}

static bool
fits_half(int64_t x)
{
    return x >= INT32_MIN && x <= INT32_MAX;
}

static bool
mul_int(int64_t x, int64_t y, int64_t *out)
{
    uint64_t ux = x < 0 ? 0 - (uint64_t)x : (uint64_t)x;
    uint64_t uy = y < 0 ? 0 - (uint64_t)y : (uint64_t)y;

    *out = 0;
    if (fits_half(x) && fits_half(y)) {
        *out = x * y;
        return true;
    }
    /* INT64_MIN itself is given up: it is not worth a case of its own. */
    if (ux && uy > (uint64_t)INT64_MAX / ux)
        return false;
    *out = (x < 0) == (y < 0) ? (int64_t)(ux * uy) : -(int64_t)(ux * uy);
    return true;
}

/* Quotients round down and remainders have the divisor's sign, so that
 * x == y * (x // y) + x % y. */
static bool
floordiv_int(int64_t x, int64_t y, int64_t *out)
{
    *out = 0;
    if (y == 0 || (x == INT64_MIN && y == -1))
        return false;
    *out = x / y - (x % y != 0 && (x < 0) != (y < 0));
    return true;
}

static bool
mod_int(int64_t x, int64_t y, int64_t *out)
{
    *out = 0;
    if (y == 0)
        return false;
    if (y != -1) {
        *out = x % y;
        if (*out != 0 && (*out < 0) != (y < 0))
            *out += y;
    }
    return true;
}

static bool
neg_int(int64_t x, int64_t *out)
{
    *out = x == INT64_MIN ? 0 : -x;
    return x != INT64_MIN;
}

static bool
abs_int(int64_t x, int64_t *out)
{
    if (x < 0)
        return neg_int(x, out);
    *out = x;
    return true;
}

PARTIAL2(add_ints, int64_t, v_int, add_int)
PARTIAL2(sub_ints, int64_t, v_int, sub_int)
PARTIAL2(mul_ints, int64_t, v_int, mul_int)
PARTIAL2(floordiv_ints, int64_t, v_int, floordiv_int)
PARTIAL2(mod_ints, int64_t, v_int, mod_int)
PARTIAL1(k_neg_int, int64_t, v_int, neg_int)
PARTIAL1(k_abs_int, int64_t, v_int, abs_int)

/* ---- floats ---------------------------------------------------------- */

static bool
div_float(double x, double y, double *out)
{
    *out = y != 0 ? x / y : 0;
    return y != 0;
}

static double
mod_double(double x, double y)
{
    double r = fmod(x, y);

    if (r == 0)
        return copysign(0, y);
    return (r < 0) != (y < 0) ? r + y : r;
}

static bool
mod_float(double x, double y, double *out)
{
    *out = y != 0 ? mod_double(x, y) : 0;
    return y != 0;
}

/* Through the remainder, as Python and numpy do: 1 // 0.1 is 9. */
static bool
floordiv_float(double x, double y, double *out)
{
    *out = 0;
    if (y == 0)
        return false;

    double quotient = (x - mod_double(x, y)) / y;

    *out = floor(quotient);
    if (quotient - *out > 0.5)
        *out += 1;
    return true;
}

/* Outside the domain: no number came of numbers. */
static bool
exists(double result, double x, double *out)
{
    bool ok = !isnan(result) || isnan(x);

    *out = ok ? result : 0;
    return ok;
}

/* x^n for a small whole n >= 0, by squaring. */
static double
power(double x, unsigned n)
{
    double out = 1;

    for (; n > 0; n >>= 1, x *= x)
        if (n & 1)
            out *= x;
    return out;
}

/* Small whole and half exponents by products and a square root, which are the
 * same everywhere and thirty times as fast as powl(). */
static bool
pow_float(double x, double y, double *out)
{
    enum { SMALL = 16 };
    double size = fabs(y);

    if (x == 0 && y < 0)
        return exists(NAN, 0, out);
    if (size <= SMALL && size == floor(size))
        *out = power(x, (unsigned)size);
    else if (x > 0 && size <= SMALL && 2 * size == floor(2 * size))
        *out = power(x, (unsigned)size) * sqrt(x);
    else
        return exists((double)powl((long double)x, (long double)y),
                      isnan(y) ? y : x, out);
    if (y < 0)
        *out = 1 / *out;
    return true;
}

static bool
sqrt_float(double x, double *out)
{
    return exists(sqrt(x), x, out);
}

static bool
log_float(double x, double *out)
{
    return exists(x > 0 || isnan(x) ? fm_log(x) : NAN, x, out);
}

static bool
log10_float(double x, double *out)
{
    return exists(x > 0 || isnan(x) ? (double)log10l((long double)x) : NAN, x,
                  out);
}

MAP2(add_floats, double, v_float, double, x[i] + y[i])
MAP2(sub_floats, double, v_float, double, x[i] - y[i])
MAP2(mul_floats, double, v_float, double, x[i] * y[i])
PARTIAL2(div_floats, double, v_float, div_float)
PARTIAL2(floordiv_floats, double, v_float, floordiv_float)
PARTIAL2(mod_floats, double, v_float, mod_float)
PARTIAL2(pow_floats, double, v_float, pow_float)
PARTIAL1(k_sqrt, double, v_float, sqrt_float)
PARTIAL1(k_log, double, v_float, log_float)
PARTIAL1(k_log10, double, v_float, log10_float)
MAP1(k_neg_float, double, v_float, double, -x[i])
MAP1(k_abs_float, double, v_float, double, fabs(x[i]))
MAP1(k_floor, double, v_float, double, floor(x[i]))
MAP1(k_ceil, double, v_float, double, ceil(x[i]))
MAP1(k_exp, double, v_float, double, fm_exp(x[i]))

/* Half to even at `option` decimals, as numpy rounds. */
static double
round_at(double x, int64_t digits)
{
    double scale = 1, scaled;

    for (int64_t d = digits < 0 ? -digits : digits; d > 0; d--)
        scale *= 10;
    scaled = digits < 0 ? x / scale : x * scale;
    if (!isfinite(scaled))
        return x;
    return digits < 0 ? rint(scaled) * scale : rint(scaled) / scale;
}

MAP1(k_round, double, v_float, double, round_at(x[i], s->option))

/* ---- comparison ------------------------------------------------------ */

#define COMPARE(suffix, type, get)                      \
    MAP2(eq_##suffix, type, get, uint8_t, x[i] == y[i]) \
    MAP2(ne_##suffix, type, get, uint8_t, x[i] != y[i]) \
    MAP2(lt_##suffix, type, get, uint8_t, x[i] < y[i])  \
    MAP2(le_##suffix, type, get, uint8_t, x[i] <= y[i]) \
    MAP2(gt_##suffix, type, get, uint8_t, x[i] > y[i])  \
    MAP2(ge_##suffix, type, get, uint8_t, x[i] >= y[i])

COMPARE(ints, int64_t, v_int)
COMPARE(floats, double, v_float)
MAP2(eq_texts, struct str, v_text, uint8_t, str_eq(x[i], y[i]))
MAP2(ne_texts, struct str, v_text, uint8_t, !str_eq(x[i], y[i]))
MAP2(lt_texts, struct str, v_text, uint8_t, str_cmp(x[i], y[i]) < 0)
MAP2(le_texts, struct str, v_text, uint8_t, str_cmp(x[i], y[i]) <= 0)
MAP2(gt_texts, struct str, v_text, uint8_t, str_cmp(x[i], y[i]) > 0)
MAP2(ge_texts, struct str, v_text, uint8_t, str_cmp(x[i], y[i]) >= 0)

kernel_fn *
kernel_binary(enum node_op op, enum vec_kind k)
{
    static const struct {
        enum node_op op;
        kernel_fn *ints, *floats, *texts;
    } table[] = {
        {NODE_ADD, add_ints, add_floats, NULL},
        {NODE_SUB, sub_ints, sub_floats, NULL},
        {NODE_MUL, mul_ints, mul_floats, NULL},
        {NODE_DIV, NULL, div_floats, NULL},
        {NODE_FLOORDIV, floordiv_ints, floordiv_floats, NULL},
        {NODE_MOD, mod_ints, mod_floats, NULL},
        {NODE_POW, NULL, pow_floats, NULL},
        {NODE_EQ, eq_ints, eq_floats, eq_texts},
        {NODE_NE, ne_ints, ne_floats, ne_texts},
        {NODE_LT, lt_ints, lt_floats, lt_texts},
        {NODE_LE, le_ints, le_floats, le_texts},
        {NODE_GT, gt_ints, gt_floats, gt_texts},
        {NODE_GE, ge_ints, ge_floats, ge_texts},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].op == op)
            return k == VEC_INT     ? table[i].ints
                   : k == VEC_FLOAT ? table[i].floats
                   : k == VEC_TEXT  ? table[i].texts
                                    : NULL;
    return NULL;
}

/* ---- three-valued logic ---------------------------------------------- */

/* 64 truth values as bits. */
/* Eight bytes in one word, the first one the lowest; and back. */
static inline uint64_t
load_eight(const uint8_t *b)
{
    uint64_t w;

    memcpy(&w, b, sizeof w);
    return le64toh(w);
}

static inline void
store_eight(uint64_t w, uint8_t *b)
{
    w = htole64(w);
    memcpy(b, &w, sizeof w);
}

#define EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

/* Byte i as bit i: eight at a time, gathered by one multiplication. */
static inline uint64_t
pack(const uint8_t *b, size_t n)
{
    uint64_t bits = 0;
    size_t i = 0;

    for (; i + 8 <= n; i += 8) {
        uint64_t low = load_eight(b + i) & EACH_BYTE(1);

        bits |= (low * UINT64_C(0x0102040810204080) >> 56) << i;
    }
    for (; i < n; i++)
        bits |= (uint64_t)(b[i] & 1) << i;
    return bits;
}

static inline void
unpack(uint64_t bits, uint8_t *b, size_t n)
{
    size_t i = 0;

    for (; i + 8 <= n; i += 8) {
        uint64_t one_each =
            EACH_BYTE(bits >> i & 0xff) & UINT64_C(0x8040201008040201);

        store_eight((one_each + EACH_BYTE(0x7f)) >> 7 & EACH_BYTE(1), b + i);
    }
    for (; i < n; i++)
        b[i] = bits >> i & 1;
}

/* The whole of and/or: `decides` is the value that settles the result alone
 * (false for and, true for or); all ones or zero, to serve as a mask. */
static void
logic(const struct vec *const *a, size_t n, struct vec *out, uint64_t decides)
{
    for (size_t w = 0; w * 64 < n; w++) {
        size_t m = n - w * 64 < 64 ? n - w * 64 : 64;
        uint64_t x = pack(v_bool(a[0]) + w * 64, m);
        uint64_t y = pack(v_bool(a[1]) + w * 64, m);
        uint64_t vx = a[0]->valid[w], vy = a[1]->valid[w];
        uint64_t settled = (vx & ~(x ^ decides)) | (vy & ~(y ^ decides));

        out->valid[w] = settled | (vx & vy);
        unpack((settled & decides) | (~settled & ~decides),
               (uint8_t *)out->own + w * 64, m);
    }
}

KERNEL(k_and)
{
    UNUSED_KERNEL_ARGUMENTS;
    logic(a, n, out, 0);
    return true;
}

KERNEL(k_or)
{
    UNUSED_KERNEL_ARGUMENTS;
    logic(a, n, out, ~(uint64_t)0);
    return true;
}

MAP1(k_not, uint8_t, v_bool, uint8_t, !x[i])

KERNEL(k_is_null)
{
    UNUSED_KERNEL_ARGUMENTS;
    for (size_t w = 0; w * 64 < n; w++) {
        size_t m = n - w * 64 < 64 ? n - w * 64 : 64;

        unpack(~a[0]->valid[w], (uint8_t *)out->own + w * 64, m);
    }
    memset(out->valid, 0xff, sizeof out->valid);
    return true;
}

/* low <= x and x <= high, each three-valued. */
KERNEL(k_between)
{
    enum vec_kind kind = (enum vec_kind)s->option;
    uint8_t above[EXPR_BATCH], below[EXPR_BATCH];
    struct vec low = {above, above, {0}}, high = {below, below, {0}};
    const struct vec *const lower[] = {a[0], a[1]};
    const struct vec *const upper[] = {a[0], a[2]};
    const struct vec *const both[] = {&low, &high};

    return kernel_binary(NODE_GE, kind)(s, lower, n, &low, mem, err) &&
           kernel_binary(NODE_LE, kind)(s, upper, n, &high, mem, err) &&
           k_and(s, both, n, out, mem, err);
}

/* ---- choice ---------------------------------------------------------- */

/* Bit i of word: the condition is there and true. */
static uint64_t
chosen(const struct vec *condition, size_t w, size_t n)
{
    size_t m = n - w * 64 < 64 ? n - w * 64 : 64;

    return pack(v_bool(condition) + w * 64, m) & condition->valid[w];
}

/* if(condition, then, else); else when the condition is missing.
 * coalesce(x, y).  min and max of two. */
#define CHOICE(suffix, type, get, less)                                       \
    static KERNEL(if_##suffix)                                                \
    {                                                                         \
        const type *x = get(a[1]), *y = get(a[2]);                            \
        type *o = out->own;                                                   \
                                                                              \
        UNUSED_KERNEL_ARGUMENTS;                                              \
        for (size_t w = 0; w * 64 < n; w++) {                                 \
            uint64_t yes = chosen(a[0], w, n);                                \
                                                                              \
            out->valid[w] = (a[1]->valid[w] & yes) | (a[2]->valid[w] & ~yes); \
            for (size_t i = w * 64; i < n && i < w * 64 + 64; i++)            \
                o[i] = yes >> (i % 64) & 1 ? x[i] : y[i];                     \
        }                                                                     \
        return true;                                                          \
    }                                                                         \
                                                                              \
    static KERNEL(coalesce_##suffix)                                          \
    {                                                                         \
        const type *x = get(a[0]), *y = get(a[1]);                            \
        type *o = out->own;                                                   \
                                                                              \
        UNUSED_KERNEL_ARGUMENTS;                                              \
        for (size_t w = 0; w < EXPR_WORDS; w++)                               \
            out->valid[w] = a[0]->valid[w] | a[1]->valid[w];                  \
        for (size_t i = 0; i < n; i++)                                        \
            o[i] = a[0]->valid[i / 64] >> (i % 64) & 1 ? x[i] : y[i];         \
        return true;                                                          \
    }                                                                         \
                                                                              \
    MAP2(least_##suffix, type, get, type, less(y[i], x[i]) ? y[i] : x[i])     \
    MAP2(largest_##suffix, type, get, type, less(x[i], y[i]) ? y[i] : x[i])

#define NUMBER_LESS(x, y) ((x) < (y))
#define TEXT_LESS(x, y) (str_cmp(x, y) < 0)

CHOICE(bools, uint8_t, v_bool, NUMBER_LESS)
CHOICE(ints, int64_t, v_int, NUMBER_LESS)
CHOICE(floats, double, v_float, NUMBER_LESS)
CHOICE(texts, struct str, v_text, TEXT_LESS)

kernel_fn *
kernel_if(enum vec_kind k)
{
    static kernel_fn *const fn[] = {if_bools, if_ints, if_floats, if_texts};

    return fn[k];
}

kernel_fn *
kernel_coalesce(enum vec_kind k)
{
    static kernel_fn *const fn[] = {coalesce_bools, coalesce_ints,
                                    coalesce_floats, coalesce_texts};

    return fn[k];
}

kernel_fn *
kernel_extreme(enum vec_kind k, bool largest)
{
    static kernel_fn *const fn[][2] = {{least_bools, largest_bools},
                                       {least_ints, largest_ints},
                                       {least_floats, largest_floats},
                                       {least_texts, largest_texts}};

    return fn[k][largest];
}

/* frame/csv_value.c -- one field of delimited text.
 *
 * Floats: m * 10^e with an integer m of at most 19 digits.  When m and 10^|e|
 * are exact doubles, one multiplication or division rounds once (Clinger 1990,
 * "How to read floating point numbers accurately").  Up to |e| = 27, where 5^e
 * still fits 64 bits, one 128-bit product or division gives 64 bits of the
 * result, its last one telling whether anything was left; the conversion to
 * double then rounds once.  Whatever is beyond goes through str_to_f64().
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/csv_value.h"

#include <string.h>

#include "frame/csv_daymonth.h"

__extension__ typedef unsigned __int128 wide; /* pedantic C17 has no name */

enum csv_class
csv_join(enum csv_class a, enum csv_class b)
{
    if (a == b || b == CSV_NONE)
        return a;
    if (a == CSV_NONE)
        return b;
    if (a + b == CSV_INT + CSV_FLOAT && a <= CSV_FLOAT && a >= CSV_INT)
        return CSV_FLOAT;
    if (a >= CSV_XDY && b >= CSV_XDY)
        return csv_daymonth_join(a, b);
    if (a >= CSV_DATE && b >= CSV_DATE && a < CSV_TEXT && b < CSV_TEXT)
        return CSV_TIMESTAMP;
    return CSV_TEXT;
}

static const enum col_type type_of[] = {
    [CSV_NONE] = COL_TEXT,
    [CSV_BOOL] = COL_BOOL,
    [CSV_BOOL_TOLD] = COL_BOOL,
    [CSV_INT] = COL_INT64,
    [CSV_FLOAT] = COL_FLOAT64,
    [CSV_DATE] = COL_DATE,
    [CSV_TIMESTAMP] = COL_TIMESTAMP,
    [CSV_TEXT] = COL_TEXT,
    [CSV_XDY] = COL_TEXT,
    [CSV_XDY_TIME] = COL_TEXT,
    [CSV_DMY] = COL_DATE,
    [CSV_DMY_TIME] = COL_TIMESTAMP,
    [CSV_MDY] = COL_DATE,
    [CSV_MDY_TIME] = COL_TIMESTAMP,
};

enum col_type
csv_type_of(enum csv_class c)
{
    return type_of[c];
}

enum csv_class
csv_class_of(enum col_type t)
{
    enum csv_class c = CSV_BOOL;

    while (type_of[c] != t)
        c++;
    return c;
}

bool
csv_class_open(enum csv_class c)
{
    return c == CSV_NONE || c == CSV_XDY || c == CSV_XDY_TIME;
}

bool
csv_type_parse(const char *text, struct str *column, enum csv_class *out,
               struct error *err)
{
    static const char *const words[] = {"bool", "int",       "float", "text",
                                        "date", "timestamp", "dmy",   "mdy"};
    const char *eq = strrchr(text, '='), *word = eq ? eq + 1 : "", *near;
    enum col_type type;

    *column = (struct str){text, eq ? (size_t)(eq - text) : 0};
    if (eq && column_type_parse(word, &type)) {
        *out = type == COL_BOOL ? CSV_BOOL_TOLD : csv_class_of(type);
        return true;
    }
    if (strcmp(word, "dmy") == 0 || strcmp(word, "mdy") == 0) {
        *out = *word == 'd' ? CSV_DMY : CSV_MDY;
        return true;
    }
    near = str_nearest(str_of(word), words, sizeof words / sizeof *words);
    return error_set(err, ERR_USAGE,
                     "type '%s', expected COLUMN= and one of bool, int, "
                     "float, text, date, timestamp, dmy, mdy%s%s%s",
                     text, near ? " (did you mean '" : "", near ? near : "",
                     near ? "'?)" : "");
}

/* ---- missing values ---- */

void
csv_nulls_init(struct csv_nulls *n, const char *const *words)
{
    static const char *const usual[] = {"NA",   "N/A",  "NaN", "nan", "null",
                                        "NULL", "None", "?",   NULL};

    *n = (struct csv_nulls){.words = words ? words : usual};
    for (size_t i = 0; n->words[i]; i++) {
        n->first[(unsigned char)n->words[i][0]] = true;
        n->numeric |= strpbrk(n->words[i], "0123456789") != NULL;
    }
}

static struct str
trim_blanks(struct str s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

bool
csv_quotes_ok(const char *begin, const char *end, bool *open)
{
    const char *q = begin;

    *open = false;
    if (begin == end || *begin != '"')
        return true;
    for (;;) {
        q++;
        q = q < end ? memchr(q, '"', (size_t)(end - q)) : NULL;
        if (!q) {
            *open = true;
            return false;
        }
        if (++q == end)
            return true;
        if (*q != '"')
            return false;
    }
}

struct str
csv_cell_text(struct csv_cell c, struct buf *scratch)
{
    const char *at = c.s.p, *end = c.s.p + c.s.n, *q;

    if (!c.quoted || c.s.n == 0 || !memchr(at, '"', c.s.n))
        return c.s;
    buf_clear(scratch);
    while (at < end && (q = memchr(at, '"', (size_t)(end - at)))) {
        buf_add(scratch, at, (size_t)(q + 1 - at));
        at = q + 2;
    }
    if (at < end)
        buf_add(scratch, at, (size_t)(end - at));
    return (struct str){scratch->data, scratch->len};
}

/* The words that make a column of bools where nobody has said so. */
static bool
is_bool(struct str s, int64_t *i)
{
    static const char *const words[] = {"false", "False", "FALSE",
                                        "true",  "True",  "TRUE"};

    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        if (str_is(s, words[k])) {
            *i = k >= 3;
            return true;
        }
    return false;
}

bool
csv_cell_parse(struct csv_cell c, enum csv_class t, int64_t *i, double *x)
{
    struct str s = trim_blanks(c.s);

    if (t == CSV_BOOL)
        return is_bool(s, i);
    return t > CSV_TEXT ? csv_daymonth_parse(s, t, i)
                        : column_parse(csv_type_of(t), s, i, x);
}

bool
csv_cell_is_null(struct csv_cell c, const struct csv_nulls *n)
{
    struct str s = trim_blanks(c.s);

    if (s.n == 0)
        return true;
    if (!n->first[(unsigned char)*s.p])
        return false;
    for (size_t i = 0; n->words[i]; i++)
        if (str_is(s, n->words[i]))
            return true;
    return false;
}

enum csv_class
csv_classify(struct csv_cell c, const struct csv_nulls *n)
{
    static const enum csv_class order[] = {CSV_INT, CSV_FLOAT, CSV_BOOL,
                                           CSV_DATE, CSV_TIMESTAMP};
    int64_t i;
    double x;

    if (csv_cell_is_null(c, n))
        return CSV_NONE;
    for (size_t k = 0; k < sizeof order / sizeof *order; k++)
        if (csv_cell_parse(c, order[k], &i, &x))
            return order[k];
    return csv_daymonth_class(trim_blanks(c.s));
}

/* ---- numbers ---- */

static bool
is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

/* Numbers are taken eight bytes at a time and without loops: their lengths
 * vary, which a processor cannot guess.  A byte is the digit's value, 0..9;
 * the first digit is the lowest byte. */
enum { WORD = 8, FEW = 2 * WORD };

#define EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

/* Pairs, fours, eight. */
static uint64_t
join_digits(uint64_t w)
{
    w = (w * 10 + (w >> 8)) & UINT64_C(0x00ff00ff00ff00ff);
    w = (w * 100 + (w >> 16)) & UINT64_C(0x0000ffff0000ffff);
    return (w * 10000 + (w >> 32)) & UINT64_C(0xffffffff);
}

/* Bit 7 of each byte that is not 0..9. */
static uint64_t
not_digits(uint64_t w)
{
    return (w | (w + EACH_BYTE(0x76))) & EACH_BYTE(0x80);
}

/* Bit 7 of each byte that is a point. */
static uint64_t
points(uint64_t w)
{
    w ^= EACH_BYTE('.' ^ '0');
    return ~(((w & EACH_BYTE(0x7f)) + EACH_BYTE(0x7f)) | w | EACH_BYTE(0x7f));
}

/* The n bytes before `end`, n = 1..WORD; the bytes before them are zeros. */
static uint64_t
load_digits(const char *end, size_t n)
{
    unsigned unused = 8 * (unsigned)(WORD - n);
    uint64_t w;

    memcpy(&w, end - WORD, WORD);
    return (w ^ EACH_BYTE('0')) >> unused << unused;
}

/* Take out the byte of the lowest set bit of `hit`; the bytes before it move
 * up.  Returns how many bytes follow it. */
static int
drop_byte(uint64_t *w, uint64_t hit)
{
    unsigned at = (unsigned)__builtin_ctzll(hit) - 7;
    uint64_t below = (UINT64_C(1) << at) - 1;

    *w = (*w & below) << 8 | (*w & (~below << 8));
    return WORD - 1 - (int)(at / 8);
}

/* s..end (1..FEW bytes) is digits with at most one point: their number, and
 * how many digits follow the point (-1: there is none). */
static inline bool
few_digits(const char *s, const char *end, uint64_t *m, int *after)
{
    size_t n = (size_t)(end - s);
    uint64_t high, low = load_digits(end, n < WORD ? n : WORD), hit;

    *after = -1;
    hit = points(low);
    if (n <= WORD) {
        if (hit)
            *after = drop_byte(&low, hit);
        *m = join_digits(low);
        return !not_digits(low) && (n > 1 || !hit);
    }
    high = load_digits(end - WORD, n - WORD);
    if (hit) {
        *after = drop_byte(&low, hit);
        low |= high >> 56;
        high <<= 8;
    } else if ((hit = points(high))) {
        *after = WORD + drop_byte(&high, hit);
    }
    *m = join_digits(high) * 100000000 + join_digits(low);
    return !not_digits(high) && !not_digits(low);
}

bool
csv_fast_i64(const char *text, const char *s, const char *end, int64_t *out)
{
    bool negative = s < end && *s == '-';
    uint64_t v;
    int after;

    s += negative;
    if (s == end || end - s > FEW || end - text < FEW ||
        !few_digits(s, end, &v, &after) || after >= 0)
        return false;
    *out = negative ? -(int64_t)v : (int64_t)v;
    return true;
}

static const double ten_to[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
enum { TEN_EXACT = 22, FIVE_MAX = 27 };

static const uint64_t five_to[FIVE_MAX + 1] = {
    UINT64_C(1),
    UINT64_C(5),
    UINT64_C(25),
    UINT64_C(125),
    UINT64_C(625),
    UINT64_C(3125),
    UINT64_C(15625),
    UINT64_C(78125),
    UINT64_C(390625),
    UINT64_C(1953125),
    UINT64_C(9765625),
    UINT64_C(48828125),
    UINT64_C(244140625),
    UINT64_C(1220703125),
    UINT64_C(6103515625),
    UINT64_C(30517578125),
    UINT64_C(152587890625),
    UINT64_C(762939453125),
    UINT64_C(3814697265625),
    UINT64_C(19073486328125),
    UINT64_C(95367431640625),
    UINT64_C(476837158203125),
    UINT64_C(2384185791015625),
    UINT64_C(11920928955078125),
    UINT64_C(59604644775390625),
    UINT64_C(298023223876953125),
    UINT64_C(1490116119384765625),
    UINT64_C(7450580596923828125),
};

/* 2^k; k stays far from both ends of the double's range. */
static double
two_to(int k)
{
    uint64_t bits = (uint64_t)(1023 + k) << 52;
    double x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

/* m * 10^e, m > 0, 0 <= e <= FIVE_MAX. */
static double
scale_up(uint64_t m, int e)
{
    wide product = (wide)m * five_to[e];
    uint64_t high = (uint64_t)(product >> 64), top, rest;
    int shift;

    if (high == 0)
        return (double)(uint64_t)product * two_to(e);
    shift = __builtin_clzll(high);
    top = (uint64_t)(product << shift >> 64);
    rest = (uint64_t)product << shift;
    return (double)(top | (rest != 0)) * two_to(64 - shift + e);
}

/* m / 10^k, m > 0, 0 < k <= FIVE_MAX.  Both are shifted up to bit 63, so that
 * the quotient has 63 or 64 bits. */
static double
scale_down(uint64_t m, int k)
{
    int up = __builtin_clzll(m), down = __builtin_clzll(five_to[k]);
    uint64_t divisor = five_to[k] << down;
    wide dividend = (wide)(m << up) << 63;
    uint64_t quotient = (uint64_t)(dividend / divisor);
    bool rest = (wide)quotient * divisor != dividend;

    return (double)(quotient | rest) * two_to(down - up - k - 63);
}

static bool
scale(uint64_t m, int e, double *out)
{
    if (m < UINT64_C(1) << 53 && e >= -TEN_EXACT && e <= TEN_EXACT)
        *out = e < 0 ? (double)m / ten_to[-e] : (double)m * ten_to[e];
    else if (m == 0)
        *out = 0;
    else if (e >= 0 && e <= FIVE_MAX)
        *out = scale_up(m, e);
    else if (e < 0 && e >= -FIVE_MAX)
        *out = scale_down(m, -e);
    else
        return false;
    return true;
}

/* "e-07" and the like: at most three digits. */
static bool
exponent(const char *s, const char *end, int *out)
{
    bool negative = s < end && *s == '-';
    int v = 0;

    s += s < end && (*s == '-' || *s == '+');
    if (s == end || end - s > 3)
        return false;
    for (; s < end; s++) {
        if (!is_digit(*s))
            return false;
        v = v * 10 + (*s - '0');
    }
    *out = negative ? -v : v;
    return true;
}

/* Digits, a point, an exponent, of any length that 19 digits allow. */
static bool
long_number(const char *s, const char *end, uint64_t *m, int *e)
{
    const char *digits = s, *point;
    int stated;

    *m = 0;
    *e = 0;
    for (; s < end && is_digit(*s); s++)
        *m = *m * 10 + (uint64_t)(*s - '0');
    point = s;
    if (s < end && *s == '.')
        for (s++; s < end && is_digit(*s); s++)
            *m = *m * 10 + (uint64_t)(*s - '0');
    /* Twenty bytes hold at most 19 digits and a point: m cannot overflow. */
    if (s - digits > 20 || (s - digits == 20 && point == s) ||
        s - digits - (s > point) == 0)
        return false;
    if (s > point)
        *e = -(int)(s - point - 1);
    if (s == end)
        return true;
    if ((*s != 'e' && *s != 'E') || !exponent(s + 1, end, &stated))
        return false;
    *e += stated;
    return true;
}

static bool
slow_f64(const char *s, const char *end, double *out)
{
    uint64_t m;
    int e;

    return long_number(s, end, &m, &e) && scale(m, e, out);
}

bool
csv_fast_f64(const char *text, const char *s, const char *end, double *out)
{
    bool negative = s < end && *s == '-';
    uint64_t m;
    int after;
    double x;

    s += negative;
    if (s < end && end - s <= FEW && end - text >= FEW &&
        few_digits(s, end, &m, &after) && m < UINT64_C(1) << 53)
        x = (double)(int64_t)m / ten_to[after < 0 ? 0 : after];
    else if (!slow_f64(s, end, &x))
        return false;
    *out = negative ? -x : x;
    return true;
}

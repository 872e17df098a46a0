/* base/str.c -- views of bytes, numbers in the C locale, display width.
 *
 * The program sets LC_CTYPE only, so printf and strtod speak the C locale.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/str.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

struct str
str_of(const char *s)
{
    return (struct str){s ? s : "", s ? strlen(s) : 0};
}

bool
str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool
str_is(struct str a, const char *s)
{
    return str_eq(a, str_of(s));
}

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool
str_eq_nocase(struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

int
str_cmp(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n > 0 ? memcmp(a.p, b.p, n) : 0;

    if (c != 0)
        return c;
    return (a.n > b.n) - (a.n < b.n);
}

static bool
is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str
str_trim(struct str s)
{
    while (s.n > 0 && is_blank(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

bool
str_starts(struct str s, const char *prefix)
{
    size_t n = strlen(prefix);

    return s.n >= n && memcmp(s.p, prefix, n) == 0;
}

bool
str_is_among(struct str s, const char *words)
{
    struct str rest = str_of(words);

    while (rest.n) {
        const char *blank = memchr(rest.p, ' ', rest.n);
        size_t n = blank ? (size_t)(blank - rest.p) : rest.n;

        if (str_eq(s, (struct str){rest.p, n}))
            return true;
        n += blank != NULL;
        rest = (struct str){rest.p + n, rest.n - n};
    }
    return false;
}

/* ---- numbers ---- */

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool
str_to_i64(struct str s, int64_t *out)
{
    bool negative = s.n > 0 && s.p[0] == '-';
    size_t i = negative || (s.n > 0 && s.p[0] == '+');
    uint64_t v = 0;
    uint64_t limit = (uint64_t)INT64_MAX + negative;

    if (i == s.n)
        return false;
    for (; i < s.n; i++) {
        uint64_t digit = (uint64_t)(s.p[i] - '0');

        if (!is_digit(s.p[i]) || v > (limit - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *out = negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

/* Does s have the form of a decimal number? strtod takes hexadecimal, blanks
 * and "nan(...)" besides, which are refused here. */
static bool
decimal_form(struct str s)
{
    size_t i = s.n > 0 && (s.p[0] == '-' || s.p[0] == '+');
    size_t digits = 0;

    for (; i < s.n && is_digit(s.p[i]); i++)
        digits++;
    if (i < s.n && s.p[i] == '.')
        for (i++; i < s.n && is_digit(s.p[i]); i++)
            digits++;
    if (digits == 0)
        return false;
    if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
        i++;
        i += i < s.n && (s.p[i] == '-' || s.p[i] == '+');
        if (i == s.n)
            return false;
        while (i < s.n && is_digit(s.p[i]))
            i++;
    }
    return i == s.n;
}

static bool
special_form(struct str s, double *out)
{
    bool negative = s.n > 0 && s.p[0] == '-';

    if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+')) {
        s.p++;
        s.n--;
    }
    if (str_eq_nocase(s, STR("nan")))
        *out = NAN;
    else if (str_eq_nocase(s, STR("inf")) || str_eq_nocase(s, STR("infinity")))
        *out = negative ? -INFINITY : INFINITY;
    else
        return false;
    return true;
}

bool
str_to_f64(struct str s, double *out)
{
    char small[128];
    char *text = small;
    double v;

    if (!decimal_form(s))
        return special_form(s, out);
    if (s.n >= sizeof small && !(text = malloc(s.n + 1)))
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    v = strtod(text, NULL);
    if (text != small)
        free(text);
    if (!isfinite(v))
        return false;
    *out = v;
    return true;
}

/* m / 10^decimals, which is less than 10^15, without an exponent. */
static size_t
put_decimal(bool negative, uint64_t m, int decimals, char out[STR_F64_MAX])
{
    char digits[24];
    size_t n = 0, at = 0;

    for (; m > 0 || n <= (size_t)decimals; m /= 10)
        digits[n++] = (char)('0' + m % 10);
    if (negative)
        out[at++] = '-';
    while (n > 0) {
        out[at++] = digits[--n];
        if (n > 0 && n == (size_t)decimals)
            out[at++] = '.';
    }
    out[at] = '\0';
    return at;
}

/* Most numbers in tables are m / 10^k with few digits: both are exact, so the
 * quotient is x exactly when the decimal reads back as x.  The least such k
 * is found without printing; 0 when there is none in range. */
static size_t
print_short(double x, char out[STR_F64_MAX])
{
    double a = fabs(x), ten = 1;

    if (!(a >= 1e-4 && a < 1e15))
        return 0;
    for (int k = 0; k <= 12; k++, ten *= 10) {
        double m = rint(a * ten);

        if (m >= 1e15)
            return 0;
        if (m / ten == a)
            return put_decimal(x < 0, (uint64_t)m, k, out);
    }
    return 0;
}

size_t
str_from_f64(double x, char out[STR_F64_MAX])
{
    int n = (int)print_short(x, out);

    if (n > 0)
        return (size_t)n;
    if (isnan(x))
        return (size_t)snprintf(out, STR_F64_MAX, "nan");
    for (int precision = 15; precision <= 17; precision++) {
        n = snprintf(out, STR_F64_MAX, "%.*g", precision, x);
        if (strtod(out, NULL) == x)
            break;
    }
    return (size_t)n;
}

/* From here on to 1e15, digits are plainer than an exponent. */
#define PLAIN_LEAST 1e-4
#define PLAIN_MOST 1e15
enum { NUMBER_DIGITS = 4 };

size_t
str_from_number(double x, int digits, char out[STR_F64_MAX])
{
    int n = isnan(x) ? snprintf(out, STR_F64_MAX, "nan")
                     : snprintf(out, STR_F64_MAX, "%.*g", digits, x);

    if (fabs(x) >= 1 && fabs(x) < PLAIN_MOST && memchr(out, 'e', (size_t)n))
        n = snprintf(out, STR_F64_MAX, "%.0f", x);
    return (size_t)n;
}

int
str_decimals(double largest, int digits)
{
    int decimals;

    largest = fabs(largest);
    if (largest == 0)
        return digits - 1;
    if (!(largest >= PLAIN_LEAST && largest < PLAIN_MOST))
        return -1;
    decimals = digits - 1 - (int)floor(log10(largest));
    return decimals > 0 ? decimals : 0;
}

size_t
str_from_decimals(double x, int decimals, char out[STR_F64_MAX])
{
    if (decimals < 0 || !(fabs(x) < PLAIN_MOST))
        return str_from_number(x, NUMBER_DIGITS, out);
    snprintf(out, STR_F64_MAX, "%.*f", decimals, x);
    if (*out == '-' && !strpbrk(out, "123456789"))
        memmove(out, out + 1, strlen(out)); /* 0 has no sign */
    return strlen(out);
}

size_t
str_from_count(uint64_t v, char out[STR_F64_MAX])
{
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)v);
    size_t at = 0;

    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return at;
}

size_t
str_from_seconds(double seconds, char out[STR_F64_MAX])
{
    bool known = seconds >= 0 && seconds < 1000.0 * 3600;
    unsigned whole = known ? (unsigned)seconds : 0;
    int n;

    if (!known)
        n = snprintf(out, STR_F64_MAX, "-");
    else if (seconds < 10)
        n = snprintf(out, STR_F64_MAX, "%.1f s", seconds);
    else if (whole < 3600)
        n = snprintf(out, STR_F64_MAX, "%02u:%02u", whole / 60, whole % 60);
    else
        n = snprintf(out, STR_F64_MAX, "%u:%02u h", whole / 3600,
                     whole / 60 % 60);
    return (size_t)n;
}

/* ---- dates ---- */

int32_t
str_days(int year, int month, int day)
{
    /* Howard Hinnant's days_from_civil: years begin in March. */
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

    return (int32_t)(era * 146097 + doe - 719468);
}

void
str_civil(int32_t days, int *year, int *month, int *day)
{
    int64_t z = (int64_t)days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;

    *day = (int)(doy - (153 * mp + 2) / 5 + 1);
    *month = (int)(mp < 10 ? mp + 3 : mp - 9);
    *year = (int)(yoe + era * 400 + (*month <= 2));
}

/* Exactly n digits at s[at]. */
static bool
digits_at(struct str s, size_t at, size_t n, int *out)
{
    int v = 0;

    if (at + n > s.n)
        return false;
    for (size_t i = at; i < at + n; i++) {
        if (!is_digit(s.p[i]))
            return false;
        v = v * 10 + (s.p[i] - '0');
    }
    *out = v;
    return true;
}

static int
days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

static bool
date_prefix(struct str s, int32_t *days)
{
    int y, m, d;

    if (!digits_at(s, 0, 4, &y) || !digits_at(s, 5, 2, &m) ||
        !digits_at(s, 8, 2, &d) || (s.p[4] != '-' && s.p[4] != '/') ||
        s.p[7] != s.p[4])
        return false;
    if (m < 1 || m > 12 || d < 1 || d > days_in_month(y, m))
        return false;
    *days = str_days(y, m, d);
    return true;
}

bool
str_to_bool(struct str s, bool *out)
{
    static const char *const words[][2] = {{"false", "true"}, {"0", "1"},
                                           {"no", "yes"},     {"n", "y"},
                                           {"f", "t"},        {"off", "on"}};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        for (size_t k = 0; k < 2; k++)
            if (str_eq_nocase(s, str_of(words[i][k]))) {
                *out = k == 1;
                return true;
            }
    return false;
}

bool
str_to_date(struct str s, int32_t *days)
{
    return s.n == 10 && date_prefix(s, days);
}

/* ".123456" at *at: microseconds, further digits dropped. */
static bool
fraction(struct str s, size_t *at, int64_t *us)
{
    int64_t scale = 100000;
    size_t from = ++*at;

    for (; *at < s.n && is_digit(s.p[*at]); ++*at) {
        *us += (s.p[*at] - '0') * scale;
        scale /= 10;
    }
    return *at > from;
}

/* "Z", "UTC", "GMT" or "+hh:mm", "+hhmm", "+hh" up to the end, a blank before
 * it or none. */
static bool
zone(struct str s, size_t at, int64_t *us)
{
    int h, m = 0;
    bool colon;

    if (at == s.n)
        return true;
    at += s.p[at] == ' ';
    s = (struct str){s.p + at, s.n - at};
    at = 0;
    if (str_is(s, "Z") || str_is(s, "UTC") || str_is(s, "GMT"))
        return true;
    if (s.n == 0 || (s.p[at] != '+' && s.p[at] != '-') ||
        !digits_at(s, at + 1, 2, &h))
        return false;
    colon = at + 3 < s.n && s.p[at + 3] == ':';
    if (at + 3 != s.n &&
        (!digits_at(s, at + 3 + colon, 2, &m) || at + 5 + colon != s.n))
        return false;
    if (h > 23 || m > 59)
        return false;
    *us -= (s.p[at] == '-' ? -1 : 1) * (h * 3600 + m * 60) * (int64_t)1000000;
    return true;
}

bool
str_to_timestamp(struct str s, int64_t *out)
{
    int32_t days;
    int hour, minute, second = 0;
    int64_t us = 0;
    size_t at = 16;

    if (s.n < 16 || !date_prefix(s, &days) ||
        (s.p[10] != ' ' && s.p[10] != 'T') || s.p[13] != ':' ||
        !digits_at(s, 11, 2, &hour) || !digits_at(s, 14, 2, &minute))
        return false;
    if (at < s.n && s.p[at] == ':') {
        if (!digits_at(s, 17, 2, &second))
            return false;
        at = 19;
        if (at < s.n && (s.p[at] == '.' || s.p[at] == ',') &&
            !fraction(s, &at, &us))
            return false;
    }
    if (hour > 23 || minute > 59 || second > 59 || !zone(s, at, &us))
        return false;
    *out = us + ((int64_t)days * 86400 + hour * 3600 + minute * 60 + second) *
                    (int64_t)1000000;
    return true;
}

size_t
str_from_date(int32_t days, char out[STR_F64_MAX])
{
    int y, m, d;

    str_civil(days, &y, &m, &d);
    return (size_t)snprintf(out, STR_F64_MAX, "%04d-%02d-%02d", y, m, d);
}

size_t
str_from_timestamp(int64_t us, char out[STR_F64_MAX + 8])
{
    int64_t seconds = us / 1000000 - (us % 1000000 < 0);
    int64_t days = seconds / 86400 - (seconds % 86400 < 0);
    int rest = (int)(seconds - days * 86400);
    int micro = (int)(us % 1000000 + (us % 1000000 < 0 ? 1000000 : 0));
    size_t n = str_from_date((int32_t)days, out);

    n += (size_t)snprintf(out + n, STR_F64_MAX + 8 - n, " %02d:%02d:%02d",
                          rest / 3600, rest / 60 % 60, rest % 60);
    if (micro != 0) {
        n += (size_t)snprintf(out + n, STR_F64_MAX + 8 - n, ".%06d", micro);
        while (out[n - 1] == '0')
            out[--n] = '\0';
    }
    return n;
}

/* ---- UTF-8 ---- */

int32_t
str_next(struct str s, size_t *at)
{
    unsigned char c;
    utf8proc_int32_t cp;
    utf8proc_ssize_t n;

    if (*at >= s.n)
        return -1;
    c = (unsigned char)s.p[*at];
    if (c < 0x80) {
        ++*at;
        return c;
    }
    n = utf8proc_iterate((const utf8proc_uint8_t *)s.p + *at,
                         (utf8proc_ssize_t)(s.n - *at), &cp);
    if (n <= 0) {
        ++*at;
        return 0xfffd;
    }
    *at += (size_t)n;
    return cp;
}

size_t
str_put_utf8(uint32_t cp, char out[4])
{
    return (size_t)utf8proc_encode_char((utf8proc_int32_t)cp,
                                        (utf8proc_uint8_t *)out);
}

bool
str_utf8_valid(struct str s)
{
    size_t at = 0;

    while (at < s.n) {
        utf8proc_int32_t cp;
        utf8proc_ssize_t n;

        if ((unsigned char)s.p[at] < 0x80) {
            at++;
            continue;
        }
        n = utf8proc_iterate((const utf8proc_uint8_t *)s.p + at,
                             (utf8proc_ssize_t)(s.n - at), &cp);
        if (n <= 0)
            return false;
        at += (size_t)n;
    }
    return true;
}

bool
str_cp_is_control(uint32_t cp)
{
    return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) ||
           (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
}

size_t
str_spell(struct str s, size_t *at, bool lines, char out[STR_SPELT_MAX])
{
    size_t from = *at;
    int32_t cp = str_next(s, at);
    bool bad = cp == 0xfffd && *at - from == 1;
    unsigned char byte = (unsigned char)s.p[from];

    if (lines && (cp == '\n' || cp == '\t'))
        out[0] = (char)cp;
    else if (cp == '\n' || cp == '\t' || cp == '\r')
        return (size_t)snprintf(out, STR_SPELT_MAX, "\\%c",
                                cp == '\n'   ? 'n'
                                : cp == '\t' ? 't'
                                             : 'r');
    else if (bad || (cp < 0x80 && str_cp_is_control((uint32_t)cp)))
        return (size_t)snprintf(out, STR_SPELT_MAX, "\\x%02x", byte);
    else if (str_cp_is_control((uint32_t)cp))
        return (size_t)snprintf(out, STR_SPELT_MAX, "\\u%04x", (unsigned)cp);
    else {
        memcpy(out, s.p + from, *at - from);
        return *at - from;
    }
    return 1;
}

size_t
str_put_spelt(char *out, size_t room, struct str s, bool lines)
{
    size_t n = 0;

    for (size_t at = 0; at < s.n;) {
        char spelt[STR_SPELT_MAX];
        size_t len = str_spell(s, &at, lines, spelt);

        if (n + len >= room)
            break;
        memcpy(out + n, spelt, len);
        n += len;
    }
    out[n] = '\0';
    return n;
}

int
str_cp_width(uint32_t cp)
{
    if (cp < 0x7f)
        return cp >= 0x20;
    return utf8proc_charwidth((utf8proc_int32_t)cp);
}

uint32_t
str_cp_lower(uint32_t cp)
{
    return (uint32_t)utf8proc_tolower((utf8proc_int32_t)cp);
}

uint32_t
str_cp_upper(uint32_t cp)
{
    return (uint32_t)utf8proc_toupper((utf8proc_int32_t)cp);
}

size_t
str_width(struct str s)
{
    size_t width = 0;

    for (size_t at = 0; at < s.n;)
        width += (size_t)str_cp_width((uint32_t)str_next(s, &at));
    return width;
}

size_t
str_fit(struct str s, size_t cells, size_t *used)
{
    size_t width = 0;
    size_t at = 0;

    while (at < s.n) {
        size_t next = at;
        size_t w = (size_t)str_cp_width((uint32_t)str_next(s, &next));

        if (width + w > cells)
            break;
        width += w;
        at = next;
    }
    if (used)
        *used = width;
    return at;
}

/* ---- did you mean ---- */

enum { DISTANCE_MAX = 64 };

static unsigned
least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned
str_distance(struct str a, struct str b)
{
    unsigned row[3][DISTANCE_MAX + 1]; /* i - 2, i - 1 and i, in turn */
    size_t n = a.n < DISTANCE_MAX ? a.n : DISTANCE_MAX;
    size_t m = b.n < DISTANCE_MAX ? b.n : DISTANCE_MAX;

    for (size_t j = 0; j <= m; j++)
        row[0][j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        unsigned *now = row[i % 3], *last = row[(i - 1) % 3];
        const unsigned *before = row[(i + 1) % 3];

        now[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            char p = lower(a.p[i - 1]), q = lower(b.p[j - 1]);

            now[j] =
                least(last[j - 1] + (p != q), least(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && p == lower(b.p[j - 2]) &&
                q == lower(a.p[i - 2]))
                now[j] = least(now[j], before[j - 2] + 1);
        }
    }
    return row[n % 3][m];
}

const char *
str_nearest(struct str s, const char *const *names, size_t n)
{
    const char *best = NULL;
    unsigned best_d = 0;

    for (size_t i = 0; i < n; i++) {
        unsigned d = str_distance(s, str_of(names[i]));

        if (!best || d < best_d) {
            best = names[i];
            best_d = d;
        }
    }
    return best && best_d <= 1 + s.n / 4 ? best : NULL;
}

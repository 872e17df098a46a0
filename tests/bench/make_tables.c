/* make_tables -- the two large tables that loading is measured on, as CSV.
 *
 *   make_tables higgs [ROWS] >higgs.csv    1,000,000 x a target, 28 floats
 *   make_tables mixed [ROWS] >mixed.csv    2,000,000 x 20: integers, floats,
 *       texts with few, many and nearly all different values, quotes, commas,
 *       UTF-8, bool, date, timestamp; one value in twenty is missing
 *
 * The same bytes everywhere: every value is a function of its row and column.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fmath.h"
#include "base/rng.h"

enum { SEED = 31, N_FEATURES = 28, N_MEASURED = 21, N_USERS = 500000 };

#define DAY INT64_C(86400)
#define HIGGS_MIDDLE 0.608 /* the median of the log odds before it */
#define LENGTH(a) (sizeof(a) / sizeof *(a))

/* ---- draws ---- */

/* Each row has a stream of its own, each draw of it a number. */
struct draw {
    uint64_t row, n;
};

static double
unit(struct draw *d)
{
    return rng_unit(SEED, d->row, d->n++);
}

static size_t
below(struct draw *d, size_t n)
{
    return (size_t)rng_below(SEED, d->row, d->n++, n);
}

static double
normal(struct draw *d)
{
    return rng_normal(SEED, d->row, d->n++);
}

/* Of a whole shape: the sum of so many exponential draws. */
static double
gamma_of(struct draw *d, unsigned shape)
{
    double sum = 0;

    for (unsigned i = 0; i < shape; i++)
        sum -= fm_log(1 - unit(d));
    return sum;
}

static unsigned
poisson(struct draw *d, double mean)
{
    double left = fm_exp(-mean), product = unit(d);
    unsigned n = 0;

    for (; product > left; n++)
        product *= unit(d);
    return n;
}

/* ---- higgs ---- */

static double
tag(struct draw *d)
{
    double u = unit(d);

    return u < 0.5 ? 0 : u < 0.8 ? 1.086 : u < 0.95 ? 2.173 : 3.102;
}

static double
measured(struct draw *d, unsigned j)
{
    switch (j % 7) {
    case 0:
    case 3:
        return gamma_of(d, 2) / 2;
    case 1:
    case 4:
        return normal(d);
    case 6:
        return tag(d);
    default:
        return (2 * unit(d) - 1) * 1.74;
    }
}

/* What two of momentum, rapidity and angle weigh together. */
static double
mass(const double *a, const double *b)
{
    double y = 0.7 * (a[1] - b[1]);
    double cosh = (fm_exp(y) + fm_exp(-y)) / 2;

    return sqrt(fmax(0, 2 * a[0] * b[0] * (cosh - cos(a[2] - b[2]))));
}

static double
bump(double x, double at, double width)
{
    double z = (x - at) / width;

    return fm_exp(-z * z);
}

/* Log odds: bumps of masses, products, waves; about half the rows are 1. */
static double
log_odds(const double *x, const double *m)
{
    double s = 1.9 * bump(m[0], 1.0, 0.35) + 1.6 * bump(m[3], 1.4, 0.4) -
               1.3 * bump(m[5], 0.7, 0.4) + 0.5 * tanh(m[6] - 2.2);

    s += 0.45 * x[6] * (x[1] * x[8] > 0) + 0.35 * x[1] * x[4] * (x[13] > 0);
    s += 0.5 * sin(2 * x[2]) * cos(2 * x[9]);
    s += 0.3 * log1p(x[14]) * x[18] - 0.25 * fabs(x[15]) + 0.2 * x[20];
    return 1.35 * (s - HIGGS_MIDDLE) + 0.1;
}

static void
higgs(size_t n)
{
    static const unsigned pair[][2] = {{0, 3}, {7, 10}, {14, 17},
                                       {0, 7}, {3, 14}, {10, 17}};

    fputs("target", stdout);
    for (unsigned j = 0; j < N_FEATURES; j++)
        printf(",f%u", j);
    putchar('\n');
    for (size_t i = 0; i < n; i++) {
        struct draw d = {i, 0};
        double x[N_FEATURES], m[N_FEATURES - N_MEASURED];

        for (unsigned j = 0; j < N_MEASURED; j++)
            x[j] = measured(&d, j);
        for (unsigned k = 0; k < LENGTH(pair); k++)
            m[k] = mass(x + pair[k][0], x + pair[k][1]);
        m[6] = sqrt(m[0] * m[0] + m[1] * m[1] + m[3] * m[3]);
        for (unsigned k = 0; k < LENGTH(m); k++)
            x[N_MEASURED + k] = m[k] * fm_exp(0.15 * normal(&d));
        printf("%d", unit(&d) < 1 / (1 + fm_exp(-log_odds(x, m))));
        for (unsigned j = 0; j < N_FEATURES; j++)
            printf(",%.6g", x[j]);
        putchar('\n');
    }
}

/* ---- mixed ---- */

static const char *const status[] = {"open", "billed", "sent", "back", "void"};
static const char *const countries[] = {"Danmark",
                                        "Österreich",
                                        "España",
                                        "Κύπρος",
                                        "Україна",
                                        "日本",
                                        "대한민국",
                                        "Türkiye",
                                        "México",
                                        "Perú",
                                        "Côte d'Azur",
                                        "Ísland",
                                        "Éire",
                                        "Portugal",
                                        "Italia",
                                        "Norge",
                                        "Latvija",
                                        "Tanzania",
                                        "Ghana",
                                        "Kenya",
                                        "Chile",
                                        "Canada",
                                        "New Zealand",
                                        "Fiji",
                                        "Samoa",
                                        "Congo, Republic of the",
                                        "Iran, Islamic Republic of",
                                        "Nepal",
                                        "Việt Nam",
                                        "Bhutan"};
static const char *const words[] = {"left",        "at",
                                    "door",        "neighbour",
                                    "früh",        "spät",
                                    "kaputt",      "naïf",
                                    "garçon",      "señal",
                                    "second",      "try",
                                    "paid",        "in cash",
                                    "smaller",     "larger",
                                    "blue",        "green",
                                    "label",       "unreadable",
                                    "bent",        "weight",
                                    "rather good", "as agreed",
                                    "7\" reel",    "called \"urgent\"",
                                    "tax, duty",   "size 4,5"};

/* With quotes around it where it must have them. */
static void
put_text(const char *s)
{
    if (!strpbrk(s, ",\"")) {
        fputs(s, stdout);
        return;
    }
    putchar('"');
    for (; *s; s++) {
        if (*s == '"')
            putchar('"');
        putchar(*s);
    }
    putchar('"');
}

/* A fixed number of digits, then no zeros at the end but one. */
static void
put_rounded(double x, int digits)
{
    char text[64];
    int n = snprintf(text, sizeof text, "%.*f", digits, x);

    while (text[n - 1] == '0' && text[n - 2] != '.')
        text[--n] = '\0';
    fputs(text, stdout);
}

/* "2019-04-30", and the time of the day behind it. */
static void
put_time(int64_t seconds, bool clock)
{
    time_t t = (time_t)seconds;
    char text[32];
    struct tm tm;

    gmtime_r(&t, &tm);
    if (clock)
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
    else
        strftime(text, sizeof text, "%Y-%m-%d", &tm);
    fputs(text, stdout);
}

static void
put_number(struct draw *d, size_t user, unsigned column)
{
    double a;

    switch (column) {
    case 1:
        printf("%zu", user);
        break;
    case 2:
        printf("%u", poisson(d, 3));
        break;
    case 3:
        put_rounded(fm_exp(3 + normal(d)), 2);
        break;
    case 4:
        a = gamma_of(d, 2);
        put_rounded(a / (a + gamma_of(d, 8)), 4);
        break;
    case 5:
        put_rounded((2 * unit(d) - 1) * 90, 6);
        break;
    case 6:
        put_rounded((2 * unit(d) - 1) * 180, 6);
        break;
    case 7:
        printf("%.8g", normal(d));
        break;
    case 8:
        printf("%zu", below(d, 10000000000));
        break;
    case 9:
        put_rounded(12 + 9 * normal(d), 1);
        break;
    default:
        printf("%.6e", fm_exp(4 * normal(d) - 5));
    }
}

static void
put_note(struct draw *d)
{
    char text[256] = "";
    size_t n = 1 + below(d, 4), len = 0;

    for (size_t i = 0; i < n; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s",
                                i ? " " : "", words[below(d, LENGTH(words))]);
    put_text(text);
}

static void
put_other(struct draw *d, size_t user, unsigned column)
{
    char text[64];
    size_t k;

    switch (column) {
    case 11:
        fputs(status[below(d, 3) + below(d, 3)], stdout);
        break;
    case 12:
        put_text(countries[below(d, LENGTH(countries))]);
        break;
    case 13:
        k = below(d, 100);
        snprintf(text, sizeof text, k % 4 ? "kind %02zu" : "set %zu, \"%c\"", k,
                 (char)('A' + k % 26));
        put_text(text);
        break;
    case 14:
        snprintf(text, sizeof text,
                 user % 11 ? "client%06zu" : "Größe-%06zu, d'Or", user);
        put_text(text);
        break;
    case 15:
        k = below(d, 100000000);
        printf("%c%c-%08zu", (char)('A' + k % 26), (char)('A' + k / 26 % 26),
               k);
        break;
    case 16:
        put_note(d);
        break;
    case 17:
        fputs(unit(d) < 0.7 ? "true" : "false", stdout);
        break;
    case 18:
        put_time((int64_t)(16000 + below(d, 4000)) * DAY, false);
        break;
    default:
        put_time(18000 * DAY + (int64_t)below(d, 200000000), true);
    }
}

static void
mixed(size_t n)
{
    enum { FIRST_TEXT = 11, N_COLUMNS = 20 };

    puts("id,user_id,qty,price,discount,lat,lon,score,amount_cents,temp,ratio,"
         "status,country,category,customer,sku,note,active,day,ts");
    for (size_t i = 0; i < n; i++) {
        struct draw d = {i, 0};
        size_t user = below(&d, N_USERS);

        printf("%zu", i);
        for (unsigned k = 1; k < N_COLUMNS; k++) {
            putchar(',');
            if (unit(&d) < 0.05)
                continue;
            if (k < FIRST_TEXT)
                put_number(&d, user, k);
            else
                put_other(&d, user, k);
        }
        putchar('\n');
    }
}

int
main(int argc, char **argv)
{
    size_t n = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;

    if (argc > 1 && strcmp(argv[1], "higgs") == 0)
        higgs(n ? n : 1000000);
    else if (argc > 1 && strcmp(argv[1], "mixed") == 0)
        mixed(n ? n : 2000000);
    else
        return 2;
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}

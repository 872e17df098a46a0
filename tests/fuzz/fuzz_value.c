/* fuzz_value -- any bytes as one value of each type.
 *
 * Beyond not crashing: a float is what the C library reads, an int too; the
 * fast readers give what the exact ones give, or nothing; the class of a field
 * is one that its value parses as; and what was read prints as text that reads
 * back the same.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/mem.h"
#include "frame/csv_cells.h"
#include "frame/csv_daymonth.h"
#include "frame/csv_value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { LEN_MAX = 512, BEFORE = 32 };

static void
check(bool ok)
{
    if (!ok)
        abort();
}

static bool
same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* The C library takes more forms (hexadecimal, blanks in front): only digits
 * and what belongs to them are given to both. */
static void
as_the_c_library(struct str s, const char *text)
{
    int64_t i = 0;
    double x = 0, want;
    char *end;

    if (s.n == 0 || strspn(text, "0123456789+-.eE") != s.n)
        return;
    want = strtod(text, &end);
    if (str_to_f64(s, &x))
        check(end == text + s.n && same_bits(x, want));
    if (str_to_i64(s, &i)) {
        errno = 0;
        check(strtoll(text, &end, 10) == i && errno == 0 && *end == '\0');
    }
}

/* Bytes before the value may be read, but must not change it. */
static void
fast_as_exact(const char *room, const char *s, const char *end)
{
    struct str text = {s, (size_t)(end - s)};
    int64_t i = 0, want_i = 0;
    double x = 0, want_x = 0;

    if (csv_fast_i64(room, s, end, &i))
        check(str_to_i64(text, &want_i) && i == want_i);
    if (csv_fast_f64(room, s, end, &x))
        check(str_to_f64(text, &want_x) && same_bits(x, want_x));
}

/* The runs of fields: one field here. */
static void
runs_as_exact(const char *room, const char *s, const char *end)
{
    uint32_t from = (uint32_t)(s - room), to = (uint32_t)(end - room);
    struct csv_cells c = {room, room, &from, &to};
    struct str text = {s, (size_t)(end - s)};
    int64_t i = 0, want = 0;
    int32_t day = 0;
    uint8_t b = 0;
    double x;

    if (csv_cells_dates(&c, 0, 1, &day) == 1)
        check(column_parse(COL_DATE, text, &want, &x) && want == day);
    if (csv_cells_timestamps(&c, 0, 1, &i) == 1)
        check(column_parse(COL_TIMESTAMP, text, &want, &x) && want == i);
    if (csv_cells_bools(&c, 0, 1, &b) == 1)
        check(column_parse(COL_BOOL, text, &want, &x) && want == b);
}

static void
class_as_value(struct str s)
{
    struct csv_nulls nulls;
    struct csv_cell c = csv_cell_at(s.p, s.p + s.n);
    enum csv_class class;
    int64_t i;
    double x;

    csv_nulls_init(&nulls, NULL);
    class = csv_classify(c, &nulls);
    check((class == CSV_NONE) == csv_cell_is_null(c, &nulls));
    if (class != CSV_NONE && class != CSV_TEXT)
        check(csv_cell_parse(c, class, &i, &x));
    check(csv_join(class, class) == class &&
          csv_join(CSV_NONE, class) == class);
}

static void
prints_and_reads_back(struct str s)
{
    char out[STR_F64_MAX + 8];
    int64_t us, us_again;
    int32_t day, day_again;
    double x, x_again;
    int year, month, mday;

    if (str_to_f64(s, &x) && x == x)
        check(str_to_f64((struct str){out, str_from_f64(x, out)}, &x_again) &&
              same_bits(x, x_again));
    if (str_to_date(s, &day)) {
        str_civil(day, &year, &month, &mday);
        check(str_days(year, month, mday) == day);
        check(str_to_date((struct str){out, str_from_date(day, out)},
                          &day_again) &&
              day == day_again);
    }
    /* A zone may lead to years that are printed and not read. */
    if (str_to_timestamp(s, &us)) {
        size_t n = str_from_timestamp(us, out);

        check(n < sizeof out);
        if (str_to_timestamp((struct str){out, n}, &us_again))
            check(us == us_again);
    }
}

static void
as_each_type(struct str s)
{
    int64_t i;
    uint64_t bytes;
    double x;

    for (enum col_type t = COL_BOOL; t <= COL_TIMESTAMP; t++)
        (void)!column_parse(t, s, &i, &x);
    for (enum csv_class c = CSV_XDY; c <= CSV_MDY_TIME; c++)
        (void)!csv_daymonth_parse(s, c, &i);
    if (budget_parse(s, &bytes))
        check(bytes < UINT64_C(9000000000000000000));
}

/* "column=type", which is a terminated text. */
static void
as_a_type(const char *text)
{
    struct str column;
    enum csv_class class;
    struct error err = {0};

    if (csv_type_parse(text, &column, &class, &err))
        check(class > CSV_NONE && column.n < strlen(text));
    else
        check(err.code == ERR_USAGE && err.message[0]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char *room;
    struct str s;

    if (len > LEN_MAX)
        return 0;
    room = mem_new(BEFORE + len + 1);
    memset(room, '7', BEFORE);
    memcpy(room + BEFORE, data, len);
    s = (struct str){room + BEFORE, len};
    as_the_c_library(s, s.p);
    as_a_type(s.p);
    for (int i = 0; i < 2; i++) {
        fast_as_exact(i ? room : s.p, s.p, s.p + len);
        runs_as_exact(i ? room : s.p, s.p, s.p + len);
    }
    class_as_value(s);
    prints_and_reads_back(s);
    as_each_type(s);
    free(room);
    return 0;
}

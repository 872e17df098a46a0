/* frame/csv_value.h -- one field of delimited text: missing, what type, what
 * value.  Internal to csv.
 *
 * The types of a column's values are joined from CSV_NONE upwards: int and
 * float give float, date and timestamp give timestamp, any other mixture text.
 * Dates with the year last join to the order that all of them allow; where both
 * remain, or none, the column is text.
 * Blanks around an unquoted number or null token do not count.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_CSV_VALUE_H
#define LATHE_FRAME_CSV_VALUE_H

#include "base/str.h"
#include "frame/column.h"

enum csv_class {
    CSV_NONE,      /* nothing present so far */
    CSV_BOOL,      /* true, false; as a text with a capital, or in capitals */
    CSV_BOOL_TOLD, /* by a type alone: as column_parse() */
    CSV_INT,
    CSV_FLOAT,
    CSV_DATE,
    CSV_TIMESTAMP,
    CSV_TEXT,
    /* 3/4/2024: either order, day first, month first; and with a time. */
    CSV_XDY,
    CSV_XDY_TIME,
    CSV_DMY,
    CSV_DMY_TIME,
    CSV_MDY,
    CSV_MDY_TIME
};
enum csv_class csv_join(enum csv_class a, enum csv_class b);
enum csv_class csv_class_of(enum col_type t);
enum col_type csv_type_of(enum csv_class c); /* CSV_NONE, _XDY: text */
/* More values would have to say what it is. */
bool csv_class_open(enum csv_class c);
/* "column=type" with a type's word, dmy or mdy.  ERR_USAGE names the nearest. */
bool csv_type_parse(const char *text, struct str *column, enum csv_class *out,
                    struct error *err) MUST_USE;

struct csv_nulls {
    const char *const *words; /* NULL-ended */
    bool first[256];          /* bytes that a word begins with */
    bool numeric;             /* some word may be a number */
};
void csv_nulls_init(struct csv_nulls *n, const char *const *words);

struct csv_cell {
    struct str s; /* within the quotes, if any; doubled quotes still doubled */
    bool quoted;
};
/* begin < end only when the field is not empty; quotes are in order. */
static inline struct csv_cell
csv_cell_at(const char *begin, const char *end)
{
    size_t n = (size_t)(end - begin);

    if (n >= 2 && *begin == '"')
        return (struct csv_cell){{begin + 1, n - 2}, true};
    return (struct csv_cell){{begin, n}, false};
}
/* Are the quotes of the field begin..end in order?  *open: none closes it. */
bool csv_quotes_ok(const char *begin, const char *end, bool *open);
/* The text with doubled quotes undone: c.s itself, or bytes in scratch. */
struct str csv_cell_text(struct csv_cell c, struct buf *scratch);
/* As column_parse() and csv_daymonth_parse(), blanks around the value aside. */
bool csv_cell_parse(struct csv_cell c, enum csv_class t, int64_t *i,
                    double *x) MUST_USE;
/* Is a typed value missing?  (In a text column what is quoted is present.) */
bool csv_cell_is_null(struct csv_cell c, const struct csv_nulls *n);
/* CSV_NONE for a missing value. */
enum csv_class csv_classify(struct csv_cell c, const struct csv_nulls *n);

/* The common forms, fast; false for others, which may still be numbers.
 * Floats are correctly rounded.  The value is s..end of the text that begins
 * at `text`; bytes before s may be read, none after end. */
bool csv_fast_i64(const char *text, const char *s, const char *end,
                  int64_t *out) MUST_USE;
bool csv_fast_f64(const char *text, const char *s, const char *end,
                  double *out) MUST_USE;
#endif

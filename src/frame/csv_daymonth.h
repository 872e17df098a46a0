/* frame/csv_daymonth.h -- dates with the year last: 31/12/2024, 12/31/2024,
 * 31.12.2024, 31-12-2024, with a time of day or without.
 *
 * A text alone may allow both orders: the values of a column have to agree on
 * one, and only an order that is the only one left counts.  With points the day
 * is first.
 * Internal to csv.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_CSV_DAYMONTH_H
#define LATHE_FRAME_CSV_DAYMONTH_H

#include "frame/csv_value.h"

/* CSV_XDY and what follows it; CSV_TEXT: no such date. */
enum csv_class csv_daymonth_class(struct str s);
enum csv_class csv_daymonth_join(enum csv_class a, enum csv_class b);
/* Days, or microseconds in a class with a time, where the time may be left
 * out.  In CSV_XDY: does it allow both orders? */
bool csv_daymonth_parse(struct str s, enum csv_class c, int64_t *out) MUST_USE;
#endif

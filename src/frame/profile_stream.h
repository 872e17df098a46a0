/* frame/profile_stream.h -- the profile of a table beyond memory.
 *
 * The same struct profile that profile_new() gives, in one pass over a stream,
 * so that all reports hold for it.
 *
 * Exact: rows, missing values, their patterns (the first 4,096 of them) and
 * correlations, sum, mean, sd, skewness, kurtosis, min, max, smallest and
 * largest values, zeros, negative and infinite ones, steps up and down, lengths
 * of texts, rows that repeat an earlier one (but for two rows of one 64-bit
 * hash; the hashes are spilled, 8 bytes a row), near duplicates, and of
 * columns with few distinct values (32,768; 512 in very wide tables) all that
 * profile_new() tells.
 *
 * Estimated, within an error that is stated in struct profile_errors, where
 * there are more: distinct and unique values and entropy
 * (frame/sketch_distinct.h), quantiles and mad (frame/sketch_quantile.h), the
 * most frequent values (frame/sketch_heavy.h; texts are cut to 1,024 bytes),
 * the histogram (frame/sketch_histogram.h), and, while the number of rows is
 * not known beforehand, the parts of the rows that values are missing in.
 *
 * Another table, in memory or a stream, too: rows, missing values and rows in
 * common are exact, drift is measured on its sample, as in profile_new().
 *
 * On a sample, as in profile_new(): words, relations, target, units, drift
 * against another table.  It is 20,000 rows, evenly spaced, fewer where they
 * would take over 16 MiB, and becomes the profile's frame.  Over time the last
 * 20,000 rows are looked at, and the steps of these.
 *
 * Memory: about 3 MiB for a column of many values, 12 MiB beside, 16 MiB
 * more for another table that is streamed, and what a batch takes.  The result
 * depends neither on threads nor, but for the counts of the most frequent texts
 * where they are estimates, on how the rows are cut into batches.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_PROFILE_STREAM_H
#define LATHE_FRAME_PROFILE_STREAM_H

#include "frame/profile.h"
#include "frame/stream.h"

/* Reads s, which stands before its first row, to its end, and before that
 * o->against_rows.  Errors as of profile_new() and stream_next(). */
struct profile *
profile_stream(struct stream *s, const struct profile_options *o,
               struct progress *progress, struct error *err) MUST_USE;
#endif

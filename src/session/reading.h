/* session/reading.h -- how a table is to be read, out of a call's arguments.
 *
 * The arguments are those of command_reading: --types, --null, --delimiter,
 * --header, --encoding.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SESSION_READING_H
#define LATHE_SESSION_READING_H

#include "engine/model.h"
#include "frame/source.h"
#include "session/command.h"

/* The texts are the call's. */
struct reading_options {
    struct source_options source;
    const char **types, **nulls; /* what source points to */
    struct buf texts;            /* of types that no argument tells */
};

/* ERR_USAGE tells which is wrong and the nearest that is right.
 *   beside  a table beside the command's own: a type of a column that it does
 *           not have is no error */
bool reading_options_init(struct reading_options *r, const struct call *c,
                          bool beside, struct error *err) MUST_USE;
void reading_options_fini(struct reading_options *r);
/* What a table is to be like: NULL what is not. */
struct reading_like {
    const struct model *model; /* its inputs, and classes that are texts */
    const struct frame *frame; /* its columns of texts */
};

/* Columns of f that are to be texts and were read as something else, as "007"
 * is, are to be read as texts; but those whose type an argument tells.
 * f: a table that was read so, or its head; NULL: none so far, and nothing is
 * told of columns that there are not.  *any: there are such. */
bool reading_options_texts(struct reading_options *r, const struct frame *f,
                           const struct reading_like *like, bool *any,
                           struct error *err) MUST_USE;

/* Give a call those of another one. */
bool reading_options_pass(const struct call *from, struct call *to,
                          struct error *err) MUST_USE;

/* What to say of a table with fields that are not UTF-8. */
void reading_say_foreign(const struct csv_table *t, struct buf *out);

/* The reading options alone: of what the Data view is asked to open.  No
 * command of the table. */
extern const struct command reading_open;
#endif

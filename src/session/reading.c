/* session/reading.c -- how a table is to be read, out of a call's arguments.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/reading.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "session/cmd.h"

const struct command reading_open = {"open",
                                     "Open a table",
                                     NULL,
                                     "open churn.csv --delimiter ';'",
                                     CMD_READS | CMD_HIDDEN,
                                     NULL,
                                     NULL};

static bool
take_header(const struct call *c, int *out, struct error *err)
{
    const char *word = call_text(c, "header");
    bool none = call_flag(c, "no-header");

    *out = none ? 0 : -1;
    if (!word)
        return true;
    if (none)
        return error_set(err, ERR_USAGE,
                         "%s: --header and --no-header, expected one of them",
                         call_command(c)->name);
    *out = strcmp(word, "yes") == 0;
    return true;
}

static bool
take(struct reading_options *r, const struct call *c, struct error *err)
{
    const char *delimiter = call_text(c, "delimiter");
    const char *encoding = call_text(c, "encoding");
    struct csv_options *csv = &r->source.csv;

    r->types = cmd_all(c, "types");
    r->nulls = cmd_all(c, "null");
    csv->types = r->types;
    csv->nulls = r->nulls;
    return (!delimiter ||
            csv_delimiter_parse(delimiter, &csv->delimiter, err)) &&
           (!encoding || encoding_parse(encoding, &r->source.encoding, err)) &&
           csv_types_check(csv->types, err);
}

bool
reading_options_init(struct reading_options *r, const struct call *c,
                     bool beside, struct error *err)
{
    *r = (struct reading_options){.source.csv.types_loose =
                                      beside ? SIZE_MAX : 0};
    buf_init(&r->texts);
    if (!take_header(c, &r->source.csv.header, err))
        return false;
    if (take(r, c, err))
        return true;
    reading_options_fini(r);
    return error_prefix(err, "%s: ", call_command(c)->name);
}

void
reading_options_fini(struct reading_options *r)
{
    free(r->types);
    free(r->nulls);
    r->types = r->nulls = NULL;
    buf_fini(&r->texts);
}

/* ---- like what is there ---- */

static bool
is_told(const struct reading_options *r, const char *name)
{
    for (size_t i = 0; r->types && r->types[i]; i++) {
        size_t n = (size_t)(strrchr(r->types[i], '=') - r->types[i]);

        if (strlen(name) == n && memcmp(name, r->types[i], n) == 0)
            return true;
    }
    return false;
}

/* A class of numbers or bools is named as these are printed. */
static bool
is_text_class(const char *name)
{
    struct buf number;
    double v;
    bool text = true;

    if (strcmp(name, "true") == 0 || strcmp(name, "false") == 0)
        return false;
    if (!str_to_f64(str_of(name), &v))
        return true;
    buf_init(&number);
    buf_double(&number, v);
    text = strcmp(number.data, name) != 0;
    buf_fini(&number);
    return text;
}

static bool
has_text_classes(const struct model *m)
{
    const char *const *names;
    size_t n = model_classes(m, &names);

    for (size_t i = 0; i < n; i++)
        if (is_text_class(names[i]))
            return true;
    return false;
}

/* Note a column as one of texts, where it was not read so; returns how many
 * were noted. */
static size_t
want_text(struct reading_options *r, const struct frame *f, const char *name)
{
    long col = f ? frame_find(f, name) : -1;

    if (is_told(r, name) ||
        (f &&
         (col < 0 || column_type(frame_column(f, (size_t)col)) == COL_TEXT)))
        return 0;
    buf_printf(&r->texts, "%s=text", name);
    buf_putc(&r->texts, '\0');
    return 1;
}

static size_t
want_model(struct reading_options *r, const struct frame *f,
           const struct model *m)
{
    size_t n_inputs, n = 0;
    const struct input *in = model_inputs(m, &n_inputs);

    for (size_t i = 0; i < n_inputs; i++)
        if (in[i].type == COL_TEXT)
            n += want_text(r, f, in[i].name);
    if (model_target(m) && has_text_classes(m))
        n += want_text(r, f, model_target(m));
    return n;
}

static size_t
want_frame(struct reading_options *r, const struct frame *f,
           const struct frame *like)
{
    size_t n = 0;

    for (size_t i = 0; i < frame_cols(like); i++)
        if (column_type(frame_column(like, i)) == COL_TEXT)
            n += want_text(r, f, frame_name(like, i));
    return n;
}

bool
reading_options_texts(struct reading_options *r, const struct frame *f,
                      const struct reading_like *like, bool *any,
                      struct error *err)
{
    size_t n = 0, told = 0, at = 0;
    const char **types;

    if (like->model)
        n += want_model(r, f, like->model);
    if (like->frame)
        n += want_frame(r, f, like->frame);
    *any = n > 0;
    if (n == 0)
        return true;
    while (r->types && r->types[told])
        told++;
    if (!buf_check(&r->texts, err) ||
        !(types = mem_try_resize(r->types, told + n + 1, sizeof *types, err)))
        return false;
    for (size_t i = told; i < told + n; i++) {
        types[i] = r->texts.data + at;
        at += strlen(types[i]) + 1;
    }
    types[told + n] = NULL;
    r->types = types;
    r->source.csv.types = types;
    if (!f && r->source.csv.types_loose < SIZE_MAX)
        r->source.csv.types_loose = n;
    return true;
}

bool
reading_options_pass(const struct call *from, struct call *to,
                     struct error *err)
{
    for (const struct arg *a = command_reading; a->name; a++)
        for (size_t i = 0; i < call_count(from, a->name); i++)
            if (!call_set(to, a->name, call_nth(from, a->name, i), err))
                return false;
    return true;
}

void
reading_say_foreign(const struct csv_table *t, struct buf *out)
{
    buf_printf(out,
               "line %zu: not UTF-8, %zu %s%s kept as is; --encoding latin1 or "
               "windows-1252 tells what it is",
               t->foreign_line, t->n_foreign, t->delimiter ? "field" : "line",
               t->n_foreign == 1 ? "" : "s");
}

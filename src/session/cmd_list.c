/* session/cmd_list.c -- lists of records, and which are wanted: --where.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>

#include "base/mem.h"
#include "frame/expr.h"
#include "frame/jsonl.h"
#include "session/cmd.h"

void
cmd_put_flat(struct json_writer *w, const char *object)
{
    struct error err;
    struct json *root = json_parse(str_of(object), &err);

    for (const struct json *v =
             root && json_type(root) == JSON_OBJECT ? json_first(root) : NULL;
         v; v = json_next(v))
        if (json_type(v) == JSON_NUMBER) {
            json_name(w, json_key(v));
            json_put_double(w, json_number(v));
        }
    json_free(root);
}

void
cmd_put_time(struct json_writer *w, const char *name, int64_t ms)
{
    char text[LISTING_WORD];

    listing_time(ms, text);
    json_name(w, name);
    json_put_string(w, text[0] ? text : NULL);
}

/* With numbers, all missing, where no value of a column tells its type. */
static struct frame *
with_numbers(struct task *t, const struct frame *f, struct error *err)
{
    struct expr *none = expr_parse(STR("0.0 / 0"), err);
    struct frame *out = none ? frame_ref(f) : NULL;

    for (size_t c = 0; out && c < frame_cols(f); c++) {
        struct frame *with = NULL;
        struct column *numbers;

        if (column_missing(frame_column(f, c)) < frame_rows(f))
            continue;
        if ((numbers = expr_eval(none, f, task_pool(t), err)))
            with = frame_with(out, frame_name(f, c), numbers, err);
        frame_unref(out);
        out = with;
    }
    expr_free(none);
    return out;
}

/* The rows of f for which `where` is true, in keep, which is false. */
static bool
mark(struct task *t, const char *where, const struct frame *f, bool *keep,
     struct error *err)
{
    struct expr *e = expr_parse(str_of(where), err);
    struct frame *other = NULL;
    uint32_t *rows = NULL;
    struct error none;
    size_t n = 0;
    bool ok = e && expr_where(e, f, task_pool(t), &rows, &n, err);

    if (e && !ok && (other = with_numbers(t, f, &none)))
        ok = expr_where(e, other, task_pool(t), &rows, &n, &none);
    frame_unref(other);
    for (size_t i = 0; ok && i < n; i++)
        keep[rows[i]] = true;
    free(rows);
    expr_free(e);
    return ok;
}

static void
put_record(const struct cmd_list *list, size_t i, bool more,
           struct json_writer *w)
{
    json_open(w, '{');
    list->put(list->of, i, w);
    if (more && list->put_more)
        list->put_more(list->of, i, w);
    json_close(w, '}');
}

/* The records as a table. */
static bool
read_records(struct task *t, const struct cmd_list *list, struct csv_table *out,
             struct error *err)
{
    struct buf lines;
    bool ok;

    buf_init(&lines);
    for (size_t i = 0; i < list->n; i++) {
        struct json_writer w;

        json_writer_init(&w, &lines);
        put_record(list, i, true, &w);
        buf_putc(&lines, '\n');
    }
    ok = buf_check(&lines, err) &&
         jsonl_parse((struct str){lines.data, lines.len}, "list", NULL,
                     task_pool(t), task_progress(t), out, err);
    buf_fini(&lines);
    if (!ok || frame_rows(out->frame) == list->n)
        return ok;
    error_set(err, ERR_PARSE, "only %zu of %zu can be read",
              frame_rows(out->frame), list->n);
    csv_table_fini(out);
    return false;
}

/* Which of them are wanted; caller frees. */
static bool *
choose(struct task *t, const struct call *c, const struct cmd_list *list,
       struct error *err)
{
    const char *where = call_text(c, "where");
    struct csv_table table;
    bool *keep = mem_try_array(list->n + 1, sizeof *keep, err), ok;

    for (size_t i = 0; keep && i < list->n; i++)
        keep[i] = !where;
    if (!keep || !where || list->n == 0)
        return keep;
    if ((ok = read_records(t, list, &table, err))) {
        ok = mark(t, where, table.frame, keep, err);
        csv_table_fini(&table);
    }
    if (ok)
        return keep;
    if (err->code != ERR_CANCELLED && err->code != ERR_NOMEM)
        err->code = ERR_USAGE;
    error_prefix(err, "where: ");
    free(keep);
    return NULL;
}

static void
tell_json(const struct cmd_list *list, const bool *keep, struct call *c)
{
    struct json_writer w;
    size_t told = 0;

    cmd_json(c, &w);
    json_open(&w, '[');
    for (size_t i = 0; i < list->n && (!list->most || told < list->most); i++)
        if (keep[i]) {
            put_record(list, i, false, &w);
            told++;
        }
    json_close(&w, ']');
    cmd_json_end(c);
}

static void
tell_lines(const struct cmd_list *list, const bool *keep, struct call *c)
{
    struct listing *l = listing_new(list->titles);
    size_t told = 0;

    for (size_t i = 0; i < list->n && (!list->most || told < list->most); i++)
        if (keep[i]) {
            list->row(list->of, i, l);
            told++;
        }
    if (told > 0)
        listing_print(l, call_list_width(c), call_out(c));
    else
        buf_printf(call_out(c), "%s\n", list->n ? list->none_so : list->none);
    listing_free(l);
}

bool
cmd_list(struct task *t, struct call *c, const struct cmd_list *list,
         struct error *err)
{
    bool *keep = choose(t, c, list, err);

    if (!keep)
        return false;
    if (call_json(c))
        tell_json(list, keep, c);
    else
        tell_lines(list, keep, c);
    free(keep);
    return true;
}

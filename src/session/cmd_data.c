/* session/cmd_data.c -- commands on tables: profile, head, schema and query.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "frame/expr.h"
#include "frame/query.h"
#include "frame/source.h"
#include "session/cmd.h"

/* ---- shared ---- */

/* How many rows were set aside, and where and why the first ones. */
static void
tell_rejects(struct task *t, const char *path, const struct csv_table *table)
{
    enum { SHOWN = 3 };
    const struct frame *f = table->rejects;
    long line = frame_find(f, "line"), reason = frame_find(f, "reason");
    struct buf text;

    buf_init(&text);
    buf_printf(&text, "%s: %zu row%s set aside", path, table->n_rejected,
               table->n_rejected == 1 ? "" : "s");
    for (size_t i = 0; i < frame_rows(f) && i < SHOWN; i++) {
        buf_puts(&text, i ? "; line " : ": line ");
        column_print(frame_column(f, (size_t)line), i, &text);
        buf_puts(&text, ", ");
        column_print(frame_column(f, (size_t)reason), i, &text);
    }
    if (table->n_rejected > SHOWN)
        buf_puts(&text, "; ...");
    task_log(t, "%s", text.data);
    session_message(task_session(t), MESSAGE_WARN, "%s", text.data);
    buf_fini(&text);
}

struct frame *
cmd_table(struct task *t, const char *path, struct error *err)
{
    struct session *s = task_session(t);
    struct csv_table table;
    struct frame *f;

    if (!source_read(path, NULL, session_pool(s), task_progress(t), &table,
                     err))
        return NULL;
    if (table.n_rejected)
        tell_rejects(t, path, &table);
    f = frame_ref(table.frame);
    csv_table_fini(&table);
    return f;
}

const char **
cmd_all(const struct call *c, const char *name)
{
    size_t n = call_count(c, name);
    const char **all = n ? mem_new((n + 1) * sizeof *all) : NULL;

    for (size_t i = 0; i < n; i++)
        all[i] = call_nth(c, name, i);
    return all;
}

struct store *
cmd_store(struct session *s, struct error *err)
{
    struct store *store = session_store(s, false, err);

    if (!store && err->code == ERR_NOTFOUND)
        error_set(err, ERR_NOTFOUND,
                  "there is no project in %s or above it yet: the first "
                  "`lathe train` makes one",
                  session_project(s));
    return store;
}

bool
cmd_goes_on(struct task *t, struct error *err)
{
    return progress_check(task_progress(t), err) ||
           error_set(err, ERR_CANCELLED, "stopped; nothing was written");
}

struct model *
cmd_open_model(struct session *s, const char *name, char **label,
               struct error *err)
{
    struct error none;
    struct store *store = session_store(s, false, &none);
    char *path, *text;
    struct model *m;

    /* A file needs no project, not even a sound one. */
    if (!model_resolve(store, name, &path, &text, err)) {
        if (!store && none.code != ERR_NOTFOUND)
            *err = none;
        return NULL;
    }
    m = model_open(path, family_find, err);
    free(path);
    if (m && label)
        *label = text;
    else
        free(text);
    return m;
}

void
cmd_json(struct call *c, struct json_writer *w)
{
    json_writer_init(w, call_out(c));
}

void
cmd_json_end(struct call *c)
{
    buf_putc(call_out(c), '\n');
}

/* ---- profile ---- */

static bool
is_utf8(const struct call *c)
{
    return !call_plain(c);
}

bool
cmd_profile(struct session *s, struct task *t, struct call *c,
            struct error *err)
{
    struct frame *f = cmd_table(t, call_text(c, "data"), err);
    struct json_writer w;
    struct profile *p;

    if (!f)
        return false;
    p = profile_new(f, call_text(c, "target"), session_pool(s),
                    task_progress(t), err);
    frame_unref(f);
    if (!p)
        return false;
    if (call_json(c)) {
        cmd_json(c, &w);
        profile_json(p, &w);
        cmd_json_end(c);
    } else if (call_flag(c, "md")) {
        profile_markdown(p, call_out(c));
    } else {
        profile_print(p, call_width(c), is_utf8(c), call_out(c));
    }
    profile_free(p);
    return true;
}

/* ---- looking ---- */

bool
cmd_head(struct session *s, struct task *t, struct call *c, struct error *err)
{
    struct frame *f = cmd_table(t, call_text(c, "data"), err);
    int64_t n = call_int(c, "rows");

    (void)s;
    if (!f)
        return false;
    if (n < 0)
        n = 0;
    if (call_json(c)) {
        frame_json(f, 0, (size_t)n < frame_rows(f) ? (size_t)n : frame_rows(f),
                   call_out(c));
        cmd_json_end(c);
    } else {
        frame_print(f, (size_t)n, call_width(c), call_out(c));
    }
    frame_unref(f);
    return true;
}

static void
schema_json(const struct frame *f, struct json_writer *w)
{
    json_open(w, '{');
    json_name(w, "rows");
    json_put_i64(w, (int64_t)frame_rows(f));
    json_name(w, "columns");
    json_open(w, '[');
    for (size_t i = 0; i < frame_cols(f); i++) {
        const struct column *col = frame_column(f, i);

        json_open(w, '{');
        json_name(w, "name");
        json_put_string(w, frame_name(f, i));
        json_name(w, "type");
        json_put_string(w, column_type_word(column_type(col)));
        json_name(w, "missing");
        json_put_i64(w, (int64_t)column_missing(col));
        json_close(w, '}');
    }
    json_close(w, ']');
    json_close(w, '}');
}

bool
cmd_schema(struct session *s, struct task *t, struct call *c, struct error *err)
{
    static const char *const titles[] = {"column", "type", ">missing", NULL};
    struct frame *f = cmd_table(t, call_text(c, "data"), err);
    struct json_writer w;
    struct listing *l;

    (void)s;
    if (!f)
        return false;
    if (call_json(c)) {
        cmd_json(c, &w);
        schema_json(f, &w);
        cmd_json_end(c);
    } else {
        l = listing_new(titles);
        for (size_t i = 0; i < frame_cols(f); i++) {
            const struct column *col = frame_column(f, i);

            listing_add(l, frame_name(f, i));
            listing_add(l, column_type_word(column_type(col)));
            listing_addf(l, "%zu", column_missing(col));
        }
        listing_print(l, call_width(c), call_out(c));
        listing_free(l);
    }
    frame_unref(f);
    return true;
}

/* ---- changing ---- */

static struct frame *
where(struct frame *f, const char *text, struct pool *pool, struct error *err)
{
    struct expr *e = expr_parse(str_of(text), err);
    struct frame *out = NULL;
    uint32_t *rows;
    size_t n;

    if (e && expr_where(e, f, pool, &rows, &n, err)) {
        out = frame_take(f, rows, n, err);
        free(rows);
    }
    expr_free(e);
    frame_unref(f);
    return out;
}

/* "name" or "-name" for descending. */
static struct frame *
sorted(struct frame *f, const char *name, struct pool *pool, struct error *err)
{
    struct query_key key = {0, *name == '-'};
    struct frame *out = NULL;
    uint32_t *rows;

    if (frame_need(f, name + key.descending, &key.col, err) &&
        (rows = query_sort(f, &key, 1, pool, err))) {
        out = frame_take(f, rows, frame_rows(f), err);
        free(rows);
    }
    frame_unref(f);
    return out;
}

static struct frame *
selected(struct frame *f, const struct call *c, struct error *err)
{
    size_t n = call_count(c, "select");
    size_t *cols = mem_new((n + 1) * sizeof *cols);
    struct frame *out = NULL;
    bool ok = true;

    for (size_t i = 0; i < n && ok; i++)
        ok = frame_need(f, call_nth(c, "select", i), &cols[i], err);
    if (ok)
        out = frame_select(f, cols, n, err);
    free(cols);
    frame_unref(f);
    return out;
}

/* What query and convert do to a table, in this order. */
static struct frame *
transform(struct frame *f, const struct call *c, struct pool *pool,
          struct error *err)
{
    if (f && call_text(c, "where"))
        f = where(f, call_text(c, "where"), pool, err);
    if (f && call_text(c, "sort"))
        f = sorted(f, call_text(c, "sort"), pool, err);
    if (f && call_count(c, "select"))
        f = selected(f, c, err);
    return f;
}

bool
cmd_query(struct session *s, struct task *t, struct call *c, struct error *err)
{
    struct frame *f = cmd_table(t, call_text(c, "data"), err);
    const char *out = call_text(c, "out");
    int64_t limit = call_int(c, "rows");
    bool ok;

    f = transform(f, c, session_pool(s), err);
    if (!f)
        return false;
    ok = cmd_goes_on(t, err);
    if (ok && out) {
        ok = source_write(f, out, err);
    } else if (ok && call_json(c)) {
        frame_json(f, 0, frame_rows(f), call_out(c));
        cmd_json_end(c);
    } else if (ok && call_flag(c, "csv")) {
        csv_write_rows(f, 0, frame_rows(f), true, ',', call_out(c));
    } else if (ok) {
        frame_print(f, limit < 0 ? 0 : (size_t)limit, call_width(c),
                    call_out(c));
    }
    frame_unref(f);
    return ok;
}

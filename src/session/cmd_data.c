/* session/cmd_data.c -- commands on tables: profile, head, schema and query.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "frame/join.h"
#include "frame/source.h"
#include "frame/verbs.h"
#include "session/cmd.h"
#include "session/shelf.h"

/* ---- shared ---- */

void
cmd_tell_rejects(struct task *t, const char *path, const struct frame *f,
                 size_t n)
{
    enum { SHOWN = 3 };
    long line = frame_find(f, "line"), reason = frame_find(f, "reason");
    struct buf text;

    buf_init(&text);
    buf_printf(&text, "%s: %zu row%s set aside", path, n, n == 1 ? "" : "s");
    for (size_t i = 0; i < frame_rows(f) && i < SHOWN; i++) {
        buf_puts(&text, i ? "; line " : ": line ");
        column_print(frame_column(f, (size_t)line), i, &text);
        buf_puts(&text, ", ");
        column_print(frame_column(f, (size_t)reason), i, &text);
    }
    if (n > SHOWN)
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

    if (!shelf_read(s, path, NULL, task_progress(t), &table, err))
        return NULL;
    if (table.n_rejected)
        cmd_tell_rejects(t, path, table.rejects, table.n_rejected);
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

static bool
write_page(const struct profile *p, struct call *c, struct error *err)
{
    const char *path = call_text(c, "html"), *data = call_text(c, "data");
    const char *slash = strrchr(data, '/');
    struct buf page;
    bool ok;

    buf_init(&page);
    profile_html(p, slash ? slash + 1 : data, &page);
    ok = buf_check(&page, err);
    if (ok && strcmp(path, "-") == 0)
        buf_add(call_out(c), page.data, page.len);
    else if (ok)
        ok = file_replace(path, page.data, page.len, 0644, err);
    buf_fini(&page);
    return ok;
}

static bool
write_profile(const struct profile *p, struct call *c, struct error *err)
{
    struct json_writer w;

    if (call_text(c, "html") && !write_page(p, c, err))
        return false;
    if (call_json(c)) {
        cmd_json(c, &w);
        profile_json(p, &w);
        cmd_json_end(c);
    } else if (call_flag(c, "md")) {
        profile_markdown(p, call_out(c));
    } else if (!call_text(c, "html")) {
        profile_print(p, call_width(c), is_utf8(c), call_out(c));
    }
    return true;
}

bool
cmd_profile(struct session *s, struct task *t, struct call *c,
            struct error *err)
{
    struct profile_options o = {.target = call_text(c, "target"),
                                .time = call_text(c, "time"),
                                .dirty = call_flag(c, "dirty"),
                                .slow = call_flag(c, "all"),
                                .redact = call_flag(c, "redact"),
                                .against_name = call_text(c, "against")};
    struct frame *f = cmd_table(t, call_text(c, "data"), err), *other = NULL;
    struct profile *p = NULL;
    bool ok;

    if (f && (!o.against_name ||
              (o.against = other = cmd_table(t, o.against_name, err))))
        p = profile_new(f, &o, session_pool(s), task_progress(t), err);
    frame_unref(f);
    frame_unref(other);
    if (!p)
        return false;
    ok = write_profile(p, c, err);
    profile_free(p);
    return ok;
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

/* Another frame in the place of f. */
static struct frame *
instead(struct frame *f, struct frame *next)
{
    frame_unref(f);
    return next;
}

/* The names given for an option, one by one or with commas between them; a
 * column whose name has a comma is told by its whole name.  NULL: none. */
struct names {
    struct buf text;
    const char **name;
};

static void
names_init(struct names *out, const struct frame *f, const struct call *c,
           const char *option)
{
    size_t n = 0, given = call_count(c, option);
    char *at, *comma;

    buf_init(&out->text);
    for (size_t i = 0; i < given; i++) {
        const char *text = call_nth(c, option, i);
        bool whole = frame_find(f, text + (*text == '-')) >= 0;

        for (; *text; text++)
            buf_putc(&out->text, *text == ',' && !whole ? '\0' : *text);
        buf_putc(&out->text, '\0');
    }
    for (size_t i = 0; i < out->text.len; i++)
        n += out->text.data[i] == '\0';
    out->name = n ? mem_new((n + 1) * sizeof *out->name) : NULL;
    at = out->text.data;
    for (size_t i = 0; i < n; i++, at = comma + 1) {
        comma = at + strlen(at);
        out->name[i] = at;
    }
}

static void
names_fini(struct names *n)
{
    free(n->name);
    buf_fini(&n->text);
}

static struct frame *
joined(struct frame *f, struct task *t, const struct call *c, struct error *err)
{
    struct frame *other = cmd_table(t, call_text(c, "join"), err);
    struct join_options o = {.bounded = call_text(c, "tolerance"),
                             .tolerance = call_float(c, "tolerance")};
    struct frame *out = NULL;
    struct names by;

    names_init(&by, f, c, "by");
    o.by = by.name;
    if (other && join_how_parse(call_text(c, "how"), &o.how, err))
        out = join_frames(f, other, &o, session_pool(task_session(t)),
                          task_progress(t), err);
    names_fini(&by);
    frame_unref(other);
    return instead(f, out);
}

/* --group, --agg and --pivot. */
static struct frame *
grouped(struct frame *f, const struct call *c, struct pool *pool,
        struct error *err)
{
    const char *const count[] = {"count()", NULL};
    const char **all = cmd_all(c, "agg"), *across = call_text(c, "pivot");
    const char *const *aggregates = all ? all : count;
    struct frame *out;
    struct names by;

    names_init(&by, f, c, "group");
    if (across)
        out = verb_pivot(f, by.name, across, aggregates, pool, err);
    else
        out = verb_group(f, by.name, aggregates, pool, err);
    names_fini(&by);
    free(all);
    return instead(f, out);
}

/* The rows --limit leaves of n. */
static size_t
limit_of(const struct call *c, size_t n)
{
    int64_t limit = call_text(c, "limit") ? call_int(c, "limit") : INT64_MAX;

    return limit < 0 ? 0 : (uint64_t)limit < n ? (size_t)limit : n;
}

/* --sort and --select.  Where equal rows stay, only the first are sorted. */
static struct frame *
arranged(struct frame *f, const struct call *c, struct pool *pool,
         struct error *err)
{
    struct names sort, select;

    names_init(&sort, f, c, "sort");
    names_init(&select, f, c, "select");
    if (sort.name) {
        size_t n = frame_rows(f);

        n = call_flag(c, "distinct") ? n : limit_of(c, n);
        f = instead(f, verb_top(f, sort.name, n, pool, err));
    }
    if (f && select.name)
        f = instead(f, verb_select(f, select.name, err));
    names_fini(&sort);
    names_fini(&select);
    return f;
}

/* What query does to a table, in this order. */
static struct frame *
transform(struct frame *f, struct task *t, const struct call *c,
          struct error *err)
{
    struct pool *pool = session_pool(task_session(t));

    if (f && call_text(c, "join"))
        f = joined(f, t, c, err);
    for (size_t i = 0; f && i < call_count(c, "with"); i++)
        f = instead(f, verb_derive(f, call_nth(c, "with", i), pool, err));
    if (f && call_text(c, "where"))
        f = instead(f, verb_where(f, call_text(c, "where"), pool, err));
    if (f && call_text(c, "sample"))
        f = instead(f, verb_sample(f, call_float(c, "sample"),
                                   (uint64_t)call_int(c, "seed"), pool, err));
    if (f && (call_count(c, "group") || call_count(c, "agg") ||
              call_text(c, "pivot")))
        f = grouped(f, c, pool, err);
    if (f && call_text(c, "having"))
        f = instead(f, verb_where(f, call_text(c, "having"), pool, err));
    if (f)
        f = arranged(f, c, pool, err);
    if (f && call_flag(c, "distinct"))
        f = instead(f, verb_distinct(f, NULL, pool, err));
    if (f && limit_of(c, frame_rows(f)) < frame_rows(f))
        f = instead(f, frame_slice(f, 0, limit_of(c, frame_rows(f)), err));
    return f;
}

bool
cmd_query(struct session *s, struct task *t, struct call *c, struct error *err)
{
    struct frame *f = cmd_table(t, call_text(c, "data"), err);
    const char *out = call_text(c, "out");
    int64_t limit = call_int(c, "rows");
    bool ok;

    (void)s;
    f = transform(f, t, c, err);
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

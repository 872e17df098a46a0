/* store/deployment.c
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "store/deployment.h"

#include <stdlib.h>

#include "base/mem.h"
#include "store/sql.h"

/* What read_row() reads. */
#define COLUMNS                                                            \
    "name, reference, label, host, port, pid, ticks, started_ms, sla_ms, " \
    "wanted"

static bool
put(struct sqlite3 *db, void *ctx, struct error *err)
{
    const struct deployment *d = ctx;
    const struct sql_value at[] = {
        sql_text(d->name),       sql_text(d->reference), sql_text(d->label),
        sql_text(d->host),       sql_int(d->port),       sql_int(d->pid),
        sql_int(d->start_ticks), sql_int(d->started_ms), sql_real(d->sla_ms),
        sql_int(d->wanted),
    };

    return sql_run(db,
                   "INSERT OR REPLACE INTO deployment(" COLUMNS ") "
                   "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                   at, sizeof at / sizeof at[0], err);
}

bool
deployment_put(struct store *s, const struct deployment *d, struct error *err)
{
    struct deployment copy = *d; /* closures take what is not const */

    if (!d->name || !*d->name)
        return error_set(err, ERR_RANGE, "an endpoint needs a name");
    return store_write(s, put, &copy, err);
}

static bool
read_row(struct sqlite3_stmt *q, struct deployment *d, struct error *err)
{
    char **const texts[] = {&d->name, &d->reference, &d->label, &d->host};

    *d = (struct deployment){.port = sql_int_at(q, 4),
                             .pid = sql_int_at(q, 5),
                             .start_ticks = sql_int_at(q, 6),
                             .started_ms = sql_int_at(q, 7),
                             .sla_ms = sql_real_at(q, 8),
                             .wanted = sql_int_at(q, 9) != 0};
    for (int i = 0; i < 4; i++) {
        if (!sql_take_text(q, i, texts[i], err)) {
            deployment_fini(d);
            return false;
        }
    }
    return true;
}

void
deployment_fini(struct deployment *d)
{
    free(d->name);
    free(d->reference);
    free(d->label);
    free(d->host);
    *d = (struct deployment){.port = 0};
}

struct find {
    const char *name;
    struct deployment *out;
};

static bool
find(struct sqlite3 *db, void *ctx, struct error *err)
{
    const struct find *f = ctx;
    const struct sql_value at[] = {sql_text(f->name)};
    struct sqlite3_stmt *q = sql_open(
        db, "SELECT " COLUMNS " FROM deployment WHERE name = ?1", at, 1, err);
    enum sql_step step;
    bool ok = false;

    if (!q)
        return false;
    step = sql_step(q, err);
    if (step == SQL_ROW)
        ok = read_row(q, f->out, err);
    else if (step == SQL_END)
        error_set(err, ERR_NOTFOUND, "no endpoint '%s'", f->name);
    sql_close(q);
    return ok;
}

bool
deployment_find(struct store *s, const char *name, struct deployment *out,
                struct error *err)
{
    struct find f = {name, out};

    return store_read(s, find, &f, err);
}

static bool
list(struct sqlite3 *db, void *ctx, struct error *err)
{
    struct deployment_list *out = ctx;
    struct sqlite3_stmt *q = sql_open(
        db, "SELECT " COLUMNS " FROM deployment ORDER BY name", NULL, 0, err);
    enum sql_step step = SQL_FAILED;
    size_t cap = 0;

    if (!q)
        return false;
    while ((step = sql_step(q, err)) == SQL_ROW) {
        struct deployment *more =
            mem_try_grow(out->deployment, out->n, &cap, sizeof *more, err);

        if (!more)
            break;
        out->deployment = more;
        if (!read_row(q, &more[out->n], err))
            break;
        out->n++;
    }
    sql_close(q);
    return step == SQL_END;
}

bool
deployment_list(struct store *s, struct deployment_list *out, struct error *err)
{
    *out = (struct deployment_list){.n = 0};
    if (store_read(s, list, out, err))
        return true;
    deployment_list_fini(out);
    return false;
}

void
deployment_list_fini(struct deployment_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        deployment_fini(&l->deployment[i]);
    free(l->deployment);
    *l = (struct deployment_list){.n = 0};
}

static bool
remove_row(struct sqlite3 *db, void *ctx, struct error *err)
{
    const char *const *name = ctx;
    const struct sql_value at[] = {sql_text(*name)};
    int64_t n = 0;

    if (!sql_get_int(db, "SELECT count(*) FROM deployment WHERE name = ?1", at,
                     1, 0, &n, err))
        return false;
    if (n == 0)
        return error_set(err, ERR_NOTFOUND, "no endpoint '%s'", *name);
    return sql_run(db, "DELETE FROM deployment WHERE name = ?1", at, 1, err);
}

bool
deployment_remove(struct store *s, const char *name, struct error *err)
{
    return store_write(s, remove_row, &name, err);
}

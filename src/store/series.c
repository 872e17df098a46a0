/* store/series.c
 *
 * Events travel to the store thread as records: a struct point_record, then
 * the name.  There the keys of their series are looked up once per batch and
 * kept in a short table, for a batch is some hundred events of a few series.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "store/series.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/run.h"
#include "store/sql.h"

enum { EVENT_NAME_MAX = 255 };

/* ---- metric events ---- */

struct point_record {
    run_id id;
    int64_t step, time_ms;
    double value;
    size_t name_len; /* the name follows, with its zero */
};

/* A series of the batch that is being written. */
struct open_series {
    const char *id, *name; /* in the records */
    int64_t key;           /* 0: its run is gone */
    int64_t n;             /* points so far */
};

struct batch {
    struct sqlite3 *db;
    struct sqlite3_stmt *insert;
    struct open_series *series;
    size_t n, cap, at; /* at: where the last record's was */
};

static bool
look_up_series(struct batch *b, struct open_series *s, struct error *err)
{
    const struct sql_value at[] = {sql_text(s->id), sql_text(s->name)};
    struct sqlite3_stmt *q;
    enum sql_step step;

    if (!sql_run(b->db,
                 "INSERT INTO series(run, name) SELECT key, ?2 FROM run "
                 "WHERE id = ?1 ON CONFLICT DO NOTHING",
                 at, 2, err))
        return false;
    q = sql_open(b->db,
                 "SELECT series.key, n FROM series JOIN run "
                 "ON run.key = series.run WHERE id = ?1 AND series.name = ?2",
                 at, 2, err);
    if (!q)
        return false;
    step = sql_step(q, err);
    s->key = step == SQL_ROW ? sql_int_at(q, 0) : 0;
    s->n = step == SQL_ROW ? sql_int_at(q, 1) : 0;
    sql_close(q);
    return step != SQL_FAILED;
}

/* Events of a run take turns: the next one's series mostly follows the last
 * one's. */
static struct open_series *
find_series(struct batch *b, const char *id, const char *name,
            struct error *err)
{
    struct open_series *s;

    for (size_t i = 1; i <= b->n; i++) {
        size_t at = (b->at + i) % b->n;

        s = &b->series[at];
        if (strcmp(s->name, name) == 0 && strcmp(s->id, id) == 0) {
            b->at = at;
            return s;
        }
    }
    s = mem_try_grow(b->series, b->n, &b->cap, sizeof *s, err);
    if (!s)
        return NULL;
    b->series = s;
    s += b->n;
    *s = (struct open_series){.id = id, .name = name};
    if (!look_up_series(b, s, err))
        return NULL;
    b->at = b->n++;
    return s;
}

static bool
write_point(struct batch *b, const struct point_record *r, const char *id,
            const char *name, struct error *err)
{
    struct open_series *s = find_series(b, id, name, err);

    if (!s)
        return false;
    if (s->key == 0)
        return true;
    const struct sql_value at[] = {sql_int(s->key), sql_int(s->n++),
                                   sql_int(r->step), sql_real(r->value),
                                   sql_int(r->time_ms)};

    return sql_again(b->insert, at, 5, err) &&
           sql_step(b->insert, err) == SQL_END;
}

static bool
close_batch(struct batch *b, bool ok, struct error *err)
{
    for (size_t i = 0; ok && i < b->n; i++) {
        const struct sql_value at[] = {sql_int(b->series[i].n),
                                       sql_int(b->series[i].key)};

        ok = sql_run(b->db, "UPDATE series SET n = ?1 WHERE key = ?2", at, 2,
                     err);
    }
    sql_close(b->insert);
    free(b->series);
    return ok;
}

static bool
write_points(struct sqlite3 *db, const char *records, size_t len,
             struct error *err)
{
    const struct sql_value none[5] = {sql_int(0), sql_int(0), sql_int(0),
                                      sql_int(0), sql_int(0)};
    struct batch b = {.db = db};
    bool ok = true;

    b.insert = sql_open(db,
                        "INSERT INTO point(series, number, step, value, "
                        "time_ms) VALUES(?1, ?2, ?3, ?4, ?5)",
                        none, 5, err);
    if (!b.insert)
        return false;
    for (const char *p = records; ok && p < records + len;) {
        struct point_record r;

        memcpy(&r, p, sizeof r);
        ok = write_point(&b, &r, p + offsetof(struct point_record, id),
                         p + sizeof r, err);
        p += sizeof r + r.name_len + 1;
    }
    return close_batch(&b, ok, err);
}

void
run_event_post(struct store *s, const run_id id, const struct event *e)
{
    char bytes[sizeof(struct point_record) + EVENT_NAME_MAX + 1];
    struct point_record r = {.step = e->step,
                             .time_ms = e->time_ms,
                             .value = e->value,
                             .name_len = strnlen(e->name, EVENT_NAME_MAX)};

    memcpy(r.id, id, sizeof r.id);
    memcpy(bytes, &r, sizeof r);
    memcpy(bytes + sizeof r, e->name, r.name_len);
    bytes[sizeof r + r.name_len] = '\0';
    store_append(s, write_points, bytes, sizeof r + r.name_len + 1);
}

/* ---- series ---- */

static bool
read_points(struct sqlite3 *db, int64_t key, size_t n, struct series *s,
            struct error *err)
{
    const struct sql_value at[] = {sql_int(key)};
    struct sqlite3_stmt *q;
    enum sql_step step = SQL_FAILED;

    if (!(s->step = mem_try_array(n, sizeof *s->step, err)) ||
        !(s->time_ms = mem_try_array(n, sizeof *s->time_ms, err)) ||
        !(s->value = mem_try_array(n, sizeof *s->value, err)))
        return false;
    q = sql_open(db,
                 "SELECT step, value, time_ms FROM point WHERE series = ?1 "
                 "ORDER BY number",
                 at, 1, err);
    if (!q)
        return false;
    while ((step = sql_step(q, err)) == SQL_ROW && s->n < n) {
        s->step[s->n] = sql_int_at(q, 0);
        s->value[s->n] = sql_real_at(q, 1);
        s->time_ms[s->n] = sql_int_at(q, 2);
        s->n++;
    }
    sql_close(q);
    if (step == SQL_ROW)
        return error_set(err, ERR_CORRUPT, "series %s has more than %zu points",
                         s->name, n);
    return step == SQL_END;
}

struct reading {
    const char *id;
    struct series_list *out;
};

static bool
read_series(struct sqlite3 *db, void *ctx, struct error *err)
{
    const struct reading *r = ctx;
    struct series_list *out = r->out;
    struct sqlite3_stmt *q = NULL;
    enum sql_step step = SQL_FAILED;
    int64_t run = 0, count = 0;

    if (!run_key(db, r->id, false, &run, err))
        return false;
    const struct sql_value at[] = {sql_int(run)};

    if (!sql_get_int(db, "SELECT count(*) FROM series WHERE run = ?1", at, 1, 0,
                     &count, err) ||
        !(out->series =
              mem_try_array((size_t)count, sizeof *out->series, err)) ||
        !(q = sql_open(db,
                       "SELECT name, key, n FROM series WHERE run = ?1 "
                       "ORDER BY name",
                       at, 1, err)))
        return false;
    while ((step = sql_step(q, err)) == SQL_ROW && out->n < (size_t)count) {
        struct series *s = &out->series[out->n++];

        if (!sql_take_text(q, 0, &s->name, err) ||
            !read_points(db, sql_int_at(q, 1), (size_t)sql_int_at(q, 2), s,
                         err)) {
            step = SQL_FAILED;
            break;
        }
    }
    sql_close(q);
    return step == SQL_END;
}

bool
run_series(struct store *s, const char *id, struct series_list *out,
           struct error *err)
{
    struct reading r = {id, out};

    *out = (struct series_list){.n = 0};
    if (store_read(s, read_series, &r, err))
        return true;
    series_list_fini(out);
    return false;
}

void
series_list_fini(struct series_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        free(l->series[i].name);
        free(l->series[i].step);
        free(l->series[i].time_ms);
        free(l->series[i].value);
    }
    free(l->series);
    *l = (struct series_list){.n = 0};
}

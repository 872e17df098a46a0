/* store/writer.c -- see writer.h.
 *
 *   callers ---ops--->  queue   \
 *                                > one transaction: records, then each op in
 *   emitters -records-> batch   /   a savepoint of its own; commit; acknowledge
 *
 * A record waits for at most BATCH_MS, or less when an op comes by.  Records
 * that were appended before an op was queued are written before it: the end of
 * a run never overtakes its curve.
 *
 * An op that fails is undone alone.  When the disk fails, SQLite undoes the
 * whole transaction, or its commit; then each member is tried once more by
 * itself, so that a small write is not refused because of a large neighbour,
 * and each caller gets its own error.  Records that cannot be written are held
 * and tried again with the next op or after RETRY_MS.
 *
 * A commit that fails has not happened: with WAL always, but with a rollback
 * journal the failure may be that of the last sync, after the journal is gone
 * and with it the way back.  So there each transaction leaves its number in
 * the table `writer`, where it is looked for before anything is tried again.
 * While that cannot be read, the records are in doubt and nothing is written.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "store/writer.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "store/schema.h"
#include "store/sql.h"
#include "store/trouble.h"

enum {
    BATCH_MS = 200,
    RETRY_MS = 1000,
    HELD_MAX = 256 << 20, /* three million values that wait for the disk */
    TOKEN_BYTES = 16,
    FORGET_MS = 24 * 3600 * 1000 /* rows of writers that are long gone */
};

/* On its caller's stack until done. */
struct op {
    struct op *next;
    store_fn *fn;
    void *ctx;
    bool ok, done;
    struct error err;
};

struct writer {
    char *path;
    const char *journal;
    struct pool *pool;

    pthread_mutex_t lock; /* guards what follows, up to the next comment */
    pthread_cond_t came, finished;
    struct op *first, **last;
    struct buf records;
    store_batch_fn *batch;
    size_t n_lost;  /* records there was no memory for */
    int64_t due_ms; /* when records have waited long enough */
    bool holding;   /* `held` is not empty */
    bool ending;
    struct pool_job *job;

    /* The store thread's own; `held` changes under the lock. */
    struct sqlite3 *db;
    struct buf held;                 /* taken from records, not yet on disk */
    bool told;                       /* that records cannot be written */
    char token[TOKEN_BYTES * 2 + 1]; /* our row in the table `writer` */
    int64_t number;                  /* of the last transaction */
    size_t doubt; /* bytes of held that may be written already */
};

/* ---- one transaction ---- */

static bool
open_database(struct writer *w, struct error *err)
{
    if (w->db)
        return true;
    w->db = sql_connect(w->path, err);
    if (!w->db)
        return false;
    if (sql_set_journal(w->db, w->journal, err) && schema_migrate(w->db, err))
        return true;
    sql_disconnect(w->db);
    w->db = NULL;
    return false;
}

static bool
run_alone(struct sqlite3 *db, store_fn *fn, void *ctx, struct error *err)
{
    struct error ignored;

    if (!sql_exec(db, "SAVEPOINT one", err))
        return false;
    if (fn(db, ctx, err) && sql_exec(db, "RELEASE one", err))
        return true;
    if (sql_in_transaction(db) &&
        !sql_exec(db, "ROLLBACK TO one; RELEASE one", &ignored) &&
        sql_in_transaction(db))
        (void)!sql_exec(db, "ROLLBACK", &ignored);
    return false;
}

static bool
write_held(struct sqlite3 *db, void *ctx, struct error *err)
{
    struct writer *w = ctx;

    return w->batch(db, w->held.data, w->held.len, err);
}

struct group {
    struct op *first;
    bool records; /* held records go with it */
    bool records_ok;
    struct error err; /* why the records or the whole did not go */
};

enum outcome {
    WRITTEN, /* what says ok is on disk */
    REFUSED, /* nothing happened, and nothing else would */
    UNDONE,  /* nothing happened, but each member may be tried alone */
    UNSURE   /* it failed, and may have happened nevertheless */
};

static bool
is_marked(const struct writer *w)
{
    return strcmp(w->journal, "wal") != 0;
}

static bool
put_mark(struct writer *w, struct error *err)
{
    int64_t now = loop_wall_ms();
    const struct sql_value at[] = {sql_text(w->token), sql_int(++w->number),
                                   sql_int(now)};
    const struct sql_value old[] = {sql_int(now - FORGET_MS)};

    return sql_run(w->db,
                   "INSERT OR REPLACE INTO writer(token, number, time_ms) "
                   "VALUES(?1, ?2, ?3)",
                   at, 3, err) &&
           sql_run(w->db, "DELETE FROM writer WHERE time_ms < ?1", old, 1, err);
}

/* After a commit that failed: has it happened, and to last? */
static enum outcome
look_for_mark(struct writer *w, struct error *err)
{
    const struct sql_value at[] = {sql_text(w->token)};
    int64_t found = 0;
    bool synced;
    char *dir;

    if (!sql_get_int(w->db, "SELECT number FROM writer WHERE token = ?1", at, 1,
                     0, &found, err))
        return UNSURE;
    if (found != w->number)
        return UNDONE;
    dir = trouble_folder(w->path);
    synced = store_sync_folder(dir, err);
    free(dir);
    return synced ? WRITTEN : UNSURE;
}

static enum outcome
commit(struct writer *w, struct group *g)
{
    struct error ignored;
    enum outcome outcome = UNDONE;
    bool marked = is_marked(w) && put_mark(w, &g->err);

    if (marked == is_marked(w)) {
        if (sql_exec(w->db, "COMMIT", &g->err))
            return WRITTEN;
        if (marked)
            outcome = UNSURE;
    }
    if (sql_in_transaction(w->db))
        (void)!sql_exec(w->db, "ROLLBACK", &ignored);
    if (outcome == UNSURE)
        outcome = look_for_mark(w, &g->err);
    if (outcome == UNSURE && g->records)
        w->doubt = w->held.len;
    return outcome;
}

static enum outcome
write_together(struct writer *w, struct group *g)
{
    if (!sql_exec(w->db, "BEGIN IMMEDIATE", &g->err))
        return REFUSED;
    if (g->records)
        g->records_ok = run_alone(w->db, write_held, w, &g->err);
    for (struct op *op = g->first; op && sql_in_transaction(w->db);
         op = op->next)
        if (op->fn)
            op->ok = run_alone(w->db, op->fn, op->ctx, &op->err);
    if (sql_in_transaction(w->db))
        return commit(w, g);
    error_set(&g->err, ERR_IO, "the transaction was undone");
    return UNDONE;
}

static void
write_records_alone(struct writer *w, struct group *g)
{
    struct group alone = {.records = true};

    g->records_ok = write_together(w, &alone) == WRITTEN && alone.records_ok;
    if (!g->records_ok)
        g->err = alone.err;
}

static void
write_op_alone(struct writer *w, struct op *op)
{
    struct op *next = op->next;
    struct group alone = {.first = op};

    op->next = NULL;
    op->ok = true;
    if (write_together(w, &alone) != WRITTEN && op->ok) {
        op->ok = false;
        op->err = alone.err;
    }
    op->next = next;
}

static void
fail_ops(struct group *g)
{
    for (struct op *op = g->first; op; op = op->next) {
        op->ok = false;
        op->err = g->err;
    }
}

static void
write_one_by_one(struct writer *w, struct group *g)
{
    if (g->records)
        write_records_alone(w, g);
    for (struct op *op = g->first; op; op = op->next) {
        if (op->fn && !w->doubt) {
            write_op_alone(w, op);
        } else if (op->fn) {
            op->ok = false;
            op->err = g->err;
        }
    }
}

/* Records that were in doubt are either there or to be written. */
static bool
end_doubt(struct writer *w, struct error *err)
{
    enum outcome outcome = w->doubt ? look_for_mark(w, err) : UNDONE;

    if (outcome == UNSURE)
        return false;
    if (outcome == WRITTEN) {
        pthread_mutex_lock(&w->lock);
        w->held.len -= w->doubt;
        memmove(w->held.data, w->held.data + w->doubt, w->held.len);
        pthread_mutex_unlock(&w->lock);
    }
    w->doubt = 0;
    return true;
}

static void
write_group(struct writer *w, struct group *g)
{
    enum outcome outcome = REFUSED;

    if (open_database(w, &g->err) && end_doubt(w, &g->err)) {
        g->records = w->held.len > 0;
        outcome = write_together(w, g);
    }
    if (outcome == UNDONE) {
        write_one_by_one(w, g);
    } else if (outcome != WRITTEN) {
        g->records_ok = false;
        fail_ops(g);
    }
    if (!g->records)
        g->records_ok = true;
    /* A flush asks about the records alone. */
    for (struct op *op = g->first; op; op = op->next) {
        if (op->fn)
            continue;
        op->ok = g->records_ok;
        if (!op->ok)
            op->err = g->err;
    }
}

/* ---- the thread ---- */

static void
wait_until(struct writer *w, int64_t ms)
{
    struct timespec at = {ms / 1000, ms % 1000 * 1000000};

    (void)pthread_cond_timedwait(&w->came, &w->lock, &at);
}

/* Records join those that are held already. */
static void
take_records(struct writer *w)
{
    if (w->records.len == 0)
        return;
    if (w->held.len == 0) {
        struct buf empty = w->held;

        w->held = w->records;
        w->records = empty;
        return;
    }
    buf_add(&w->held, w->records.data, w->records.len);
    if (w->held.failed) {
        w->held.failed = false;
        return; /* they stay where they are for the next time */
    }
    buf_clear(&w->records);
}

/* The next group; false at the end. */
static bool
take_group(struct writer *w, struct group *g)
{
    pthread_mutex_lock(&w->lock);
    while (!w->first && !w->ending) {
        if (!w->holding && w->records.len == 0)
            pthread_cond_wait(&w->came, &w->lock);
        else if (loop_now_ms() >= w->due_ms)
            break;
        else
            wait_until(w, w->due_ms);
    }
    *g = (struct group){.first = w->first};
    w->first = NULL;
    w->last = &w->first;
    take_records(w);
    g->records = w->held.len > 0;
    pthread_mutex_unlock(&w->lock);
    return g->first || g->records;
}

/* False when the records must be given up: there is no later. */
static bool
settle_records(struct writer *w, const struct group *g)
{
    if (g->records_ok) {
        buf_clear(&w->held);
        w->holding = w->told = false;
        return true;
    }
    if (!w->told)
        log_write(LOG_ERROR, "%s: metrics wait to be written: %s", w->path,
                  g->err.message);
    w->told = true;
    w->holding = true;
    w->due_ms = loop_now_ms() + RETRY_MS;
    if (!w->ending || g->first)
        return true;
    log_write(LOG_ERROR, "%s: metrics were lost", w->path);
    return false;
}

static void
serve(void *ctx)
{
    struct writer *w = ctx;
    struct group g;
    bool more = true;

    while (more && take_group(w, &g)) {
        write_group(w, &g);
        pthread_mutex_lock(&w->lock);
        if (g.records || w->holding)
            more = settle_records(w, &g);
        for (struct op *op = g.first, *next; op; op = next) {
            next = op->next;
            op->done = true;
        }
        pthread_cond_broadcast(&w->finished);
        pthread_mutex_unlock(&w->lock);
    }
    sql_disconnect(w->db);
    w->db = NULL;
}

/* ---- for callers ---- */

struct writer *
writer_new(const char *path, const char *journal, struct pool *pool)
{
    struct writer *w = mem_new(sizeof *w);
    pthread_condattr_t monotonic;

    w->path = mem_text(path);
    w->journal = journal;
    w->pool = pool;
    digest_token(TOKEN_BYTES, w->token);
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&w->came, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_cond_init(&w->finished, NULL);
    w->last = &w->first;
    buf_init(&w->records);
    buf_init(&w->held);
    return w;
}

void
writer_free(struct writer *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->ending = true;
    pthread_cond_signal(&w->came);
    pthread_mutex_unlock(&w->lock);
    if (w->job)
        pool_join(w->job);
    assert(!w->first);
    buf_fini(&w->records);
    buf_fini(&w->held);
    pthread_cond_destroy(&w->finished);
    pthread_cond_destroy(&w->came);
    pthread_mutex_destroy(&w->lock);
    free(w->path);
    free(w);
}

/* Under the lock. */
static bool
start(struct writer *w, struct error *err)
{
    if (!w->job)
        w->job = pool_start(w->pool, serve, w, err);
    return w->job != NULL;
}

bool
writer_do(struct writer *w, store_fn *fn, void *ctx, struct error *err)
{
    struct op op = {.fn = fn, .ctx = ctx};
    size_t lost = 0;

    pthread_mutex_lock(&w->lock);
    if (!start(w, err)) {
        pthread_mutex_unlock(&w->lock);
        return false;
    }
    *w->last = &op;
    w->last = &op.next;
    pthread_cond_signal(&w->came);
    while (!op.done)
        pthread_cond_wait(&w->finished, &w->lock);
    if (!fn && op.ok) {
        lost = w->n_lost;
        w->n_lost = 0;
    }
    pthread_mutex_unlock(&w->lock);
    if (lost)
        return error_set(err, ERR_NOMEM, "no memory for %zu metric values",
                         lost);
    if (!op.ok)
        *err = op.err;
    return op.ok;
}

void
writer_append(struct writer *w, store_batch_fn *fn, const void *record,
              size_t len)
{
    struct error err;
    bool first;

    pthread_mutex_lock(&w->lock);
    assert(!w->batch || w->batch == fn);
    if (!w->batch) /* once: the writer reads it without the lock */
        w->batch = fn;
    first = w->records.len == 0;
    if (w->records.len + w->held.len + len > HELD_MAX)
        w->records.failed = true;
    buf_add(&w->records, record, len);
    if (w->records.failed) {
        w->records.failed = false;
        w->n_lost++;
    }
    /* Without a thread they wait for the next op, which says so. */
    if (start(w, &err) && first && !w->holding) {
        w->due_ms = loop_now_ms() + BATCH_MS;
        pthread_cond_signal(&w->came);
    }
    pthread_mutex_unlock(&w->lock);
}

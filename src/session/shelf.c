/* session/shelf.c -- table files opened through the project's cache.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/shelf.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "frame/cache.h"

/* A table on its way to the disk. */
struct keeping {
    struct keeping *next;
    struct cache_key *key;
    struct csv_table table;
    struct pool_job *job;
    atomic_bool done;
};

struct shelf {
    pthread_mutex_t lock;
    struct keeping *first;
};

struct shelf *
shelf_new(void)
{
    struct shelf *h = mem_new(sizeof *h);

    pthread_mutex_init(&h->lock, NULL);
    return h;
}

static void
keeping_end(struct keeping *k)
{
    pool_join(k->job);
    cache_key_free(k->key);
    csv_table_fini(&k->table);
    free(k);
}

void
shelf_free(struct shelf *h)
{
    while (h->first) {
        struct keeping *k = h->first;

        h->first = k->next;
        keeping_end(k);
    }
    pthread_mutex_destroy(&h->lock);
    free(h);
}

static void
write_one(void *ctx)
{
    struct keeping *k = ctx;
    struct error err;

    /* Nobody waits for it, and the table is there without it. */
    if (!cache_put(k->key, &k->table, &err))
        log_write(LOG_WARN, "a table was not kept: %s", err.message);
    atomic_store(&k->done, true);
}

/* Release those that have ended. */
static void
sweep(struct shelf *h)
{
    struct keeping **at = &h->first;

    while (*at) {
        struct keeping *k = *at;

        if (!atomic_load(&k->done)) {
            at = &k->next;
            continue;
        }
        *at = k->next;
        keeping_end(k);
    }
}

/* Takes the key. */
static void
keep(struct shelf *h, struct pool *pool, struct cache_key *key,
     const struct csv_table *t)
{
    struct keeping *k = mem_new(sizeof *k);
    struct error none;

    k->key = key;
    k->table = *t;
    k->table.frame = frame_ref(t->frame);
    k->table.rejects = frame_ref(t->rejects);
    pthread_mutex_lock(&h->lock);
    sweep(h);
    if ((k->job = pool_start(pool, write_one, k, &none))) {
        k->next = h->first;
        h->first = k;
    } else {
        keeping_end(k);
    }
    pthread_mutex_unlock(&h->lock);
}

/* NULL outside of a project, and where nothing is to be kept. */
static struct cache_key *
key_of(struct session *s, const char *path, const struct source_options *o)
{
    const char *project = session_dir(s);
    char *dir = file_join(project, "cache");
    struct cache_key *key =
        file_exists(project) ? cache_key_new(dir, path, o) : NULL;

    free(dir);
    return key;
}

struct stream *
shelf_stream(struct session *s, const char *path,
             const struct source_options *o, struct progress *progress,
             struct error *err)
{
    struct cache_key *key = key_of(s, path, o);
    struct stream *kept =
        key ? cache_stream(key, session_pool(s), progress) : NULL;

    cache_key_free(key);
    return kept ? kept : stream_open(path, o, session_pool(s), progress, err);
}

bool
shelf_read(struct session *s, const char *path, const struct source_options *o,
           struct progress *progress, struct csv_table *out, struct error *err)
{
    struct cache_key *key = key_of(s, path, o);
    bool ok;

    if (key && cache_get(key, session_pool(s), out)) {
        cache_key_free(key);
        return true;
    }
    ok = source_read(path, o, session_pool(s), progress, out, err);
    if (ok && key)
        keep(session_shelf(s), session_pool(s), key, out);
    else
        cache_key_free(key);
    return ok;
}

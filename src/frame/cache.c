/* frame/cache.c -- parsed tables kept on disk.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "frame/arrow.h"

enum {
    VERSION_OF_KEPT = 2,
    EDGE = 64 << 10, /* bytes looked at, at both ends of the source */
    SPOT = 4 << 10,  /* and between them */
    N_SPOTS = 32,
    FREE_SHARE = 10,
    STALE_S = 3600 /* a temporary of that age is nobody's */
};
#define LIMIT_MAX (UINT64_C(20) << 30)
#define SUFFIX ".arrow"
#define REJECTS_SUFFIX ".rejects.arrow"

struct cache_key {
    char *dir, *file, *rejects;
    char *source; /* absolute */
    char *text;   /* the source and its state, the options */
};

/* ---- keys ---- */

static bool
read_at(int fd, size_t at, size_t n, struct buf *out)
{
    char *p = malloc(n);
    ssize_t got = p ? pread(fd, p, n, (off_t)at) : -1;

    if (got == (ssize_t)n)
        buf_add(out, p, n);
    free(p);
    return got == (ssize_t)n && !out->failed;
}

/* A change that keeps size and times is found where it is likely: at the ends,
 * and at places spread over the rest. */
static bool
sample(int fd, size_t size, char out[33])
{
    size_t step = (size - 2 * (size_t)EDGE) / N_SPOTS;
    struct buf b;
    bool ok;

    buf_init(&b);
    ok = read_at(fd, 0, EDGE, &b) && read_at(fd, size - EDGE, EDGE, &b);
    for (size_t i = 0; ok && i < N_SPOTS; i++)
        ok = read_at(fd, EDGE + i * step, SPOT, &b);
    if (ok)
        file_hash(b.data, b.len, out);
    buf_fini(&b);
    return ok;
}

static void
put_list(struct buf *b, const char *const *list)
{
    for (size_t i = 0; list && list[i]; i++) {
        buf_json(b, list[i], strlen(list[i]));
        buf_putc(b, ' ');
    }
    buf_putc(b, list ? ';' : '-');
}

static void
put_options(struct buf *b, const struct source_options *o)
{
    const struct csv_options *c = &o->csv;

    buf_printf(b, "format %d encoding %d delimiter %d header %d rejects %zu ",
               (int)o->format, (int)o->encoding, c->delimiter, c->header,
               c->max_rejects);
    buf_puts(b, "nulls ");
    put_list(b, c->nulls);
    buf_puts(b, " types ");
    put_list(b, c->types);
}

/* Size, times and samples; false when it is nothing to keep. */
static bool
put_state(struct buf *b, const char *source)
{
    int fd = open(source, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char hash[33];
    struct stat st;
    bool ok = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
              st.st_size >= CACHE_SOURCE_MIN &&
              sample(fd, (size_t)st.st_size, hash);

    if (ok)
        buf_printf(b, "%lld bytes, changed %lld.%09ld %lld.%09ld, %s",
                   (long long)st.st_size, (long long)st.st_mtim.tv_sec,
                   st.st_mtim.tv_nsec, (long long)st.st_ctim.tv_sec,
                   st.st_ctim.tv_nsec, hash);
    if (fd >= 0)
        close(fd);
    return ok;
}

/* Does it open at once by itself? */
static bool
is_mapped(const char *source)
{
    char head[8];
    int fd = open(source, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd < 0 ? -1 : pread(fd, head, sizeof head, 0);

    if (fd >= 0)
        close(fd);
    return n == (ssize_t)sizeof head &&
           arrow_starts((struct str){head, sizeof head});
}

/* Another than a file is not to be opened even: who writes to a pipe would
 * take that for a reader. */
static bool
is_file(const char *source)
{
    struct stat st;

    return stat(source, &st) == 0 && S_ISREG(st.st_mode);
}

static uint64_t
limit(const char *dir)
{
    const char *s = getenv("LATHE_CACHE");
    struct statvfs fs;
    uint64_t share;
    int64_t n;

    if (s && str_to_i64(str_of(s), &n) && n >= 0)
        return (uint64_t)n;
    if (statvfs(dir, &fs) < 0)
        return 0;
    share = (uint64_t)fs.f_bavail * fs.f_frsize / FREE_SHARE;
    return share < LIMIT_MAX ? share : LIMIT_MAX;
}

static char *
name_in(const char *dir, const char *hash, const char *suffix)
{
    char name[64];

    snprintf(name, sizeof name, "%s%s", hash, suffix);
    return file_join(dir, name);
}

struct cache_key *
cache_key_new(const char *dir, const char *path, const struct source_options *o)
{
    static const struct source_options usual = {.csv = {.header = -1}};
    const char *told = getenv("LATHE_CACHE");
    struct cache_key *k;
    char *source, hash[33];
    struct buf b;

    if ((told && strcmp(told, "0") == 0) || strcmp(path, "-") == 0 ||
        !(source = realpath(path, NULL)))
        return NULL;
    buf_init(&b);
    buf_printf(&b, "lathe table %d\n%s\n", VERSION_OF_KEPT, source);
    put_options(&b, o ? o : &usual);
    file_hash(b.data, b.len, hash);
    buf_putc(&b, '\n');
    if (!is_file(source) || is_mapped(source) || !put_state(&b, source) ||
        b.failed) {
        buf_fini(&b);
        free(source);
        return NULL;
    }
    k = mem_new(sizeof *k);
    *k = (struct cache_key){
        .dir = mem_text(dir),
        .file = name_in(dir, hash, SUFFIX),
        .rejects = name_in(dir, hash, REJECTS_SUFFIX),
        .source = source,
        .text = buf_take(&b),
    };
    return k;
}

void
cache_key_free(struct cache_key *k)
{
    if (!k)
        return;
    free(k->dir);
    free(k->file);
    free(k->rejects);
    free(k->source);
    free(k->text);
    free(k);
}

const char *
cache_path(const struct cache_key *k)
{
    return k->file;
}

/* ---- getting ---- */

/* What the frames do not tell of a table is the last line of the note. */
static void
put_note(struct buf *b, const struct cache_key *k, const struct csv_table *t)
{
    buf_printf(b, "%s\n%zu %zu %d %d %zu %zu", k->text, t->n_rejected,
               t->n_bytes, t->delimiter, t->header, t->n_foreign,
               t->foreign_line);
}

static bool
read_note(const struct cache_key *k, const char *note, struct csv_table *t)
{
    size_t n = strlen(k->text);
    int delimiter, header;

    if (strncmp(note, k->text, n) != 0 || note[n] != '\n' ||
        sscanf(note + n + 1, "%zu %zu %d %d %zu %zu", &t->n_rejected,
               &t->n_bytes, &delimiter, &header, &t->n_foreign,
               &t->foreign_line) != 6)
        return false;
    t->delimiter = (char)delimiter;
    t->header = header != 0;
    return true;
}

/* Used now. */
static void
touch(const char *path)
{
    (void)utimensat(AT_FDCWD, path, NULL, 0);
}

bool
cache_get(const struct cache_key *k, struct pool *pool, struct csv_table *out)
{
    struct csv_table t = {0};
    char *note = NULL, *same = NULL;
    struct error none;
    bool ok = arrow_recall(k->file, pool, &t.frame, &note, &none) &&
              read_note(k, note, &t) &&
              arrow_recall(k->rejects, NULL, &t.rejects, &same, &none) &&
              strcmp(note, same) == 0;

    free(note);
    free(same);
    if (!ok) {
        csv_table_fini(&t);
        return false;
    }
    touch(k->file);
    touch(k->rejects);
    *out = t;
    return true;
}

/* ---- putting ---- */

struct kept {
    char *path;
    uint64_t size;
    struct timespec used;
};

/* Oldest first; names differ, so the order is total. */
static int
by_use(const void *a, const void *b)
{
    const struct kept *x = a, *y = b;

    if (x->used.tv_sec != y->used.tv_sec)
        return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
    if (x->used.tv_nsec != y->used.tv_nsec)
        return x->used.tv_nsec < y->used.tv_nsec ? -1 : 1;
    return strcmp(x->path, y->path);
}

static bool
ends(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);

    return n > m && strcmp(s + n - m, suffix) == 0;
}

/* A file of the folder; temporaries that someone left are removed. */
static bool
look_at(const char *dir, const char *name, struct kept *out)
{
    char *path = file_join(dir, name);
    struct stat st;

    if (lstat(path, &st) == 0 && S_ISREG(st.st_mode)) {
        if (ends(name, SUFFIX)) {
            *out =
                (struct kept){path, (uint64_t)st.st_blocks * 512, st.st_mtim};
            return true;
        }
        if (strstr(name, SUFFIX ".") && time(NULL) - st.st_mtime > STALE_S)
            unlink(path);
    }
    free(path);
    return false;
}

/* Remove what was not used for longest until the rest is within the limit. */
static void
trim(const char *dir, uint64_t max)
{
    size_t n = 0, cap = 0;
    struct kept *list = NULL, *more;
    struct dirent *e;
    struct error none;
    uint64_t all = 0;
    DIR *d = opendir(dir);

    while (d && (e = readdir(d))) {
        if (n == cap) {
            cap = cap ? cap * 2 : 64;
            if (!(more = mem_try_resize(list, cap, sizeof *list, &none)))
                break;
            list = more;
        }
        if (look_at(dir, e->d_name, &list[n]))
            all += list[n++].size;
    }
    if (d)
        closedir(d);
    if (n > 1)
        qsort(list, n, sizeof *list, by_use);
    for (size_t i = 0; i < n; i++) {
        if (all > max && unlink(list[i].path) == 0)
            all -= list[i].size;
        free(list[i].path);
    }
    free(list);
}

static bool
is_unchanged(const struct cache_key *k)
{
    size_t n = strlen(k->text), m;
    struct buf b;
    bool same;

    buf_init(&b);
    same = put_state(&b, k->source) && !b.failed;
    m = b.len;
    same = same && m < n && memcmp(k->text + n - m, b.data, m) == 0;
    buf_fini(&b);
    return same;
}

bool
cache_put(const struct cache_key *k, const struct csv_table *t,
          struct error *err)
{
    struct buf note;
    uint64_t max;
    bool ok;

    if (!file_make_dirs(k->dir, 0777, err))
        return false;
    max = limit(k->dir);
    if (frame_bytes(t->frame) > max || !is_unchanged(k))
        return true;
    buf_init(&note);
    put_note(&note, k, t);
    /* The table last: it is looked for first. */
    ok = buf_check(&note, err) &&
         arrow_keep(t->rejects, note.data, k->rejects, err) &&
         arrow_keep(t->frame, note.data, k->file, err);
    buf_fini(&note);
    trim(k->dir, max);
    return ok;
}

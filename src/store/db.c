/* store/db.c
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "store/db.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/schema.h"
#include "store/sql.h"
#include "store/trouble.h"
#include "store/writer.h"

struct store {
    char *dir;
    char *path; /* of the database */
    struct writer *writer;
    pthread_mutex_t reading; /* guards read */
    struct sqlite3 *read;
    bool frozen; /* read would not see what others write: close it soon */
};

/* ---- where ---- */

static bool
is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static char *
absolute(const char *path)
{
    char *full = realpath(path, NULL), *cwd, *out;

    if (full)
        return full;
    if (path[0] == '/' || !(cwd = getcwd(NULL, 0)))
        return mem_text(path);
    out = file_join(cwd, path);
    free(cwd);
    return out;
}

static char *
named_by_environment(void)
{
    const char *project = getenv("LATHE_PROJECT");
    char *full, *out;
    size_t n;

    if (!project || !*project)
        return NULL;
    full = absolute(project);
    for (n = strlen(full); n > 1 && full[n - 1] == '/'; n--)
        full[n - 1] = '\0';
    if (strcmp(file_base(full), ".lathe") == 0)
        return full;
    out = file_join(full, ".lathe");
    free(full);
    return out;
}

char *
store_find(const char *from)
{
    char *named = named_by_environment();
    char *start, *at;

    if (named)
        return named;
    start = absolute(from ? from : ".");
    at = mem_text(start);
    for (;;) {
        char *dir = file_join(at, ".lathe");
        char *slash = strrchr(at, '/');

        if (is_folder(dir)) {
            free(at);
            free(start);
            return dir;
        }
        free(dir);
        if (!slash || !at[1])
            break;
        slash[slash == at ? 1 : 0] = '\0';
    }
    free(at);
    at = file_join(start, ".lathe");
    free(start);
    return at;
}

bool
store_type_is_network(unsigned long type)
{
    /* NFS, SMB 1 to 3, AFS, Coda, NCP, 9P, Ceph, Lustre, GPFS, BeeGFS, GFS2,
     * OCFS2, PanFS, VirtualBox, and FUSE, behind which any of them may be. */
    static const unsigned long network[] = {
        0x6969,     0x517b,     0xff534d42, 0xfe534d42, 0x5346414f, 0x73757245,
        0x564c,     0x01021997, 0x00c36400, 0x0bd00bd0, 0x47504653, 0x19830326,
        0x01161970, 0x7461636f, 0xaad7aaea, 0x786f4256, 0x65735546,
    };

    for (size_t i = 0; i < sizeof network / sizeof network[0]; i++)
        if ((type & 0xffffffff) == network[i])
            return true;
    return false;
}

/* WAL keeps its index in memory that all processes share, which processes on
 * two machines cannot. */
static const char *
journal_for(const char *dir)
{
    const char *asked = getenv("LATHE_JOURNAL");
    struct statfs fs;

    if (asked && strcmp(asked, "wal") == 0)
        return "wal";
    if (asked && strcmp(asked, "rollback") == 0)
        return "delete";
    if (statfs(dir, &fs) == 0 &&
        store_type_is_network((unsigned long)fs.f_type))
        return "delete";
    return "wal";
}

/* ---- open and close ---- */

bool
store_sync_folder(const char *path, struct error *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok;

    if (fd < 0)
        return error_errno(err, errno, "%s", path);
    /* Some network file systems refuse to sync a folder: that is no loss. */
    ok = !mem_fault_hit() && (fsync(fd) == 0 || errno == EINVAL);
    if (!ok)
        error_errno(err, EIO, "%s", path);
    close(fd);
    return ok;
}

/* .gitignore comes with the folder; whoever removes it later means it. */
static bool
make_folder(const char *dir, struct error *err)
{
    char *ignore = file_join(dir, ".gitignore");
    char *parent = file_join(dir, "..");
    bool ok = file_make_dirs(dir, 0777, err) &&
              file_replace(ignore, "*\n", 2, 0644, err) &&
              store_sync_folder(parent, err);

    free(parent);
    free(ignore);
    return ok;
}

static bool
nothing(struct sqlite3 *db, void *ctx, struct error *err)
{
    (void)db;
    (void)ctx;
    (void)err;
    return true;
}

/* Bring what is there up to date; a current store needs no writer. */
static bool
prepare(struct store *s, bool create, struct error *err)
{
    int64_t version = 0;

    if (!create) {
        s->read = sql_connect_read(s->path, &s->frozen, err);
        if (!s->read || !schema_version(s->read, &version, err))
            return false;
        if (version == schema_newest())
            return true;
    }
    return writer_do(s->writer, nothing, NULL, err);
}

/* What a project of its own has left beside a database that is gone. */
static bool
has_traces(const char *dir, const char *path)
{
    char *objects = file_join(dir, "objects");
    DIR *d = opendir(objects);
    struct dirent *e;
    bool found = trouble_size(path, "-wal") > 0;

    while (d && !found && (e = readdir(d)))
        found = e->d_name[0] != '.';
    if (d)
        closedir(d);
    free(objects);
    return found;
}

/* SQLite takes an empty file for a new database: then all that was recorded
 * would be gone without a word, and its log deleted. */
static bool
is_to_be_made(const char *dir, const char *path, bool create, struct error *err)
{
    struct stat st;
    bool missing = stat(path, &st) != 0;

    if (missing && errno != ENOENT)
        return trouble_none(path, create, err);
    if (!missing && st.st_size > 0)
        return true;
    if (has_traces(dir, path))
        return error_set(err, ERR_CORRUPT,
                         "%s: %s, yet objects/ or lathe.db-wal beside it "
                         "holds a project's work: restore lathe.db from a "
                         "backup, or move the folder away to begin anew",
                         path, missing ? "is missing" : "is empty");
    if (missing && !create)
        return error_set(err, ERR_NOTFOUND, "%s: no project here yet", dir);
    return !missing || make_folder(dir, err);
}

struct store *
store_open(const char *lathe_dir, bool create, struct pool *pool,
           struct error *err)
{
    char *path = file_join(lathe_dir, "lathe.db");
    struct store *s;

    if (!is_to_be_made(lathe_dir, path, create, err)) {
        free(path);
        return NULL;
    }
    s = mem_new(sizeof *s);
    s->dir = mem_text(lathe_dir);
    s->path = path;
    pthread_mutex_init(&s->reading, NULL);
    s->writer = writer_new(path, journal_for(lathe_dir), pool);
    if (!prepare(s, create, err)) {
        store_close(s);
        return NULL;
    }
    return s;
}

void
store_close(struct store *s)
{
    if (!s)
        return;
    sql_disconnect(s->read);
    writer_free(s->writer);
    pthread_mutex_destroy(&s->reading);
    free(s->path);
    free(s->dir);
    free(s);
}

const char *
store_dir(const struct store *s)
{
    return s->dir;
}

char *
store_path(const struct store *s, const char *fmt, ...)
{
    char name[PATH_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(name, sizeof name, fmt, ap);
    va_end(ap);
    return file_join(s->dir, name);
}

/* ---- reads and writes ---- */

static bool
read_snapshot(struct sqlite3 *db, store_fn *fn, void *ctx, struct error *err)
{
    struct error ignored;
    bool ok;

    if (!sql_exec(db, "BEGIN", err))
        return false;
    ok = fn(db, ctx, err);
    if (sql_in_transaction(db))
        (void)!sql_exec(db, "ROLLBACK", &ignored);
    return ok;
}

bool
store_read(struct store *s, store_fn *fn, void *ctx, struct error *err)
{
    bool ok;

    pthread_mutex_lock(&s->reading);
    if (!s->read)
        s->read = sql_connect_read(s->path, &s->frozen, err);
    ok = s->read && sql_exec(s->read, "PRAGMA query_only = ON", err) &&
         read_snapshot(s->read, fn, ctx, err);
    if (s->frozen) {
        sql_disconnect(s->read);
        s->read = NULL;
    }
    pthread_mutex_unlock(&s->reading);
    return ok;
}

bool
store_write(struct store *s, store_fn *fn, void *ctx, struct error *err)
{
    return writer_do(s->writer, fn, ctx, err);
}

bool
store_flush(struct store *s, struct error *err)
{
    return writer_do(s->writer, NULL, NULL, err);
}

void
store_append(struct store *s, store_batch_fn *fn, const void *record,
             size_t len)
{
    writer_append(s->writer, fn, record, len);
}

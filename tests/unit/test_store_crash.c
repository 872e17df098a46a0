/* What the disk holds at every moment of a session with the store.
 *
 * This program puts itself between SQLite (and base/file) and the kernel: its
 * own write(), fsync(), rename(), ... record each change of a file below the
 * project.  Afterwards the project is rebuilt as it stood after each change,
 *
 *   killed   with all writes so far: kill -9 there;
 *   cut      with what was synced alone: a power cut there;
 *   torn     with what was synced and a random half of the rest,
 *
 * and opened again: it must open, be whole, take new writes and hold all that
 * had been acknowledged.  The same functions let the n-th change fail.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "store/registry.h"
#include "store_fixture.h"

enum { ROUNDS = 2, POINTS = 3, CHANGES_MAX = 4096, FILES_MAX = 64 };

#define OK(call)                         \
    do {                                 \
        if (!(call))                     \
            fail_msg("%s", err.message); \
    } while (0)

/* ---- the record ---- */

enum what { CREATE, WRITE, TRUNCATE, SYNC, SYNC_FOLDER, RENAME, UNLINK, ACK };
struct change {
    enum what what;
    int file; /* which of all files there ever were */
    off_t at;
    size_t len;
    char *data; /* of a write; else a path below the project */
    char *to;   /* of a rename, or the first name */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct change changes[CHANGES_MAX];
static size_t n_changes;
static bool recording;
static ino_t inode_of[FILES_MAX]; /* 0: its number may be another's now */
static int n_files;
static long fail_at; /* 0: off */
static bool fail_on; /* and all after it */
static bool failed;

static struct change *
add_change(enum what what, int file)
{
    struct change *c = &changes[n_changes++];

    if (n_changes == CHANGES_MAX)
        abort();
    *c = (struct change){.what = what, .file = file};
    return c;
}

static const char *
below_project(const char *path)
{
    size_t n = strlen(project);

    return strncmp(path, project, n) == 0 && path[n] == '/' ? path + n + 1
                                                            : NULL;
}

/* The path of a descriptor if its changes are recorded. */
static bool
path_of(int fd, char path[PATH_MAX])
{
    char link[64];
    ssize_t n;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, PATH_MAX - 1);
    path[n > 0 ? n : 0] = '\0';
    return below_project(path) && !strstr(path, "-shm");
}

static int
file_of(int fd, const char *path)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        abort();
    for (int i = 0; i < n_files; i++)
        if (inode_of[i] == st.st_ino)
            return i;
    if (n_files == FILES_MAX)
        abort();
    inode_of[n_files] = st.st_ino;
    add_change(CREATE, n_files)->data = mem_text(below_project(path));
    return n_files++;
}

static void
forget(const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return;
    for (int i = 0; i < n_files; i++)
        if (inode_of[i] == st.st_ino)
            inode_of[i] = 0;
}

static bool
must_fail(void)
{
    bool hit;

    pthread_mutex_lock(&lock);
    hit = fail_at > 0 && --fail_at == 0;
    failed = failed || hit;
    if (hit && fail_on)
        fail_at = 1;
    pthread_mutex_unlock(&lock);
    return hit;
}

static void
record_write(int fd, const void *p, size_t len, off_t at)
{
    char path[PATH_MAX];
    struct change *c;

    pthread_mutex_lock(&lock);
    if (recording && path_of(fd, path)) {
        int file = file_of(fd, path); /* may add a CREATE */

        c = add_change(WRITE, file);
        c->at = at;
        c->len = len;
        c->data = memcpy(mem_new(len), p, len);
    }
    pthread_mutex_unlock(&lock);
}

static bool
is_ours(int fd)
{
    char path[PATH_MAX];

    return path_of(fd, path);
}

ssize_t
pwrite64(int fd, const void *p, size_t len, off64_t at)
{
    if (is_ours(fd) && must_fail()) {
        errno = ENOSPC;
        return -1;
    }
    record_write(fd, p, len, at);
    return syscall(SYS_pwrite64, fd, p, len, at);
}

ssize_t
pwrite(int fd, const void *p, size_t len, off_t at)
{
    return pwrite64(fd, p, len, at);
}

ssize_t
write(int fd, const void *p, size_t len)
{
    off_t at = lseek(fd, 0, SEEK_CUR);

    if (at >= 0 && is_ours(fd) && must_fail()) {
        errno = ENOSPC;
        return -1;
    }
    if (at >= 0)
        record_write(fd, p, len, at);
    return syscall(SYS_write, fd, p, len);
}

/* Nothing here needs the disk: the record is what counts. */
int
fsync(int fd)
{
    char path[PATH_MAX];
    struct stat st;

    if (!path_of(fd, path))
        return 0;
    if (must_fail()) {
        errno = EIO;
        return -1;
    }
    pthread_mutex_lock(&lock);
    if (recording && fstat(fd, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            add_change(SYNC_FOLDER, 0)->data = mem_text(below_project(path));
        else {
            int file = file_of(fd, path);

            add_change(SYNC, file);
        }
    }
    pthread_mutex_unlock(&lock);
    return 0;
}

int
fdatasync(int fd)
{
    return fsync(fd);
}

int
ftruncate64(int fd, off64_t len)
{
    char path[PATH_MAX];

    if (path_of(fd, path)) {
        if (must_fail()) {
            errno = EIO;
            return -1;
        }
        pthread_mutex_lock(&lock);
        if (recording) {
            int file = file_of(fd, path);

            add_change(TRUNCATE, file)->at = len;
        }
        pthread_mutex_unlock(&lock);
    }
    return (int)syscall(SYS_ftruncate, fd, len);
}

int
ftruncate(int fd, off_t len)
{
    return ftruncate64(fd, len);
}

int
unlink(const char *path)
{
    if (below_project(path) && must_fail()) {
        errno = EIO;
        return -1;
    }
    pthread_mutex_lock(&lock);
    if (recording && below_project(path)) {
        forget(path);
        add_change(UNLINK, 0)->data = mem_text(below_project(path));
    }
    pthread_mutex_unlock(&lock);
    return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int
rename(const char *from, const char *to)
{
    struct change *c;

    if (below_project(from) && must_fail()) {
        errno = EIO;
        return -1;
    }
    pthread_mutex_lock(&lock);
    if (recording && below_project(from)) {
        forget(to);
        c = add_change(RENAME, 0);
        c->data = mem_text(below_project(from));
        c->to = mem_text(below_project(to));
    }
    pthread_mutex_unlock(&lock);
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* A file without a name gets one; what /proc calls it until then is its name
 * in the record. */
int
linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    char path[PATH_MAX];
    ssize_t n = readlink(from, path, PATH_MAX - 1);
    int rc;

    path[n > 0 ? n : 0] = '\0';
    if (below_project(path) && must_fail()) {
        errno = EIO;
        return -1;
    }
    pthread_mutex_lock(&lock);
    rc = (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
    if (rc == 0 && recording && below_project(path)) {
        struct change *c = add_change(RENAME, 0);

        c->data = mem_text(below_project(path));
        c->to = mem_text(below_project(to));
    }
    pthread_mutex_unlock(&lock);
    return rc;
}

/* ---- the session ---- */

enum ack { BEGUN, ENDED, KEPT, ADDED, PROMOTED, N_ACKS };
struct acked {
    enum ack ack;
    int round;
};

static run_id ids[ROUNDS];
static char digests[ROUNDS][DIGEST_HEX];
static int64_t numbers[ROUNDS]; /* of the versions */
static struct acked acked[ROUNDS * N_ACKS + 1];
static size_t n_acked;

static bool
acknowledge(bool ok, enum ack ack, int round)
{
    if (!ok)
        return false;
    acked[n_acked++] = (struct acked){ack, round};
    pthread_mutex_lock(&lock);
    if (recording)
        add_change(ACK, 0);
    pthread_mutex_unlock(&lock);
    return true;
}

static bool
play_round(struct store *s, int i)
{
    const struct run_start r = {.params = "{}"};
    char text[16];
    bool ok;

    ok = acknowledge(run_begin(s, &r, ids[i], &err), BEGUN, i);
    for (int k = 0; ok && k < POINTS; k++)
        run_event_post(s, ids[i], &(struct event){"loss", k, 0.5, 1});
    if (ok)
        ok = acknowledge(
            run_end(s, ids[i], RUN_DONE, "", "{\"auc\":0.9}", NULL, "", &err),
            ENDED, i);
    snprintf(text, sizeof text, "model %d", i);
    return acknowledge(artifact_put(s, text, strlen(text), digests[i], &err),
                       KEPT, i) &&
           acknowledge(registry_add(s,
                                    &(struct new_version){.model = "m",
                                                          .digest = digests[i],
                                                          .run = "",
                                                          .size = 1},
                                    &numbers[i], &err),
                       ADDED, i) &&
           acknowledge(
               registry_promote(s, "m", numbers[i], STAGE_PRODUCTION, "", &err),
               PROMOTED, i) &&
           ok;
}

static void
play(void)
{
    struct store *s = store_open(lathe_dir, true, pool, &err);

    assert_non_null(s);
    n_acked = 0;
    for (int i = 0; i < ROUNDS; i++)
        OK(play_round(s, i));
    store_close(s);
}

/* ---- what must hold afterwards ---- */

static int64_t
ask(sqlite3 *db, const char *question)
{
    sqlite3_stmt *q;
    int64_t answer;

    assert_int_equal(sqlite3_prepare_v2(db, question, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    answer = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return answer;
}

static void
check_database(const char *dir)
{
    char path[PATH_MAX];
    sqlite3 *db;

    snprintf(path, sizeof path, "%s/lathe.db", dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        ask(db, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"),
        1);
    assert_int_equal(ask(db, "SELECT count(*) FROM pragma_foreign_key_check"),
                     0);
    assert_true(ask(db, "SELECT ifnull(max(n), 0) FROM (SELECT sum(stage = 2) "
                        "AS n FROM version GROUP BY model)") <= 1);
    assert_int_equal(ask(db, "SELECT count(*) FROM series s WHERE n <> (SELECT "
                             "count(*) FROM point WHERE series = s.key)"),
                     0);
    sqlite3_close(db);
}

static void
check_acked(struct store *s, const struct acked *a)
{
    char name[16];
    struct version v;
    struct series_list l;
    struct run r;

    snprintf(name, sizeof name, "m/%d", (int)numbers[a->round]);
    switch (a->ack) {
    case BEGUN:
        OK(run_find(s, ids[a->round], &r, &err));
        run_fini(&r);
        break;
    case ENDED:
        OK(run_find(s, ids[a->round], &r, &err));
        assert_int_equal(r.state, RUN_DONE);
        assert_string_equal(r.metrics, "{\"auc\":0.9}");
        run_fini(&r);
        OK(run_series(s, ids[a->round], &l, &err));
        assert_int_equal(l.n, 1);
        assert_int_equal(l.series[0].n, POINTS);
        series_list_fini(&l);
        break;
    case KEPT:
        OK(artifact_verify(s, digests[a->round], &err));
        break;
    case ADDED:
        OK(registry_find(s, name, &v, &err));
        assert_string_equal(v.artifact, digests[a->round]);
        version_fini(&v);
        break;
    default:
        OK(registry_find(s, "m@production", &v, &err));
        assert_true(v.number >= numbers[a->round]);
        version_fini(&v);
        break;
    }
}

static void
check_store(struct store *s, size_t n)
{
    const struct run_start again = {.params = "{}"};
    struct version_list l;
    run_id id;

    for (size_t i = 0; i < n; i++)
        check_acked(s, &acked[i]);
    if (registry_list(s, "m", &l, &err)) {
        for (size_t i = 0; i < l.n; i++)
            OK(artifact_verify(s, l.version[i].artifact, &err));
        version_list_fini(&l);
    }
    OK(run_begin(s, &again, id, &err));
}

/* ---- the disk at one moment ---- */

enum mode { KILLED, CUT, TORN, N_MODES };

static bool
in_folder(const char *path, const char *folder)
{
    size_t n = strlen(folder);

    return strncmp(path, folder, n) == 0 && path[n] == '/' &&
           !strchr(path + n + 1, '/');
}

/* Was the change at i made to last by a sync before the end? */
static bool
lasts(size_t i, size_t end)
{
    const struct change *c = &changes[i];
    bool name = c->what == CREATE || c->what == RENAME || c->what == UNLINK;

    for (size_t k = i + 1; k < end; k++) {
        const struct change *s = &changes[k];

        if (s->what == SYNC && s->file == c->file && c->what != RENAME &&
            c->what != UNLINK)
            return true;
        if (name && s->what == SYNC_FOLDER && in_folder(c->data, s->data))
            return true;
    }
    return false;
}

static bool
coin(size_t i, size_t end)
{
    uint64_t x = (i * 2654435761u + end) * 0x9e3779b97f4a7c15u;

    return x >> 63;
}

struct content {
    char *data;
    size_t len;
};

static void
apply(struct content *f, const struct change *c)
{
    size_t end = c->what == WRITE ? (size_t)c->at + c->len : (size_t)c->at;

    if (end > f->len || c->what == TRUNCATE) {
        char *more = mem_new(end + 1);

        memcpy(more, f->data ? f->data : "", f->len < end ? f->len : end);
        free(f->data);
        f->data = more;
        f->len = end;
    }
    if (c->what == WRITE)
        memcpy(f->data + c->at, c->data, c->len);
}

static void
put_file(const char *root, const char *name, const struct content *f)
{
    char *path = file_join(root, name);
    char *slash = strrchr(path, '/');
    FILE *out;

    *slash = '\0';
    OK(file_make_dirs(path, 0755, &err));
    *slash = '/';
    out = fopen(path, "w");
    assert_non_null(out);
    if (f->len)
        fwrite(f->data, 1, f->len, out);
    fclose(out);
    free(path);
}

/* The first `end` changes, into root; returns how many acknowledgements. */
static size_t
rebuild(const char *root, size_t end, enum mode mode)
{
    struct content files[FILES_MAX] = {{0}};
    const char *names[FILES_MAX] = {0};
    size_t n = 0;

    for (size_t i = 0; i < end; i++) {
        const struct change *c = &changes[i];

        if (c->what == ACK)
            n++;
        if (mode != KILLED && c->what != ACK && !lasts(i, end) &&
            (mode == CUT || coin(i, end)))
            continue;
        if (c->what == WRITE || c->what == TRUNCATE)
            apply(&files[c->file], c);
        if (c->what == CREATE)
            names[c->file] = c->data;
        for (int k = 0; k < FILES_MAX; k++) {
            if (c->what == UNLINK && names[k] && !strcmp(names[k], c->data))
                names[k] = NULL;
            if (c->what == RENAME && names[k] && !strcmp(names[k], c->to))
                names[k] = NULL;
        }
        for (int k = 0; k < FILES_MAX && c->what == RENAME; k++)
            if (names[k] && !strcmp(names[k], c->data))
                names[k] = c->to;
    }
    for (int k = 0; k < FILES_MAX; k++) {
        if (names[k] && !strstr(names[k], " (deleted)"))
            put_file(root, names[k], &files[k]);
        free(files[k].data);
    }
    return n;
}

/* Does the image differ from the one before?  A sync writes nothing, and a
 * write that is not synced outlives no power cut. */
static bool
is_news(size_t end, enum mode mode)
{
    enum what what = end ? changes[end - 1].what : ACK;

    if (what == ACK)
        return true;
    if (mode == TORN && end % 3) /* chance needs no every moment */
        return false;
    return (what == SYNC || what == SYNC_FOLDER) == (mode != KILLED);
}

static void
forget_record(void)
{
    for (size_t i = 0; i < n_changes; i++) {
        free(changes[i].data);
        free(changes[i].to);
    }
    n_changes = 0;
    n_files = 0;
}

static void
check_all_moments(void)
{
    static const char *const words[] = {"killed", "cut", "torn"};
    char root[100], dir[120];

    recording = true;
    play();
    recording = false;
    assert_true(n_changes > 50);
    assert_int_equal(n_acked, ROUNDS * N_ACKS);
    for (size_t end = 0; end <= n_changes; end++) {
        for (int mode = KILLED; mode < N_MODES; mode++) {
            struct store *s;
            size_t n;

            if (!is_news(end, (enum mode)mode))
                continue;
            snprintf(root, sizeof root, "%s-image", project);
            snprintf(dir, sizeof dir, "%s/.lathe", root);
            n = rebuild(root, end, (enum mode)mode);
            s = store_open(dir, true, pool, &err);
            if (!s)
                fail_msg("%s after change %zu: %s", words[mode], end,
                         err.message);
            check_store(s, n);
            store_close(s);
            check_database(dir);
            assert_int_equal(remove_tree(root), 0);
        }
    }
    forget_record();
    assert_int_equal(remove_tree(lathe_dir), 0);
}

static void
no_moment_loses_what_was_acknowledged_with_wal(void **state)
{
    (void)state;
    setenv("LATHE_JOURNAL", "wal", 1);
    check_all_moments();
}

static void
no_moment_loses_what_was_acknowledged_with_a_rollback_journal(void **state)
{
    (void)state;
    setenv("LATHE_JOURNAL", "rollback", 1);
    check_all_moments();
}

/* ---- failures that pass ---- */

/* The n-th change fails (and, when `on`, all after it), then the disk is well
 * again: what was acknowledged is there, the store that was open goes on, and
 * no metric of a run that had begun is lost. */
static void
check_failure(long n, bool on)
{
    struct series_list l;
    struct store *s;

    n_acked = 0;
    failed = false;
    fail_on = on;
    fail_at = n;
    s = store_open(lathe_dir, true, pool, &err);
    if (!s) {
        assert_int_equal(err.code, ERR_IO);
        fail_at = 0;
        OK((s = store_open(lathe_dir, true, pool, &err)) != NULL);
    }
    for (int i = 0; i < ROUNDS; i++)
        if (!play_round(s, i) && err.code != ERR_IO)
            fail_msg("change %ld: %s", n, err.message);
    fail_at = 0;
    OK(store_flush(s, &err));
    for (size_t i = 0; i < n_acked; i++) {
        if (acked[i].ack != BEGUN)
            continue;
        OK(run_series(s, ids[acked[i].round], &l, &err));
        assert_int_equal(l.n, 1);
        assert_int_equal(l.series[0].n, POINTS);
        series_list_fini(&l);
    }
    check_store(s, n_acked);
    store_close(s);
    check_database(lathe_dir);
}

/* Until there is no n-th change to fail. */
static void
check_all_failures(bool on)
{
    failed = true;
    for (long n = 1; failed; n++) {
        check_failure(n, on);
        assert_int_equal(remove_tree(lathe_dir), 0);
    }
}

static void
a_change_that_fails_once_is_told_and_passes(void **state)
{
    (void)state;
    setenv("LATHE_JOURNAL", "wal", 1);
    check_all_failures(false);
    setenv("LATHE_JOURNAL", "rollback", 1);
    check_all_failures(false);
}

static void
a_disk_that_fails_for_a_while_is_told_and_passes(void **state)
{
    (void)state;
    setenv("LATHE_JOURNAL", "wal", 1);
    check_all_failures(true);
    setenv("LATHE_JOURNAL", "rollback", 1);
    check_all_failures(true);
}

/* The fixture's own store is not wanted. */
static int
open_project(void **state)
{
    int rc = open_store(state);

    store_close(store);
    store = NULL;
    return rc ? rc : remove_tree(lathe_dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_moment_loses_what_was_acknowledged_with_wal),
        cmocka_unit_test(
            no_moment_loses_what_was_acknowledged_with_a_rollback_journal),
        cmocka_unit_test(a_change_that_fails_once_is_told_and_passes),
        cmocka_unit_test(a_disk_that_fails_for_a_while_is_told_and_passes),
    };

    (void)cmocka_run_group_tests(tests, open_project, close_store);
    return 0;
}

/* base/file.c -- map, read, replace.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/torn.h"

#define XXH_INLINE_ALL
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wcast-qual"
#include <xxhash.h>
#pragma GCC diagnostic pop

enum { READ_STEP = 1 << 16, STOP_MS = 50 };

/* Reads, writes and syncs count as fault points of the tests. */
static ssize_t
checked_read(int fd, void *p, size_t n)
{
    ssize_t got;

    if (mem_fault_hit()) {
        errno = EIO;
        return -1;
    }
    do
        got = read(fd, p, n);
    while (got < 0 && errno == EINTR);
    return got;
}

static bool
write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t put;

        if (mem_fault_hit()) {
            errno = ENOSPC;
            return false;
        }
        put = write(fd, p, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        p += put;
        n -= (size_t)put;
    }
    return true;
}

static bool
checked_sync(int fd)
{
    if (mem_fault_hit()) {
        errno = EIO;
        return false;
    }
    return fsync(fd) == 0;
}

/* Wait for bytes or the end; false when stopped. */
static bool
wait_readable(int fd, const struct progress *stop, struct error *err)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    do
        if (!progress_check(stop, err))
            return false;
    while (stop && poll(&p, 1, STOP_MS) == 0);
    return true;
}

/* Everything up to the end of fd, at most max bytes. */
static bool
slurp(int fd, const char *path, size_t max, const struct progress *stop,
      struct buf *out, struct error *err)
{
    char *step = mem_try_array(READ_STEP, 1, err);
    bool ok = step != NULL;
    ssize_t got = 1;

    while (ok && got > 0 && (ok = wait_readable(fd, stop, err))) {
        got = checked_read(fd, step, READ_STEP);
        if (got < 0)
            ok = error_set(err, ERR_IO, "%s", strerror(errno));
        else if ((size_t)got > max - out->len)
            ok = error_set(err, ERR_LIMIT, "larger than %zu bytes", max);
        else
            buf_add(out, step, (size_t)got);
        ok = ok && buf_check(out, err);
    }
    free(step);
    return ok || error_prefix(err, "%s: ", path);
}

struct mapping {
    void *mapped; /* munmap when not NULL, else free data */
    size_t len;
    char *data;
    int fd; /* of what is mapped; -1: closed */
    struct torn *watch;
};

static bool
map_read(struct file_map *m, int fd, const char *path,
         const struct progress *stop, struct error *err)
{
    struct mapping *priv = m->priv;
    struct buf b;

    buf_init(&b);
    if (!slurp(fd, path, PTRDIFF_MAX, stop, &b, err)) {
        buf_fini(&b);
        return false;
    }
    m->len = b.len;
    priv->data = buf_take(&b);
    m->data = priv->data;
    return true;
}

static bool
map_fd(struct file_map *m, int fd, const char *path,
       const struct progress *stop, struct error *err)
{
    struct mapping *priv = m->priv;
    struct stat st;
    void *p;

    if (fstat(fd, &st) < 0)
        return error_errno(err, errno, "%s", path);
    if (S_ISDIR(st.st_mode))
        return error_set(err, ERR_IO, "%s: is a folder, expected a file", path);
    if (!S_ISREG(st.st_mode) || st.st_size == 0)
        return map_read(m, fd, path, stop, err);
    p = mem_fault_hit()
            ? (errno = ENOMEM, MAP_FAILED)
            : mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return error_errno(err, errno, "%s", path);
    priv->mapped = p;
    priv->watch = torn_watch(p, (size_t)st.st_size, path, &st);
    priv->len = m->len = (size_t)st.st_size;
    m->data = p;
    return true;
}

bool
file_map_open(struct file_map *m, const char *path, const struct progress *stop,
              struct error *err)
{
    bool standard_input = strcmp(path, "-") == 0;
    int fd = standard_input ? fcntl(0, F_DUPFD_CLOEXEC, 0)
                            : open(path, O_RDONLY | O_CLOEXEC);
    struct mapping *priv;
    bool ok;

    *m = (struct file_map){.data = ""};
    if (fd < 0)
        return error_errno(err, errno, "%s", path);
    m->priv = priv = mem_new(sizeof *priv);
    priv->fd = -1;
    ok = map_fd(m, fd, standard_input ? "standard input" : path, stop, err);
    if (priv->mapped)
        priv->fd = fd;
    else
        close(fd);
    if (!ok)
        file_map_close(m);
    return ok;
}

bool
file_map_memory(struct file_map *m, void *data, size_t len, struct error *err)
{
    struct mapping *priv = mem_try_array(1, sizeof *priv, err);

    *m = (struct file_map){.data = ""};
    if (!priv) {
        free(data);
        return false;
    }
    priv->fd = -1;
    priv->data = data;
    *m = (struct file_map){.data = data, .len = len, .priv = priv};
    return true;
}

void
file_map_close(struct file_map *m)
{
    struct mapping *priv = m->priv;

    if (!priv)
        return;
    torn_forget(priv->watch);
    if (priv->mapped)
        munmap(priv->mapped, priv->len);
    if (priv->fd >= 0)
        close(priv->fd);
    free(priv->data);
    free(priv);
    *m = (struct file_map){.data = ""};
}

void
file_map_cool(const struct file_map *m, size_t begin, size_t end)
{
    const struct mapping *priv = m->priv;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    begin += (page - begin % page) % page;
    if (end < m->len)
        end -= end % page;
    if (priv && priv->mapped && begin < end)
        (void)madvise((char *)priv->mapped + begin, end - begin, MADV_DONTNEED);
}

bool
file_map_whole(const struct file_map *m, struct error *err)
{
    const struct mapping *priv = m->priv;
    struct stat st;

    if (!priv || priv->fd < 0 || fstat(priv->fd, &st) < 0 ||
        (!torn_was(priv->watch) && (size_t)st.st_size >= priv->len))
        return true;
    return error_set(err, ERR_IO,
                     "it became shorter while it was read: %zu bytes, now %zu",
                     priv->len, (size_t)st.st_size);
}

/* What is kept for long keeps no descriptor. */
static void
close_file(struct file_map *m)
{
    struct mapping *priv = m->priv;

    if (priv && priv->fd >= 0) {
        close(priv->fd);
        priv->fd = -1;
    }
}

struct file_hold {
    atomic_size_t refs;
    struct file_map map;
};

struct file_hold *
file_hold_new(struct file_map *m, struct error *err)
{
    struct file_hold *h = mem_try_array(1, sizeof *h, err);

    if (!h) {
        file_map_close(m);
        return NULL;
    }
    atomic_init(&h->refs, 1);
    close_file(m);
    h->map = *m;
    *m = (struct file_map){.data = ""};
    return h;
}

struct file_hold *
file_hold_ref(struct file_hold *h)
{
    atomic_fetch_add_explicit(&h->refs, 1, memory_order_relaxed);
    return h;
}

const struct file_map *
file_hold_map(const struct file_hold *h)
{
    return &h->map;
}

bool
file_hold_whole(const struct file_hold *h, struct error *err)
{
    const struct mapping *priv = h ? h->map.priv : NULL;

    return !priv || torn_check_one(priv->watch, err);
}

void
file_hold_unref(struct file_hold *h)
{
    if (!h || atomic_fetch_sub_explicit(&h->refs, 1, memory_order_acq_rel) > 1)
        return;
    file_map_close(&h->map);
    free(h);
}

bool
file_read(const char *path, size_t max, struct buf *out, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok;

    if (fd < 0)
        return error_errno(err, errno, "%s", path);
    ok = slurp(fd, path, max + out->len, NULL, out, err);
    close(fd);
    return ok;
}

/* Caller frees. */
static char *
folder_of(const char *path)
{
    char *folder = mem_text(path);
    char *slash = strrchr(folder, '/');

    if (slash) {
        slash[slash == folder ? 1 : 0] = '\0';
        return folder;
    }
    free(folder);
    return mem_text(".");
}

static bool
sync_folder_of(const char *path, struct error *err)
{
    char *folder = folder_of(path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* Some network file systems refuse to sync a folder: EINVAL is no loss. */
    bool ok = fd >= 0 && (checked_sync(fd) || errno == EINVAL);

    if (!ok)
        error_errno(err, errno, "%s", folder);
    if (fd >= 0)
        close(fd);
    free(folder);
    return ok;
}

/* ---- a file that appears whole ----
 *
 * A file without a name is linked into place when it is whole.  A link cannot
 * replace what is there: then it goes to a name beside it, which is renamed at
 * once, and only a kill between these two calls leaves that name behind.  The
 * kernel makes such links through /proc alone. */

enum { OWN_NAME = sizeof "/proc/self/fd/-2147483648", NAME_TRIES = 1000 };

static const char *
own_name(int fd, char out[OWN_NAME])
{
    snprintf(out, OWN_NAME, "/proc/self/fd/%d", fd);
    return out;
}

/* -1 where there are none, or where they could not get a name. */
static int
open_unnamed(const char *path)
{
    char *folder = folder_of(path), own[OWN_NAME];
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    free(folder);
    if (fd >= 0 && access(own_name(fd, own), F_OK) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* A name beside `path` that no one has, in *temporary. */
static bool
link_beside(struct file_out *o, const char *own)
{
    size_t n = strlen(o->path) + sizeof ".-2147483648.1000";
    int linked = -1;

    o->temporary = mem_new(n);
    for (int i = 0; linked < 0 && i < NAME_TRIES; i++) {
        snprintf(o->temporary, n, "%s.%d.%d", o->path, (int)getpid(), i);
        linked =
            linkat(AT_FDCWD, own, AT_FDCWD, o->temporary, AT_SYMLINK_FOLLOW);
        if (linked < 0 && errno != EEXIST)
            break;
    }
    if (linked == 0)
        return true;
    free(o->temporary);
    o->temporary = NULL;
    return false;
}

static bool
put_in_place(struct file_out *o)
{
    char own[OWN_NAME];

    if (!o->temporary) {
        if (linkat(AT_FDCWD, own_name(o->fd, own), AT_FDCWD, o->path,
                   AT_SYMLINK_FOLLOW) == 0)
            return true;
        if (errno != EEXIST || !link_beside(o, own))
            return false;
    }
    return rename(o->temporary, o->path) == 0;
}

static bool
is_device(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 &&
           (S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode) || S_ISBLK(st.st_mode));
}

bool
file_out_open(struct file_out *o, const char *path, struct error *err)
{
    size_t n = strlen(path) + sizeof ".XXXXXX";

    *o = (struct file_out){
        .fd = -1, .mark = torn_mark(), .path = mem_text(path)};
    o->straight = is_device(path);
    o->fd = o->straight ? open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY)
                        : open_unnamed(path);
    if (o->fd >= 0)
        return true;
    if (o->straight) {
        error_errno(err, errno, "%s", path);
        free(o->path);
        return false;
    }
    o->temporary = mem_new(n);
    snprintf(o->temporary, n, "%s.XXXXXX", path);
    o->fd = mkostemp(o->temporary, O_CLOEXEC);
    if (o->fd >= 0)
        return true;
    error_errno(err, errno, "%s", path);
    free(o->path);
    free(o->temporary);
    return false;
}

bool
file_out_write(struct file_out *o, const void *p, size_t len, struct error *err)
{
    return write_all(o->fd, p, len) || error_errno(err, errno, "%s", o->path);
}

void
file_out_drop(struct file_out *o)
{
    if (o->fd >= 0)
        close(o->fd);
    if (o->temporary)
        unlink(o->temporary);
    free(o->temporary);
    free(o->path);
    *o = (struct file_out){.fd = -1};
}

/* umask(2) tells the mask only by changing it, which other threads would see;
 * Linux writes it here. */
static mode_t
mask_of_process(void)
{
    FILE *f = fopen("/proc/self/status", "re");
    unsigned mask = 022;
    char line[256];

    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "Umask: %o", &mask) == 1)
            break;
    if (f)
        fclose(f);
    return (mode_t)mask & 0777;
}

/* What others may read stays as the file that is replaced had it. */
static mode_t
mode_of(const struct file_out *o, unsigned mode)
{
    struct stat st;

    if (mode & 0077 && stat(o->path, &st) == 0 && S_ISREG(st.st_mode))
        return st.st_mode & 0777;
    return (mode_t)mode & ~mask_of_process();
}

bool
file_out_commit(struct file_out *o, unsigned mode, struct error *err)
{
    bool ok;

    if (!torn_check(o->mark, false, err)) {
        file_out_drop(o);
        return false;
    }
    if (o->straight) {
        file_out_drop(o);
        return true;
    }
    ok = fchmod(o->fd, mode_of(o, mode)) == 0 && checked_sync(o->fd) &&
         put_in_place(o);
    if (!ok) {
        error_errno(err, errno, "%s", o->path);
        file_out_drop(o);
        return false;
    }
    close(o->fd);
    ok = sync_folder_of(o->path, err);
    free(o->temporary);
    free(o->path);
    *o = (struct file_out){.fd = -1};
    return ok;
}

bool
file_replace(const char *path, const void *data, size_t len, unsigned mode,
             struct error *err)
{
    struct file_out o;

    if (!file_out_open(&o, path, err))
        return false;
    if (!file_out_write(&o, data, len, err)) {
        file_out_drop(&o);
        return false;
    }
    return file_out_commit(&o, mode, err);
}

bool
file_append(const char *path, const void *data, size_t len, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    bool ok;

    if (fd < 0)
        return error_errno(err, errno, "%s", path);
    ok = write_all(fd, data, len);
    if (!ok)
        error_errno(err, errno, "%s", path);
    close(fd);
    return ok;
}

bool
file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

bool
file_make_dirs(const char *path, unsigned mode, struct error *err)
{
    char *p = mem_text(path);
    bool ok = true;

    for (char *at = p + 1; ok && *p; at++) {
        char c = *at;

        if (c != '/' && c != '\0')
            continue;
        *at = '\0';
        ok = mkdir(p, mode) == 0 || errno == EEXIST;
        if (!ok)
            error_errno(err, errno, "%s", p);
        *at = c;
        if (c == '\0')
            break;
    }
    free(p);
    return ok;
}

char *
file_join(const char *dir, const char *name)
{
    size_t n = strlen(dir);
    const char *slash = n > 0 && dir[n - 1] != '/' ? "/" : "";
    size_t len = n + 1 + strlen(name) + 1;
    char *out = mem_new(len);

    snprintf(out, len, "%s%s%s", dir, slash, name);
    return out;
}

const char *
file_base(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* The source folder when the program stands in a build tree: configure leaves
 * config.status there, whose first mention of srcdir names it. */
static char *
source_folder(void)
{
    char *self = mem_text(proc_self());
    char *slash = strrchr(self, '/');
    char *makefile, *found = NULL;
    char line[PATH_MAX + 64];
    FILE *f;

    if (slash)
        *slash = '\0';
    makefile = file_join(self, "Makefile");
    f = fopen(makefile, "re");
    while (f && !found && fgets(line, sizeof line, f))
        if (strncmp(line, "abs_top_srcdir = ", 17) == 0) {
            line[strcspn(line, "\n")] = '\0';
            found = mem_text(line + 17);
        }
    if (f)
        fclose(f);
    free(makefile);
    free(self);
    return found;
}

static char *
below(const char *dir, const char *relative)
{
    char *path = dir ? file_join(dir, relative) : NULL;

    if (path && !file_exists(path)) {
        free(path);
        path = NULL;
    }
    return path;
}

char *
file_data_path(const char *relative, struct error *err)
{
    char *path = below(getenv("LATHE_DATA"), relative);

    if (!path) {
        char *source = source_folder();

        path = below(source, relative);
        free(source);
    }
    if (!path)
        path = below(LATHE_PKGDATADIR, relative);
    if (!path)
        error_set(err, ERR_NOTFOUND, "%s: not found in %s", relative,
                  LATHE_PKGDATADIR);
    return path;
}

void
file_hash(const void *p, size_t len, char out[33])
{
    XXH128_hash_t h = XXH3_128bits(p, len);

    snprintf(out, 33, "%016llx%016llx", (unsigned long long)h.high64,
             (unsigned long long)h.low64);
}

void
file_hash_words(const void *p, size_t len, uint64_t out[2])
{
    XXH128_hash_t h = XXH3_128bits(p, len);

    out[0] = h.high64;
    out[1] = h.low64;
}

/* base/file.h -- map, read, replace.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_BASE_FILE_H
#define LATHE_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/progress.h"

/* A file's bytes, mapped read-only (read into memory when it is a pipe or a
 * special file, or "-" for standard input). */
struct file_map {
    const char *data;
    size_t len;
    void *priv; /* how to release it */
};

/* A pipe that keeps us waiting is given up when `stop`, which may be NULL, is
 * stopped: ERR_CANCELLED. */
bool file_map_open(struct file_map *m, const char *path,
                   const struct progress *stop, struct error *err) MUST_USE;
void file_map_close(struct file_map *m);
/* Give back the memory of the pages that lie wholly in these bytes of a
 * mapping; they are read again when they are looked at.  Of bytes that were
 * read into memory nothing is given back. */
void file_map_cool(const struct file_map *m, size_t begin, size_t end);
/* Memory of malloc's, of which it takes ownership, also when it fails, in the
 * place of a file. */
bool file_map_memory(struct file_map *m, void *data, size_t len,
                     struct error *err) MUST_USE;
/* A file may become shorter while it is read: what it no longer has is read as
 * zeros.  Ask before believing what was read: ERR_IO. */
bool file_map_whole(const struct file_map *m, struct error *err) MUST_USE;

/* A mapping that several things point into: shared by reference count across
 * threads, closed with the last of them.  Takes m over, also when it fails. */
struct file_hold;
struct file_hold *file_hold_new(struct file_map *m, struct error *err) MUST_USE;
struct file_hold *file_hold_ref(struct file_hold *h);
void file_hold_unref(struct file_hold *h);
const struct file_map *file_hold_map(const struct file_hold *h);
/* As file_map_whole(), long after it was opened; NULL: true. */
bool file_hold_whole(const struct file_hold *h, struct error *err) MUST_USE;

/* The whole file, at most max bytes (ERR_LIMIT beyond). */
bool file_read(const char *path, size_t max, struct buf *out,
               struct error *err) MUST_USE;
/* Appear whole or not at all: temporary beside it, fsync, rename, fsync of
 * the folder.  mode as for open(2): less the umask, and a file that is there
 * keeps its own, unless the mode is for the owner alone. */
bool file_replace(const char *path, const void *data, size_t len, unsigned mode,
                  struct error *err) MUST_USE;
/* The same in pieces: open, write, then either commit or drop, which release
 * it.  Nothing is at `path` before the commit.  Where the file system allows
 * it the temporary has no name until then, so that nothing stays of it however
 * the process ends.  A device or a pipe (/dev/stdout) is written to as it is,
 * and is never replaced. */
struct file_out {
    int fd;
    unsigned mark; /* what is torn since then is in the file: no commit */
    bool straight; /* to what is there */
    char *path, *temporary; /* NULL: without a name */
};
bool
file_out_open(struct file_out *o, const char *path, struct error *err) MUST_USE;
bool file_out_write(struct file_out *o, const void *p, size_t len,
                    struct error *err) MUST_USE;
bool
file_out_commit(struct file_out *o, unsigned mode, struct error *err) MUST_USE;
void file_out_drop(struct file_out *o);
bool file_append(const char *path, const void *data, size_t len,
                 struct error *err) MUST_USE;
bool file_exists(const char *path);
/* mkdir -p; existing folders are fine. */
bool
file_make_dirs(const char *path, unsigned mode, struct error *err) MUST_USE;
/* Path of an installed or in-tree data file: "themes/dark.theme",
 * "lua/lathe/init.lua", "samples/churn/churn.lua".  Looks below LATHE_DATA, the
 * source tree when the program runs from its build tree, then the installed
 * data folder.  NULL with ERR_NOTFOUND; caller frees. */
char *file_data_path(const char *relative, struct error *err) MUST_USE;
char *file_join(const char *dir, const char *name); /* caller frees; aborts */
const char *file_base(const char *path);            /* after the last slash */
/* 128-bit XXH3 of bytes as 32 hex digits and a zero. */
void file_hash(const void *p, size_t len, char out[33]);
/* The same hash as two words. */
void file_hash_words(const void *p, size_t len, uint64_t out[2]);
#endif

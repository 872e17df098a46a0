/* frame/sink_bytes.c -- the bytes of a written table, to a new file.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <unistd.h>

#include "base/mem.h"
#include "frame/sink_part.h"

bool
sink_bytes_open(struct sink_bytes *b, const char *path, struct error *err)
{
    return file_out_open(&b->file, path, err);
}

bool
sink_bytes_put(struct sink_bytes *b, const void *p, size_t len,
               struct error *err)
{
    return file_out_write(&b->file, p, len, err);
}

bool
sink_bytes_change(struct sink_bytes *b, size_t at, const void *p, size_t len,
                  struct error *err)
{
    const char *from = p;
    off_t to = (off_t)at;

    while (len > 0) {
        ssize_t n = -1;

        errno = EIO;
        if (!mem_fault_hit())
            n = pwrite(b->file.fd, from, len, to);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, errno, "%s", b->file.path);
        from += n;
        to += n;
        len -= (size_t)n;
    }
    return true;
}

bool
sink_bytes_commit(struct sink_bytes *b, unsigned mode, struct error *err)
{
    return file_out_commit(&b->file, mode, err);
}

void
sink_bytes_drop(struct sink_bytes *b)
{
    file_out_drop(&b->file);
}

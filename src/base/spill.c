/* base/spill.c -- files for what does not fit in memory.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

static const char *
folder(void)
{
    static const char *const names[] = {"LATHE_SPILL", "TMPDIR"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *s = getenv(names[i]);

        if (s && s[0])
            return s;
    }
    return "/var/tmp";
}

/* Where the file system has no O_TMPFILE. */
static int
open_and_unlink(void)
{
    char path[4096];
    int fd;

    snprintf(path, sizeof path, "%s/lathe-spill-XXXXXX", folder());
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

int
spill_open(struct error *err)
{
    int fd = -1;

    errno = EIO;
    if (!mem_fault_hit()) {
        fd = open(folder(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (fd < 0)
            fd = open_and_unlink();
    }
    if (fd < 0) {
        int e = errno;

        error_set(err, ERR_IO,
                  "no file can be made in %s for what does not fit in memory "
                  "(%s); set LATHE_SPILL to a folder with room",
                  folder(), strerror(e));
    }
    return fd;
}

bool
spill_append(int fd, const void *p, size_t len, struct error *err)
{
    const char *at = p;

    while (len > 0) {
        ssize_t n = -1;

        errno = EIO;
        if (!mem_fault_hit())
            n = write(fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set(
                err, ERR_IO,
                "what does not fit in memory cannot be written to %s (%s); "
                "set LATHE_SPILL to a folder with room",
                folder(), strerror(errno));
        at += n;
        len -= (size_t)n;
    }
    return true;
}

bool
spill_read(int fd, uint64_t at, void *p, size_t len, struct error *err)
{
    char *to = p;

    while (len > 0) {
        ssize_t n = -1;

        errno = EIO;
        if (!mem_fault_hit())
            n = pread(fd, to, len, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return error_set(err, ERR_IO,
                             "what was put into %s cannot be read back (%s)",
                             folder(), n ? strerror(errno) : "it is shorter");
        to += n;
        at += (uint64_t)n;
        len -= (size_t)n;
    }
    return true;
}

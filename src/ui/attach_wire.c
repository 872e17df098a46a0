/* ui/attach_wire.c -- packets over a Unix socket, and where that is.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/attach_wire.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { BACKLOG = 8 };

/* ---- packets ---- */

void
wire_field(struct buf *b, const char *s)
{
    buf_add(b, s ? s : "", strlen(s ? s : "") + 1);
}

/* Send a packet, with two descriptors when fds is not NULL. */
bool
wire_send(int fd, const struct buf *b, const int *fds)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } control = {0};
    struct iovec io = {b->data, b->len};
    struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1};

    if (fds) {
        m.msg_control = control.bytes;
        m.msg_controllen = sizeof control.bytes;
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);

        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(2 * sizeof(int));
        memcpy(CMSG_DATA(c), fds, 2 * sizeof(int));
    }
    for (;;) {
        if (sendmsg(fd, &m, MSG_NOSIGNAL) >= 0)
            return true;
        if (errno != EINTR)
            return false;
    }
}

bool
wire_letter(int fd, char letter)
{
    struct buf b = {.data = &letter, .len = 1};

    return wire_send(fd, &b, NULL);
}

void
wire_close(const int *fds, size_t n)
{
    for (size_t i = 0; i < n; i++)
        close(fds[i]);
}

/* Receive a packet into p (WIRE_PACKET_MAX + 1 bytes, made to end in NUL); *len is
 * 0 when the other side is gone, -1 when nothing is there.  Descriptors that
 * were not asked for are closed. */
ssize_t
wire_receive(int fd, char *p, int fds[2])
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(8 * sizeof(int))];
    } control = {0};
    struct iovec io = {p, WIRE_PACKET_MAX};
    struct msghdr m = {.msg_iov = &io,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof control.bytes};
    bool reset = false;
    ssize_t n;

    /* The other side may have closed without reading our last word; what it
     * said before that is behind the error. */
    do {
        n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
        if (n < 0 && errno == ECONNRESET && !reset) {
            reset = true;
            errno = EINTR;
        }
    } while (n < 0 && errno == EINTR);
    if (fds)
        fds[0] = fds[1] = -1;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); n >= 0 && c;
         c = CMSG_NXTHDR(&m, c)) {
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        int got[8];

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
            count > 8)
            continue;
        memcpy(got, CMSG_DATA(c), count * sizeof(int));
        if (fds && count == 2)
            memcpy(fds, got, 2 * sizeof(int));
        else
            wire_close(got, count);
    }
    if (n < 0 && errno != EAGAIN)
        n = 0;
    if (n >= 0)
        p[n] = '\0';
    return n;
}

/* Cut the fields of a packet, at most max; returns how many there are. */
size_t
wire_split(const char *p, size_t len, const char **fields, size_t max)
{
    size_t n = 0;

    for (size_t at = 0; at < len && n < max; at += strlen(p + at) + 1)
        fields[n++] = p + at;
    return n;
}

bool
wire_same_user(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof peer;

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           peer.uid == geteuid();
}

/* ---- where the socket is ---- */

static bool
check_folder(const char *dir, struct error *err)
{
    struct stat st;

    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return error_errno(err, errno, "%s", dir);
    if (lstat(dir, &st) < 0)
        return error_errno(err, errno, "%s", dir);
    if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || st.st_mode & 077)
        return error_set(err, ERR_STATE,
                         "%s must be a folder of yours with mode 0700", dir);
    return true;
}

bool
wire_folder(char dir[PATH_MAX], struct error *err)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    struct error ignored;

    if (runtime && *runtime == '/' && strlen(runtime) < 64) {
        snprintf(dir, PATH_MAX, "%s/lathe", runtime);
        if (check_folder(dir, &ignored))
            return true;
    }
    snprintf(dir, PATH_MAX, "/tmp/lathe-%u", (unsigned)geteuid());
    return check_folder(dir, err);
}

bool
wire_path(const char *project, char path[WIRE_PATH_MAX], struct error *err)
{
    char real[PATH_MAX], dir[PATH_MAX], hash[33];
    int n;

    if (!realpath(project, real))
        return error_errno(err, errno, "%s", project);
    if (!wire_folder(dir, err))
        return false;
    file_hash(real, strlen(real), hash);
    n = snprintf(path, WIRE_PATH_MAX, "%s/%.20s.sock", dir, hash);
    if (n < 0 || n >= WIRE_PATH_MAX)
        return error_set(err, ERR_LIMIT, "the socket's path is too long: %s",
                         dir);
    return true;
}

static struct sockaddr_un
address(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    return a;
}

int
wire_connect(const char *path)
{
    struct sockaddr_un a = address(path);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    if (fd >= 0 && (connect(fd, (const struct sockaddr *)&a, sizeof a) < 0 ||
                    !wire_same_user(fd))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

int
wire_listen(const char *path, struct error *err)
{
    struct sockaddr_un a = address(path);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    unlink(path);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&a, sizeof a) < 0 ||
        listen(fd, BACKLOG) < 0) {
        error_errno(err, errno, "%s", path);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

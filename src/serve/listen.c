/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "serve/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"

static int
bind_one(const struct addrinfo *a)
{
    int fd =
        socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int one = 1;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (!bind(fd, a->ai_addr, a->ai_addrlen) && !listen(fd, SOMAXCONN))
        return fd;
    one = errno;
    close(fd);
    errno = one;
    return -1;
}

static unsigned
listen_port(int fd)
{
    struct sockaddr_storage a;
    socklen_t len = sizeof a;
    char text[8];
    int64_t port = 0;

    if (getsockname(fd, (struct sockaddr *)&a, &len) ||
        getnameinfo((struct sockaddr *)&a, len, NULL, 0, text, sizeof text,
                    NI_NUMERICSERV) ||
        !str_to_i64(str_of(text), &port))
        return 0;
    return (unsigned)port;
}

int
listen_new(const char *host, unsigned port, unsigned *bound, struct error *err)
{
    struct addrinfo hint = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                            .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    char service[16];
    int fd = -1, failed;

    if (!host)
        host = "127.0.0.1";
    if (port > 65535) {
        error_set(err, ERR_RANGE, "port is %u, expected 0..65535", port);
        return -1;
    }
    snprintf(service, sizeof service, "%u", port);
    failed = getaddrinfo(host, service, &hint, &list);
    if (failed) {
        error_set(err, ERR_NOTFOUND, "host %s: %s", host, gai_strerror(failed));
        return -1;
    }
    for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next)
        fd = bind_one(a);
    failed = errno;
    freeaddrinfo(list);
    if (fd >= 0)
        *bound = listen_port(fd);
    else if (failed == EADDRINUSE)
        error_set(err, ERR_EXISTS, "port %u on %s is taken", port, host);
    else
        error_errno(err, failed, "port %u on %s", port, host);
    return fd;
}

/* The socket that was handed to us as standard input. */
static int
take_given(const char *given, unsigned *port, struct error *err)
{
    int yes = 0, fd;
    socklen_t len = sizeof yes;

    if (strcmp(given, "0") ||
        getsockopt(STDIN_FILENO, SOL_SOCKET, SO_ACCEPTCONN, &yes, &len) ||
        !yes) {
        error_set(err, ERR_STATE,
                  "LATHE_LISTEN_FD is '%s', but that is no listening socket",
                  given);
        return -1;
    }
    fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    if (fd < 0 || fcntl(fd, F_SETFL, O_NONBLOCK)) {
        error_errno(err, errno, "standard input");
        if (fd >= 0)
            close(fd);
        return -1;
    }
    *port = listen_port(fd);
    return fd;
}

int
listen_open(const char *host, unsigned port, unsigned *bound, struct error *err)
{
    const char *given = getenv("LATHE_LISTEN_FD");

    return given ? take_given(given, bound, err)
                 : listen_new(host, port, bound, err);
}

/* serve/server_stop.c -- the end of the HTTP server: who has come is answered.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/loop.h"
#include "serve/server_state.h"

enum { FRESH_MS = 200 /* a connection just opened may still send */ };

/* May a connection be handed over?  A thread of libmicrohttpd 0.9.75 that gets
 * more than its share of the limit locks itself out for good, and which one
 * gets it is not known: so it is asked once those before have arrived, but
 * where all of them and what is open would fit into one. */
static bool
has_room(struct server *s, uint64_t due, int64_t end_ms)
{
    const struct timespec pause = {.tv_nsec = 500000};

    for (;;) {
        const union MHD_DaemonInfo *info =
            MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
        uint64_t open = info->num_connections;
        uint64_t started = atomic_load(&s->started);
        uint64_t waiting = due > started ? due - started : 0;

        if (waiting == 0 || open + waiting < s->most / s->threads)
            return open < s->most;
        if (loop_now_ms() >= end_ms)
            return false;
        nanosleep(&pause, NULL);
    }
}

/* Connections that the kernel has completed are accepted: take them in.  Those
 * over the limit were not, and will not be. */
static void
accept_the_rest(struct server *s, int64_t end_ms)
{
    uint64_t due = atomic_load(&s->started);

    for (;;) {
        struct sockaddr_storage a;
        socklen_t len = sizeof a;
        int fd = accept4(s->listen_fd, (struct sockaddr *)&a, &len,
                         SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0)
            return;
        if (!has_room(s, due, end_ms))
            close(fd);
        else if (MHD_add_connection(s->daemon, fd, (struct sockaddr *)&a,
                                    len) == MHD_YES)
            due++;
    }
}

/* Is an answer under way, or a request about to be read? */
static bool
slot_busy(const struct slot *s, int64_t now_ms)
{
    int waiting = 0;

    if (atomic_load(&s->phase) != SLOT_IDLE)
        return true;
    if (!ioctl(s->fd, FIONREAD, &waiting) && waiting > 0)
        return true;
    return !atomic_load(&s->any) && now_ms - s->opened_ms < FRESH_MS;
}

static bool
all_quiet(struct server *s)
{
    int64_t now_ms = loop_now_ms();
    bool quiet = true;

    pthread_mutex_lock(&s->lock);
    for (struct slot *i = s->slots; i && quiet; i = i->next)
        quiet = !slot_busy(i, now_ms);
    pthread_mutex_unlock(&s->lock);
    return quiet;
}

void
server_stop(struct server *s, int64_t grace_ms)
{
    const struct timespec pause = {.tv_nsec = 2000000};
    int64_t end_ms = loop_now_ms() + grace_ms;
    int calm = 0;

    if (!s)
        return;
    atomic_store(&s->service.draining, true);
    MHD_quiesce_daemon(s->daemon);
    accept_the_rest(s, end_ms);
    shutdown(s->listen_fd, SHUT_RDWR);
    /* Twice: between the socket and our first callback a request is in
     * libmicrohttpd's hands, where nobody can see it. */
    while (calm < 2 && loop_now_ms() < end_ms) {
        nanosleep(&pause, NULL);
        calm = all_quiet(s) ? calm + 1 : 0;
    }
    MHD_stop_daemon(s->daemon);
    server_end_keeper(s);
    server_free(s);
}

/* ui/attach.c -- the workbench's side of lent terminals.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/attach.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "ui/attach_wire.h"

struct attach_server {
    int listen_fd;            /* -1: in the foreground */
    int client_fd;            /* -1: none */
    int quitter_fd;           /* who asked to quit and waits for it; -1: none */
    char path[WIRE_PATH_MAX]; /* of the socket */
    struct loop *loop;
    struct loop_watch *listening, *watching;
    struct attach_events events;
    char packet[WIRE_PACKET_MAX + 1];
};

struct attach_server *
attach_server_new(int listen_fd, int client_fd, const char *path)
{
    struct attach_server *s = mem_new(sizeof *s);

    s->listen_fd = listen_fd;
    s->client_fd = client_fd;
    s->quitter_fd = -1;
    snprintf(s->path, sizeof s->path, "%s", path);
    return s;
}

static void
drop_client(struct attach_server *s)
{
    loop_remove(s->watching);
    s->watching = NULL;
    if (s->client_fd >= 0)
        close(s->client_fd);
    s->client_fd = -1;
}

static void
hello(struct attach_server *s, size_t len, int fds[2])
{
    const char *f[WIRE_HELLO_FIELDS + WIRE_MAX_FILES];
    size_t n = wire_split(s->packet + 1, len - 1, f,
                          WIRE_HELLO_FIELDS + WIRE_MAX_FILES);
    struct attach_terminal t = {.fd_in = fds[0], .fd_out = fds[1]};

    if (n < WIRE_HELLO_FIELDS || fds[0] < 0 || strcmp(f[0], VERSION) != 0) {
        if (fds[0] >= 0)
            wire_close(fds, 2);
        attach_give_back(s, 1,
                         "the running workbench is of another version; quit "
                         "it there with :quit");
        return;
    }
    t.term = f[1];
    t.color = f[2];
    t.theme = f[3];
    t.glyphs = f[4];
    t.where = f[5];
    t.utf8 = f[6][0] == '1';
    t.no_color = f[7][0] == '1';
    t.force_color = f[7][0] == '2';
    t.tmux = f[8][0] == '1';
    t.files = f + WIRE_HELLO_FIELDS;
    t.n_files = n - WIRE_HELLO_FIELDS;
    s->events.attached(s->events.ctx, &t);
}

static void
client_gone(struct attach_server *s)
{
    s->events.released(s->events.ctx, true);
    drop_client(s);
}

static void
on_packet(struct attach_server *s, size_t len, int fds[2])
{
    const struct attach_events *e = &s->events;

    if (s->packet[0] != 'H' && fds[0] >= 0)
        wire_close(fds, 2);
    switch (s->packet[0]) {
    case 'H':
        hello(s, len, fds);
        break;
    case 'W':
        e->resized(e->ctx);
        break;
    case 'Z':
        e->suspend(e->ctx);
        break;
    case 'C':
        e->continued(e->ctx);
        break;
    case 'R':
        e->ran(e->ctx, atoi(s->packet + 1));
        break;
    case 'D':
        e->detach(e->ctx);
        break;
    default:
        break;
    }
}

static void
on_client(void *ctx, int events)
{
    struct attach_server *s = ctx;
    int fds[2];
    ssize_t len;

    (void)events;
    while (s->client_fd >= 0 &&
           (len = wire_receive(s->client_fd, s->packet, fds)) >= 0) {
        if (len == 0) {
            client_gone(s);
            return;
        }
        on_packet(s, (size_t)len, fds);
    }
}

/* Who asks to quit keeps the connection: its end tells that the socket is gone
 * and another workbench may start. */
static char
answer_quit(struct attach_server *s, int *fd, bool force, struct buf *out)
{
    if (!s->events.quit(s->events.ctx, force, out))
        return 'n';
    if (s->quitter_fd >= 0)
        close(s->quitter_fd);
    s->quitter_fd = *fd;
    *fd = -1;
    return 'a';
}

/* fd becomes -1 when it is kept. */
static void
answer(struct attach_server *s, int *fd)
{
    const char *what = s->packet + 1;
    int to = *fd;
    char letter = 'a';
    struct buf text, b;

    buf_init(&text);
    buf_init(&b);
    if (strcmp(what, "detach") == 0) {
        buf_puts(&text, s->client_fd >= 0 ? "detached" : "no terminal");
        if (s->client_fd >= 0)
            s->events.detach(s->events.ctx);
    } else if (strcmp(what, "quit") == 0 || strcmp(what, "quit!") == 0) {
        letter = answer_quit(s, fd, what[4] == '!', &text);
    } else {
        s->events.describe(s->events.ctx, &text);
    }
    buf_putc(&b, letter);
    wire_field(&b, text.data);
    wire_send(to, &b, NULL);
    buf_fini(&b);
    buf_fini(&text);
}

static void
watch_client(struct attach_server *s, int fd)
{
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    s->client_fd = fd;
    s->watching = loop_fd(s->loop, fd, LOOP_READ | LOOP_REENTER, on_client, s);
}

/* A connection that has not said yet what it wants. */
struct caller {
    struct attach_server *server;
    struct loop_watch *watch;
    int fd;
};

/* The first packet says it: a terminal is lent (H), or a question asked (A). */
static void
on_caller(void *ctx, int events)
{
    struct caller *c = ctx;
    struct attach_server *s = c->server;
    int fd = c->fd, fds[2];
    ssize_t len = wire_receive(fd, s->packet, fds);

    (void)events;
    if (len < 0)
        return;
    loop_remove(c->watch);
    free(c);
    if (len > 0 && s->packet[0] == 'H') {
        if (s->client_fd >= 0) {
            s->events.released(s->events.ctx, false);
            attach_give_back(s, 0, "lathe: taken over by another terminal");
        }
        watch_client(s, fd);
        hello(s, (size_t)len, fds);
        return;
    }
    if (fds[0] >= 0)
        wire_close(fds, 2);
    if (len > 0 && s->packet[0] == 'A')
        answer(s, &fd);
    if (fd >= 0)
        close(fd);
}

static void
on_connection(void *ctx, int events)
{
    struct attach_server *s = ctx;
    int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    (void)events;
    if (fd >= 0 && !wire_same_user(fd)) {
        close(fd);
        fd = -1;
    }
    if (fd < 0)
        return;
    struct caller *c = mem_new(sizeof *c);

    c->server = s;
    c->fd = fd;
    c->watch = loop_fd(s->loop, fd, LOOP_READ | LOOP_REENTER, on_caller, c);
}

void
attach_serve(struct attach_server *s, struct loop *l,
             const struct attach_events *e)
{
    s->loop = l;
    s->events = *e;
    if (s->listen_fd >= 0)
        s->listening = loop_fd(l, s->listen_fd, LOOP_READ | LOOP_REENTER,
                               on_connection, s);
    if (s->client_fd >= 0) {
        watch_client(s, s->client_fd);
        on_client(s, LOOP_READ);
    } else
        on_connection(s, LOOP_READ);
}

bool
attach_foreground(const struct attach_server *s)
{
    return s->listen_fd < 0;
}

void
attach_give_back(struct attach_server *s, int status, const char *text)
{
    struct buf b;

    if (s->client_fd < 0)
        return;
    buf_init(&b);
    buf_printf(&b, "q%d", status);
    buf_putc(&b, '\0');
    wire_field(&b, text);
    wire_send(s->client_fd, &b, NULL);
    buf_fini(&b);
    drop_client(s);
}

void
attach_stop(struct attach_server *s)
{
    if (s->client_fd >= 0)
        wire_letter(s->client_fd, 'z');
}

void
attach_run(struct attach_server *s, const char *cwd, const char *const *argv)
{
    struct buf b;

    if (s->client_fd < 0)
        return;
    buf_init(&b);
    buf_putc(&b, 'r');
    wire_field(&b, cwd);
    for (size_t i = 0; argv[i] && i < WIRE_MAX_ARGV; i++)
        wire_field(&b, argv[i]);
    wire_send(s->client_fd, &b, NULL);
    buf_fini(&b);
}

void
attach_server_free(struct attach_server *s)
{
    if (!s)
        return;
    loop_remove(s->listening);
    drop_client(s);
    if (s->listen_fd >= 0) {
        unlink(s->path);
        close(s->listen_fd);
    }
    if (s->quitter_fd >= 0)
        close(s->quitter_fd);
    free(s);
}

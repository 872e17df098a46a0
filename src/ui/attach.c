/* ui/attach.c -- lending a terminal over a Unix socket.
 *
 * Packets (SOCK_SEQPACKET), a letter and NUL-ended fields:
 *
 *   client to server                      server to client
 *   H  hello, with the two descriptors    q  status, text: the terminal is
 *   W  the size changed                      yours again
 *   Z  please suspend                     z  left: stop yourself
 *   C  continued                          r  cwd, argv: run this on it
 *   R  status of a program that was run
 *   D  please detach
 *   A  ask: "describe", "detach"          a  the answer
 *
 * The socket listens before the workbench is forked, so the client connects
 * at once and waits for nothing; a lock file beside it keeps two clients from
 * starting two workbenches.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/attach.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "ui/term.h"

enum {
    PACKET_MAX = 65536,
    HELLO_FIELDS = 9,
    MAX_FILES = 64,
    MAX_ARGV = 64,
    ANSWER_MS = 1000, /* a workbench that does not answer is stuck */
    BACKLOG = 8
};

/* ---- packets ---- */

static void
field(struct buf *b, const char *s)
{
    buf_add(b, s ? s : "", strlen(s ? s : "") + 1);
}

/* Send a packet, with two descriptors when fds is not NULL. */
static bool
send_packet(int fd, const struct buf *b, const int *fds)
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

static bool
send_letter(int fd, char letter)
{
    struct buf b = {.data = &letter, .len = 1};

    return send_packet(fd, &b, NULL);
}

static void
close_fds(const int *fds, size_t n)
{
    for (size_t i = 0; i < n; i++)
        close(fds[i]);
}

/* Receive a packet into p (PACKET_MAX + 1 bytes, made to end in NUL); *len is
 * 0 when the other side is gone, -1 when nothing is there.  Descriptors that
 * were not asked for are closed. */
static ssize_t
receive_packet(int fd, char *p, int fds[2])
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(8 * sizeof(int))];
    } control = {0};
    struct iovec io = {p, PACKET_MAX};
    struct msghdr m = {.msg_iov = &io,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof control.bytes};
    ssize_t n;

    do
        n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
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
            close_fds(got, count);
    }
    if (n < 0 && errno != EAGAIN)
        n = 0;
    if (n >= 0)
        p[n] = '\0';
    return n;
}

/* Cut the fields of a packet, at most max; returns how many there are. */
static size_t
split(const char *p, size_t len, const char **fields, size_t max)
{
    size_t n = 0;

    for (size_t at = 0; at < len && n < max; at += strlen(p + at) + 1)
        fields[n++] = p + at;
    return n;
}

static bool
same_user(int fd)
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

static bool
socket_folder(char dir[PATH_MAX], struct error *err)
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

static bool
socket_path(const char *project, struct sockaddr_un *a, struct error *err)
{
    char real[PATH_MAX], dir[PATH_MAX], hash[33];
    int n;

    if (!realpath(project, real))
        return error_errno(err, errno, "%s", project);
    if (!socket_folder(dir, err))
        return false;
    file_hash(real, strlen(real), hash);
    *a = (struct sockaddr_un){.sun_family = AF_UNIX};
    n = snprintf(a->sun_path, sizeof a->sun_path, "%s/%.20s.sock", dir, hash);
    if (n < 0 || (size_t)n >= sizeof a->sun_path)
        return error_set(err, ERR_LIMIT, "the socket's path is too long: %s",
                         dir);
    return true;
}

static int
connect_to(const struct sockaddr_un *a)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    if (fd >= 0 && (connect(fd, (const struct sockaddr *)a, sizeof *a) < 0 ||
                    !same_user(fd))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static int
listen_at(const struct sockaddr_un *a, struct error *err)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    unlink(a->sun_path);
    if (fd < 0 || bind(fd, (const struct sockaddr *)a, sizeof *a) < 0 ||
        listen(fd, BACKLOG) < 0) {
        error_errno(err, errno, "%s", a->sun_path);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

/* ---- the server ---- */

struct attach_server {
    int listen_fd; /* -1: in the foreground */
    int client_fd; /* -1: none */
    struct sockaddr_un at;
    struct loop *loop;
    struct loop_watch *listening, *watching;
    struct attach_events events;
    char packet[PACKET_MAX + 1];
};

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
    const char *f[HELLO_FIELDS + MAX_FILES];
    size_t n = split(s->packet + 1, len - 1, f, HELLO_FIELDS + MAX_FILES);
    struct attach_terminal t = {.fd_in = fds[0], .fd_out = fds[1]};

    if (n < HELLO_FIELDS || fds[0] < 0 || strcmp(f[0], VERSION) != 0) {
        if (fds[0] >= 0)
            close_fds(fds, 2);
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
    t.files = f + HELLO_FIELDS;
    t.n_files = n - HELLO_FIELDS;
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
        close_fds(fds, 2);
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
           (len = receive_packet(s->client_fd, s->packet, fds)) >= 0) {
        if (len == 0) {
            client_gone(s);
            return;
        }
        on_packet(s, (size_t)len, fds);
    }
}

static void
answer(struct attach_server *s, int fd)
{
    struct buf b;

    buf_init(&b);
    buf_putc(&b, 'a');
    if (strcmp(s->packet + 1, "detach") == 0) {
        buf_puts(&b, s->client_fd >= 0 ? "detached" : "no terminal");
        if (s->client_fd >= 0)
            s->events.detach(s->events.ctx);
    } else
        s->events.describe(s->events.ctx, &b);
    buf_putc(&b, '\0');
    send_packet(fd, &b, NULL);
    buf_fini(&b);
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
    ssize_t len = receive_packet(fd, s->packet, fds);

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
        close_fds(fds, 2);
    if (len > 0 && s->packet[0] == 'A')
        answer(s, fd);
    close(fd);
}

static void
on_connection(void *ctx, int events)
{
    struct attach_server *s = ctx;
    int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    (void)events;
    if (fd >= 0 && !same_user(fd)) {
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
attach_has_client(const struct attach_server *s)
{
    return s->client_fd >= 0;
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
    field(&b, text);
    send_packet(s->client_fd, &b, NULL);
    buf_fini(&b);
    drop_client(s);
}

void
attach_stop(struct attach_server *s)
{
    if (s->client_fd >= 0)
        send_letter(s->client_fd, 'z');
}

void
attach_run(struct attach_server *s, const char *cwd, const char *const *argv)
{
    struct buf b;

    if (s->client_fd < 0)
        return;
    buf_init(&b);
    buf_putc(&b, 'r');
    field(&b, cwd);
    for (size_t i = 0; argv[i] && i < MAX_ARGV; i++)
        field(&b, argv[i]);
    send_packet(s->client_fd, &b, NULL);
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
        unlink(s->at.sun_path);
        close(s->listen_fd);
    }
    free(s);
}

/* ---- the client ---- */

struct client {
    int fd, signals;
    struct termios cooked;
    bool lent;   /* the workbench has the terminal */
    pid_t child; /* in the foreground: the workbench is a child of ours */
};

static void
bring_back(const struct client *c)
{
    const char *bytes = term_leave_bytes();
    const char *name = getenv("TERM");

    if (name && strcmp(name, "dumb") != 0 && isatty(1)) {
        ssize_t n = write(1, bytes, strlen(bytes));

        (void)n;
    }
    tcsetattr(0, TCSANOW, &c->cooked);
}

static const char *
word(const char *s)
{
    return s ? s : "";
}

static bool
set(const char *name)
{
    return *word(getenv(name)) != '\0';
}

/* '0' colour as the terminal has it, '1' none, '2' in any case. */
static const char *
colour_wish(void)
{
    const char *clicolor = getenv("CLICOLOR");

    if (set("NO_COLOR"))
        return "1";
    if (set("CLICOLOR_FORCE") && strcmp(getenv("CLICOLOR_FORCE"), "0") != 0)
        return "2";
    return clicolor && strcmp(clicolor, "0") == 0 ? "1" : "0";
}

static bool
locale_is_utf8(void)
{
    setlocale(LC_CTYPE, "");
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static bool
say_hello(int fd, const struct attach_options *o)
{
    const char *ssh = word(getenv("SSH_CONNECTION"));
    const char *tty = ttyname(0);
    int fds[2] = {0, 1};
    char where[128];
    struct buf b;
    bool ok;

    snprintf(where, sizeof where, "%s%s%.*s",
             tty && strncmp(tty, "/dev/", 5) == 0 ? tty + 5 : "a terminal",
             *ssh ? " from " : "", (int)strcspn(ssh, " "), ssh);
    buf_init(&b);
    buf_putc(&b, 'H');
    field(&b, VERSION);
    field(&b, getenv("TERM"));
    field(&b, o->color);
    field(&b, o->theme);
    field(&b, o->glyphs);
    field(&b, where);
    field(&b, locale_is_utf8() ? "1" : "0");
    field(&b, colour_wish());
    field(&b, set("TMUX") ? "1" : "0");
    for (size_t i = 0; i < o->n_files && i < MAX_FILES; i++)
        field(&b, o->files[i]);
    ok = send_packet(fd, &b, fds);
    buf_fini(&b);
    return ok;
}

static int
block_signals(void)
{
    static const int all[] = {SIGWINCH, SIGTSTP, SIGCONT, SIGTERM,
                              SIGHUP,   SIGINT,  SIGQUIT, SIGCHLD};
    sigset_t set_of;

    sigemptyset(&set_of);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        sigaddset(&set_of, all[i]);
    sigprocmask(SIG_BLOCK, &set_of, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTTOU, SIG_IGN);
    return signalfd(-1, &set_of, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void
empty_mask(void)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGTTOU, SIG_DFL);
}

static int
run_program(const char *cwd, const char **argv)
{
    pid_t pid = fork();
    int status = 0;

    if (pid == 0) {
        char *args[MAX_ARGV + 1];
        size_t n = 0;

        for (; argv[n] && n < MAX_ARGV; n++)
            args[n] = mem_text(argv[n]);
        args[n] = NULL;
        empty_mask();
        if (*cwd && chdir(cwd) < 0)
            perror(cwd);
        execvp(args[0], args);
        fprintf(stderr, "lathe: %s: %s\n", args[0], strerror(errno));
        _exit(127);
    }
    if (pid < 0)
        return 126;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void
run_for_server(struct client *c, const char *p, size_t len)
{
    const char *f[MAX_ARGV + 3] = {NULL};
    size_t n = split(p, len, f, MAX_ARGV + 1);
    struct buf b;

    tcsetattr(0, TCSANOW, &c->cooked);
    int status = n >= 2 ? run_program(f[0], f + 1) : 126;

    buf_init(&b);
    buf_printf(&b, "R%d", status);
    buf_putc(&b, '\0');
    send_packet(c->fd, &b, NULL);
    buf_fini(&b);
}

static void
stop_here(struct client *c)
{
    struct termios now;

    tcsetattr(0, TCSANOW, &c->cooked);
    c->lent = false;
    kill(0, SIGSTOP); /* the whole job, as the terminal's own Ctrl-Z does */
    /* Back in the foreground, perhaps with other settings. */
    if (tcgetattr(0, &now) == 0)
        c->cooked = now;
    c->lent = true;
    send_letter(c->fd, 'C');
}

/* Did the workbench do what it was asked?  It may be deep in a C call. */
static bool
answers_in_time(const struct client *c)
{
    struct pollfd p = {.fd = c->fd, .events = POLLIN};

    return poll(&p, 1, ANSWER_MS) > 0;
}

/* -1: go on waiting; else the exit status. */
static int
on_client_signal(struct client *c)
{
    struct signalfd_siginfo info;

    while (read(c->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        switch (info.ssi_signo) {
        case SIGWINCH:
            send_letter(c->fd, 'W');
            break;
        case SIGTSTP:
            send_letter(c->fd, 'Z');
            if (!answers_in_time(c)) {
                bring_back(c);
                stop_here(c);
            }
            break;
        case SIGTERM:
        case SIGHUP:
            send_letter(c->fd, 'D');
            if (!answers_in_time(c)) {
                bring_back(c);
                return 128 + (int)info.ssi_signo;
            }
            break;
        default:
            break;
        }
    }
    return -1;
}

static int
died(struct client *c)
{
    int status = 0;

    bring_back(c);
    fflush(stdout);
    if (c->child > 0 && waitpid(c->child, &status, 0) == c->child &&
        WIFSIGNALED(status))
        fprintf(stderr,
                "lathe: the workbench was ended by signal %d (%s); what was "
                "saved is there at the next start\n",
                WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        fputs("lathe: the workbench died; what was saved is there at the next "
              "start\n",
              stderr);
    return 1;
}

static int
ended(struct client *c, const char *p, size_t len)
{
    const char *f[2] = {"1", ""};

    split(p, len, f, 2);
    tcsetattr(0, TCSANOW, &c->cooked);
    if (*f[1])
        printf("%s\n", f[1]);
    fflush(stdout);
    if (c->child > 0)
        waitpid(c->child, NULL, 0);
    return atoi(f[0]);
}

static int
on_server_packet(struct client *c)
{
    static char p[PACKET_MAX + 1];
    ssize_t len = receive_packet(c->fd, p, NULL);

    if (len < 0)
        return -1;
    if (len == 0)
        return died(c);
    switch (p[0]) {
    case 'q':
        return ended(c, p + 1, (size_t)len - 1);
    case 'z':
        stop_here(c);
        break;
    case 'r':
        run_for_server(c, p + 1, (size_t)len - 1);
        break;
    default:
        break;
    }
    return -1;
}

static int
wait_for_end(struct client *c)
{
    struct pollfd p[2] = {{.fd = c->fd, .events = POLLIN},
                          {.fd = c->signals, .events = POLLIN}};
    int status = -1;

    while (status < 0) {
        if (poll(p, 2, -1) < 0 && errno != EINTR)
            return died(c);
        if (p[1].revents)
            status = on_client_signal(c);
        if (status < 0 && p[0].revents)
            status = on_server_packet(c);
    }
    return status;
}

/* ---- starting a workbench ---- */

static void
to_null(void)
{
    int null = open("/dev/null", O_RDWR);

    if (null < 0)
        return;
    for (int i = 0; i < 3; i++)
        dup2(null, i);
    if (null > 2)
        close(null);
}

/* In the process that becomes the workbench: keep nothing of the shell's. */
static int
become_server(const struct attach_options *o, struct attach_server *s)
{
    unsigned keep = (unsigned)(s->listen_fd >= 0 ? s->listen_fd : s->client_fd);

    setsid();
    to_null();
    if (keep > 3)
        close_range(3, keep - 1, 0);
    close_range(keep + 1, ~0U, 0);
    signal(SIGHUP, SIG_IGN);
    return o->serve(o->ctx, s);
}

static struct attach_server *
new_server(int listen_fd, int client_fd, const struct sockaddr_un *at)
{
    struct attach_server *s = mem_new(sizeof *s);

    s->listen_fd = listen_fd;
    s->client_fd = client_fd;
    if (at)
        s->at = *at;
    return s;
}

/* What a start ends in: the connection of the client, or, in the new process,
 * the end of the workbench. */
struct started {
    int fd;
    pid_t child;
    bool was_server;
    int status;
};

static bool
start_foreground(const struct attach_options *o, struct started *r,
                 struct error *err)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return error_errno(err, errno, "cannot make a socket");
    r->child = fork();
    if (r->child < 0)
        return error_errno(err, errno, "cannot start the workbench");
    if (r->child == 0) {
        close(pair[0]);
        r->was_server = true;
        r->status = become_server(o, new_server(-1, pair[1], NULL));
        return true;
    }
    close(pair[1]);
    r->fd = pair[0];
    return true;
}

static bool
start_background(const struct attach_options *o, const struct sockaddr_un *at,
                 struct started *r, struct error *err)
{
    int listening = listen_at(at, err);
    pid_t pid;

    if (listening < 0)
        return false;
    fflush(NULL);
    pid = fork();
    if (pid < 0) {
        close(listening);
        return error_errno(err, errno, "cannot start the workbench");
    }
    if (pid == 0) {
        /* Once more, so that nobody has to wait for it. */
        if (fork() != 0)
            _exit(0);
        r->was_server = true;
        r->status = become_server(o, new_server(listening, -1, at));
        return true;
    }
    close(listening);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    r->fd = connect_to(at);
    if (r->fd < 0)
        return error_errno(err, errno, "%s", at->sun_path);
    return true;
}

static bool
find_or_start(const struct attach_options *o, struct started *r,
              struct error *err)
{
    struct sockaddr_un at;
    char lock_path[sizeof at.sun_path + 8];
    int lock;
    bool ok = true;

    if (!socket_path(o->project, &at, err))
        return false;
    if ((r->fd = connect_to(&at)) >= 0)
        return true;
    if (o->attach_only)
        return error_set(err, ERR_NOTFOUND,
                         "no workbench is running for %s; start one with "
                         "`lathe`",
                         o->project);
    snprintf(lock_path, sizeof lock_path, "%s.lock", at.sun_path);
    lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0 || flock(lock, LOCK_EX) < 0) {
        if (lock >= 0)
            close(lock);
        return error_errno(err, errno, "%s", lock_path);
    }
    /* Another client may have been quicker. */
    if ((r->fd = connect_to(&at)) < 0)
        ok = start_background(o, &at, r, err);
    if (r->was_server)
        return ok; /* closed everything it had */
    flock(lock, LOCK_UN);
    close(lock);
    return ok;
}

int
attach_main(const struct attach_options *o)
{
    struct client c = {.fd = -1, .child = -1};
    struct started r = {.fd = -1, .child = -1};
    struct error err;

    if (!isatty(0) || !isatty(1) || tcgetattr(0, &c.cooked) < 0) {
        fputs("lathe: the workbench needs a terminal; `lathe run` and the "
              "other subcommands do not\n",
              stderr);
        return 2;
    }
    if (!(o->no_server ? start_foreground(o, &r, &err)
                       : find_or_start(o, &r, &err))) {
        fprintf(stderr, "lathe: %s\n", err.message);
        return 1;
    }
    if (r.was_server)
        return r.status;
    c.fd = r.fd;
    c.child = r.child;
    c.signals = block_signals();
    c.lent = true;
    if (!say_hello(c.fd, o))
        return died(&c);
    return wait_for_end(&c);
}

/* ---- questions ---- */

static bool
ask_at(const struct sockaddr_un *at, const char *what, struct buf *out)
{
    char p[PACKET_MAX + 1];
    struct timeval patience = {.tv_sec = 2};
    int fd = connect_to(at);
    struct buf b;
    ssize_t len;

    if (fd < 0)
        return false;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    buf_init(&b);
    buf_putc(&b, 'A');
    field(&b, what);
    len = send_packet(fd, &b, NULL) ? receive_packet(fd, p, NULL) : 0;
    buf_fini(&b);
    close(fd);
    if (len > 1 && p[0] == 'a')
        buf_puts(out, p + 1);
    else
        buf_puts(out, "busy: it does not answer");
    return true;
}

bool
attach_ask(const char *project, const char *what, struct buf *out,
           struct error *err)
{
    struct sockaddr_un at;

    if (!socket_path(project, &at, err))
        return false;
    if (ask_at(&at, what, out))
        return true;
    return error_set(err, ERR_NOTFOUND, "no workbench is running for %s",
                     project);
}

void
attach_list(struct buf *out)
{
    char dir[PATH_MAX];
    struct error err;
    const struct dirent *e;
    DIR *d = socket_folder(dir, &err) ? opendir(dir) : NULL;

    while (d && (e = readdir(d))) {
        struct sockaddr_un at = {.sun_family = AF_UNIX};
        size_t len = strlen(e->d_name);
        struct buf one;

        if (len < 6 || strcmp(e->d_name + len - 5, ".sock") != 0 ||
            strlen(dir) + len + 2 > sizeof at.sun_path)
            continue;
        strcat(strcat(strcpy(at.sun_path, dir), "/"), e->d_name);
        buf_init(&one);
        if (ask_at(&at, "describe", &one))
            buf_printf(out, "%s\n", one.data);
        buf_fini(&one);
    }
    if (d)
        closedir(d);
}

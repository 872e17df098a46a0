/* ui/attach_client.c -- the user's side: find or start the workbench, lend it
 * the terminal, bring the terminal back.
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
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"
#include "ui/attach_wire.h"
#include "ui/term.h"

enum { ANSWER_S = 2, END_S = 10 }; /* of questions */
enum { ANSWER_MS = 1000 }; /* a workbench that does not answer is stuck */

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
    wire_field(&b, VERSION);
    wire_field(&b, getenv("TERM"));
    wire_field(&b, o->color);
    wire_field(&b, o->theme);
    wire_field(&b, o->glyphs);
    wire_field(&b, where);
    wire_field(&b, locale_is_utf8() ? "1" : "0");
    wire_field(&b, colour_wish());
    wire_field(&b, set("TMUX") ? "1" : "0");
    for (size_t i = 0; i < o->n_files && i < WIRE_MAX_FILES; i++)
        wire_field(&b, o->files[i]);
    ok = wire_send(fd, &b, fds);
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

static void
say_errno(const char *path)
{
    struct error err;

    error_errno(&err, errno, "%s", path);
    fprintf(stderr, "lathe: %s\n", err.message);
}

static int
run_program(const char *cwd, const char **argv)
{
    pid_t pid = fork();
    int status = 0;

    if (pid == 0) {
        char *args[WIRE_MAX_ARGV + 1];
        size_t n = 0;

        for (; argv[n] && n < WIRE_MAX_ARGV; n++)
            args[n] = mem_text(argv[n]);
        args[n] = NULL;
        empty_mask();
        if (*cwd && chdir(cwd) < 0)
            say_errno(cwd);
        execvp(args[0], args);
        say_errno(args[0]);
        _exit(127);
    }
    if (pid < 0)
        return 126;
    for (;;) {
        pid_t got = waitpid(pid, &status, WUNTRACED);

        if (got < 0 && errno != EINTR)
            return 126;
        /* Ctrl-Z in there stops all of us: the shell must see its job stop,
         * and fg continues every process of it. */
        if (got == pid && WIFSTOPPED(status)) {
            kill(0, SIGSTOP);
            kill(pid, SIGCONT); /* it may have a group of its own */
        } else if (got == pid) {
            break;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void
run_for_server(struct client *c, const char *p, size_t len)
{
    const char *f[WIRE_MAX_ARGV + 3] = {NULL};
    size_t n = wire_split(p, len, f, WIRE_MAX_ARGV + 1);
    struct buf b;

    tcsetattr(0, TCSANOW, &c->cooked);
    int status = n >= 2 ? run_program(f[0], f + 1) : 126;

    buf_init(&b);
    buf_printf(&b, "R%d", status);
    buf_putc(&b, '\0');
    wire_send(c->fd, &b, NULL);
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
    wire_letter(c->fd, 'C');
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
            wire_letter(c->fd, 'W');
            break;
        case SIGTSTP:
            wire_letter(c->fd, 'Z');
            if (!answers_in_time(c)) {
                bring_back(c);
                stop_here(c);
            }
            break;
        case SIGTERM:
        case SIGHUP:
            wire_letter(c->fd, 'D');
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

    wire_split(p, len, f, 2);
    tcsetattr(0, TCSANOW, &c->cooked);
    if (*f[1]) {
        struct buf text;

        buf_init(&text);
        buf_spelt(&text, f[1], true);
        puts(text.data);
        buf_fini(&text);
    }
    fflush(stdout);
    if (c->child > 0)
        waitpid(c->child, NULL, 0);
    return atoi(f[0]);
}

static int
on_server_packet(struct client *c)
{
    static char p[WIRE_PACKET_MAX + 1];
    ssize_t len = wire_receive(c->fd, p, NULL);

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
become_server(const struct attach_options *o, int listen_fd, int client_fd,
              const char *path)
{
    unsigned keep = (unsigned)(listen_fd >= 0 ? listen_fd : client_fd);

    setsid();
    to_null();
    if (keep > 3)
        close_range(3, keep - 1, 0);
    close_range(keep + 1, ~0U, 0);
    signal(SIGHUP, SIG_IGN);
    return o->serve(o->ctx, attach_server_new(listen_fd, client_fd, path));
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
        r->status = become_server(o, -1, pair[1], "");
        return true;
    }
    close(pair[1]);
    r->fd = pair[0];
    return true;
}

static bool
start_background(const struct attach_options *o, const char *path,
                 struct started *r, struct error *err)
{
    int listening = wire_listen(path, err);
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
        r->status = become_server(o, listening, -1, path);
        return true;
    }
    close(listening);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    r->fd = wire_connect(path);
    if (r->fd < 0)
        return error_errno(err, errno, "%s", path);
    return true;
}

static bool
find_or_start(const struct attach_options *o, struct started *r,
              struct error *err)
{
    char path[WIRE_PATH_MAX], lock_path[WIRE_PATH_MAX + 8];
    int lock;
    bool ok = true;

    if (!wire_path(o->project, path, err))
        return false;
    if ((r->fd = wire_connect(path)) >= 0)
        return true;
    if (o->attach_only)
        return error_set(err, ERR_NOTFOUND,
                         "no workbench is running for %s; start one with "
                         "`lathe`",
                         o->project);
    snprintf(lock_path, sizeof lock_path, "%s.lock", path);
    lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0 || flock(lock, LOCK_EX) < 0) {
        if (lock >= 0)
            close(lock);
        return error_errno(err, errno, "%s", lock_path);
    }
    /* Another client may have been quicker. */
    if ((r->fd = wire_connect(path)) < 0)
        ok = start_background(o, path, r, err);
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

static void
be_patient(int fd, int seconds)
{
    const struct timeval patience = {.tv_sec = seconds};

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

static bool
ask_at(const char *path, const char *what, struct buf *out, struct error *err)
{
    char p[WIRE_PACKET_MAX + 1];
    int fd = wire_connect(path);
    struct buf b;
    ssize_t len;
    bool ok;

    if (fd < 0)
        return error_set(err, ERR_NOTFOUND, "nobody there");
    be_patient(fd, ANSWER_S);
    buf_init(&b);
    buf_putc(&b, 'A');
    wire_field(&b, what);
    len = wire_send(fd, &b, NULL) ? wire_receive(fd, p, NULL) : 0;
    buf_fini(&b);
    ok = len > 1 && p[0] == 'a';
    if (ok)
        buf_puts(out, p + 1);
    else
        error_set(err, ERR_STATE, "%s",
                  len > 1 ? p + 1 : "busy: it does not answer");
    if (ok && strncmp(what, "quit", 4) == 0) {
        be_patient(fd, END_S);
        if (wire_receive(fd, p, NULL) < 0)
            ok = error_set(err, ERR_STATE, "it has not ended yet");
    }
    close(fd);
    return ok;
}

bool
attach_ask(const char *project, const char *what, struct buf *out,
           struct error *err)
{
    char path[WIRE_PATH_MAX];

    if (!wire_path(project, path, err))
        return false;
    if (ask_at(path, what, out, err))
        return true;
    return err->code != ERR_NOTFOUND
               ? error_prefix(err, "%s: ", project)
               : error_set(err, ERR_NOTFOUND, "no workbench is running for %s",
                           project);
}

void
attach_list(struct buf *out)
{
    char dir[PATH_MAX], path[WIRE_PATH_MAX];
    struct error err;
    const struct dirent *e;
    DIR *d = wire_folder(dir, &err) ? opendir(dir) : NULL;

    while (d && (e = readdir(d))) {
        size_t len = strlen(e->d_name);
        struct buf one;

        if (len < 6 || strcmp(e->d_name + len - 5, ".sock") != 0 ||
            snprintf(path, sizeof path, "%s/%s", dir, e->d_name) >=
                (int)sizeof path)
            continue;
        buf_init(&one);
        if (ask_at(path, "describe", &one, &err))
            buf_printf(out, "%s\n", one.data);
        else if (err.code != ERR_NOTFOUND)
            buf_printf(out, "%s\n", err.message);
        buf_fini(&one);
    }
    if (d)
        closedir(d);
}

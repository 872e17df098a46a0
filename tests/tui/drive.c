/* tests/tui/drive.c -- plays a step file against lathe on pseudo-terminals.
 *
 *   drive FILE.t
 *
 * Each terminal is a pty read by libvterm.  Nothing sleeps: a step that
 * expects something reads until it is there or the deadline is over.  Every
 * file has a folder, a HOME and a runtime folder of its own.  Output is TAP,
 * one case for each `test`; when a step fails, the rest of its test is left
 * out and the screen is printed.
 *
 *   test NAME              begins a case
 *   copy PATH              a file of the source tree into the folder
 *   file NAME ... end      a file with these lines
 *   env NAME=VALUE         for what is opened from now on; NAME= unsets
 *   open NAME WxH TERM [ARGUMENT...]   lathe on a new terminal
 *   start NAME WxH TERM COMMAND        a shell's command on a new terminal,
 *                          with lathe in its PATH
 *   sh COMMAND             a shell's command in the folder, again and again
 *                          until it succeeds
 *   hold FILE [N]          the next N opens (none) of this file of the folder
 *                          go through and the others wait; for what is opened
 *                          from now on
 *   release FILE           until one waits; then all go through
 *   use NAME               the terminal the next steps are about
 *   type KEYS              <Enter> <C-c> <A-x> <Up> ... as in the key table
 *   paste TEXT             as one bracketed paste
 *   answer TEXT            what a terminal would say: \e is ESC
 *   mouse X Y [up|down]    a click there, or a turn of the wheel
 *   wait TEXT              until it is on the screen
 *   gone TEXT              until it is not
 *   row N TEXT             until row N is that, blanks at its end left out; a
 *                          `~` at its end: begins so
 *   screen ... end         until the first rows are these lines; `~` is any
 *   cursor X Y             until the cursor is there
 *   style TEXT WORD...     bold under rev fg=N bg=N plain, where TEXT begins
 *   colour none|some       of all cells
 *   resize WxH
 *   signal NAME client|workbench
 *   modes clean|screen     until the terminal is as we got it, or ours
 *   hangup                 the terminal goes away, as when a line drops
 *   stopped                until the client has stopped itself
 *   ended STATUS           until the client has ended so; 128 + N for a signal
 *   dead                   until the workbench is gone
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>

#include <vterm.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/str.h"

enum { MAX_TERMS = 16, MAX_ARGS = 16, DEADLINE_MS = 60000 };

struct terminal {
    char name[16];
    int fd; /* -1: closed */
    int slave;
    pid_t pid;
    bool reaped;
    int status;
    VTerm *vt;
    VTermScreen *screen;
    VTermPos cursor;
    int w, h;
    bool alt, mouse, hidden;
    struct termios before;
};

struct drive {
    const char *path;
    FILE *file;
    int line;
    char text[1024]; /* of the step at hand */
    struct terminal term[MAX_TERMS];
    size_t n_terms;
    struct terminal *at;
    char dir[64], marker[128];
    int64_t deadline_ms;
    bool loud; /* what `sh` starts may say something */
    unsigned n_tests;
    char test[256];
    bool failed;
};

/* ---- terminals ---- */

static void
on_reply(const char *s, size_t n, void *user)
{
    const struct terminal *t = user;
    ssize_t written = t->fd < 0 ? 0 : write(t->fd, s, n);

    (void)written;
}

static int
on_prop(VTermProp prop, VTermValue *v, void *user)
{
    struct terminal *t = user;

    if (prop == VTERM_PROP_ALTSCREEN)
        t->alt = v->boolean;
    else if (prop == VTERM_PROP_MOUSE)
        t->mouse = v->number != VTERM_PROP_MOUSE_NONE;
    else if (prop == VTERM_PROP_CURSORVISIBLE)
        t->hidden = !v->boolean;
    return 1;
}

static int
on_cursor(VTermPos at, VTermPos old, int visible, void *user)
{
    struct terminal *t = user;

    (void)old;
    (void)visible;
    t->cursor = at;
    return 1;
}

static const VTermScreenCallbacks callbacks = {.settermprop = on_prop,
                                               .movecursor = on_cursor};

static void
make_screen(struct terminal *t)
{
    t->vt = vterm_new(t->h, t->w);
    vterm_set_utf8(t->vt, 1);
    vterm_output_set_callback(t->vt, on_reply, t);
    t->screen = vterm_obtain_screen(t->vt);
    vterm_screen_set_callbacks(t->screen, &callbacks, t);
    vterm_screen_enable_altscreen(t->screen, 1);
    vterm_screen_reset(t->screen, 1);
}

/* Read what is there, waiting at most ms for it; false when there was none. */
static bool
pump(struct terminal *t, int ms)
{
    struct pollfd p = {.fd = t->fd, .events = POLLIN};
    char bytes[8192];
    ssize_t n;

    if (t->fd < 0 || poll(&p, 1, ms) <= 0)
        return false;
    n = read(t->fd, bytes, sizeof bytes);
    if (n <= 0) {
        close(t->fd);
        t->fd = -1;
        return false;
    }
    vterm_input_write(t->vt, bytes, (size_t)n);
    vterm_screen_flush_damage(t->screen);
    return true;
}

/* The others must not block on a full pty meanwhile. */
static void
pump_all(struct drive *d, int ms)
{
    for (size_t i = 0; i < d->n_terms; i++)
        if (&d->term[i] != d->at)
            pump(&d->term[i], 0);
    if (!d->at || (!pump(d->at, ms) && d->at->fd < 0)) {
        struct pollfd none = {.fd = -1};

        poll(&none, 1, ms);
    }
}

static void
reap(struct terminal *t)
{
    int status;

    if (!t->reaped && waitpid(t->pid, &status, WNOHANG) == t->pid) {
        t->reaped = true;
        t->status =
            WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
}

static void
row_text(const struct terminal *t, int y, struct buf *out)
{
    size_t keep;

    buf_clear(out);
    keep = 0;
    for (VTermPos at = {y, 0}; at.col < t->w; at.col++) {
        VTermScreenCell c;
        char utf8[4];

        vterm_screen_get_cell(t->screen, at, &c);
        if (c.chars[0] == (uint32_t)-1)
            continue;
        for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && c.chars[i]; i++)
            buf_add(out, utf8, str_put_utf8(c.chars[i], utf8));
        if (!c.chars[0])
            buf_putc(out, ' ');
        else if (c.chars[0] != ' ')
            keep = out->len;
    }
    if (out->data && keep < out->len) {
        out->len = keep;
        out->data[keep] = '\0';
    }
}

/* Where text begins; false when it is nowhere. */
static bool
find_text(const struct terminal *t, const char *text, VTermPos *where)
{
    struct buf row;
    bool found = false;

    buf_init(&row);
    for (int y = 0; y < t->h && !found; y++) {
        row_text(t, y, &row);
        const char *at = row.data ? strstr(row.data, text) : NULL;

        if (!at)
            continue;
        found = true;
        *where = (VTermPos){
            y, (int)str_width((struct str){row.data, (size_t)(at - row.data)})};
    }
    buf_fini(&row);
    return found;
}

static void
print_screen(const struct terminal *t)
{
    struct buf row;

    buf_init(&row);
    for (int y = 0; y < t->h; y++) {
        row_text(t, y, &row);
        printf("# |%s\n", row.len ? row.data : "");
    }
    buf_fini(&row);
}

/* ---- waiting ---- */

typedef bool condition(struct drive *d, const void *arg);

static bool
until(struct drive *d, condition *holds, const void *arg)
{
    int64_t end = loop_now_ms() + d->deadline_ms;

    while (!holds(d, arg)) {
        if (loop_now_ms() > end)
            return false;
        pump_all(d, 10);
        if (d->at)
            reap(d->at);
    }
    return true;
}

/* ---- the workbench's process ---- */

static bool
has_marker(const struct drive *d, const char *pid)
{
    char path[300], env[16384];
    int fd;
    ssize_t n;

    snprintf(path, sizeof path, "/proc/%s/environ", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    n = read(fd, env, sizeof env);
    close(fd);
    return n > 0 && memmem(env, (size_t)n, d->marker, strlen(d->marker));
}

/* Alive, and not a dead process that nobody has waited for yet.  A workbench
 * has no terminal of its own, which tells it from its clients. */
static bool
is_alive(const char *pid, const char *name, bool *has_terminal)
{
    char path[300], text[512], state = 'Z';
    int tty = 0;
    FILE *f;

    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    f = fopen(path, "re");
    if (f && fgets(text, sizeof text, f)) {
        const char *open = strchr(text, '('), *close = strrchr(text, ')');
        size_t n = strlen(name);

        if (open && close && (size_t)(close - open - 1) == n &&
            memcmp(open + 1, name, n) == 0 &&
            sscanf(close + 1, " %c %*d %*d %*d %d", &state, &tty) != 2)
            state = 'Z';
    }
    if (f)
        fclose(f);
    *has_terminal = tty != 0;
    return state != 'Z';
}

/* Jobs and endpoints are processes of lathe too. */
static bool
is_helper(const char *pid)
{
    char path[300], text[4096];
    FILE *f;
    size_t n = 0;

    snprintf(path, sizeof path, "/proc/%s/cmdline", pid);
    f = fopen(path, "re");
    if (f) {
        n = fread(text, 1, sizeof text - 1, f);
        fclose(f);
    }
    text[n] = '\0';
    const char *word = text + strlen(text) + 1;

    return word < text + n &&
           (strcmp(word, "serve") == 0 || strcmp(word, "job") == 0);
}

/* The process with our mark that is a workbench; 0: none. */
static pid_t
workbench(const struct drive *d)
{
    DIR *proc = opendir("/proc");
    const struct dirent *e;
    pid_t found = 0;
    bool client;

    while (proc && !found && (e = readdir(proc)))
        if (atoi(e->d_name) > 0 && is_alive(e->d_name, "lathe", &client) &&
            !client && has_marker(d, e->d_name) && !is_helper(e->d_name))
            found = (pid_t)atoi(e->d_name);
    if (proc)
        closedir(proc);
    return found;
}

/* Whatever else was started: endpoints, jobs, a tmux. */
static void
kill_marked(const struct drive *d)
{
    DIR *proc = opendir("/proc");
    const struct dirent *e;

    while (proc && (e = readdir(proc))) {
        pid_t pid = (pid_t)atoi(e->d_name);

        if (pid > 0 && pid != getpid() && has_marker(d, e->d_name))
            kill(pid, SIGKILL);
    }
    if (proc)
        closedir(proc);
}

static bool
workbench_gone(struct drive *d, const void *arg)
{
    (void)arg;
    return workbench(d) == 0;
}

/* ---- steps ---- */

static bool
fail(const char *why)
{
    printf("# %s\n", why);
    return false;
}

static bool
read_size(const char *s, int *w, int *h)
{
    return sscanf(s, "%dx%d", w, h) == 2 && *w > 0 && *h > 0;
}

static const char *
build_dir(void)
{
    const char *build = getenv("LATHE_BUILD");

    return build ? build : ".";
}

static const char *
program(void)
{
    const char *own = getenv("LATHE");
    static char path[4096];

    if (own)
        return own;
    snprintf(path, sizeof path, "%s/lathe", build_dir());
    return path;
}

static void
exec_lathe(const struct drive *d, const char *term, char **args, int n)
{
    char *argv[MAX_ARGS + 2] = {mem_text(program())};

    for (int i = 0; i < n; i++)
        argv[1 + i] = args[i];
    setenv("TERM", term, 1);
    if (chdir(d->dir) == 0)
        execv(argv[0], argv);
    _exit(127);
}

static void
exec_shell(const struct drive *d, const char *term, const char *command)
{
    setenv("TERM", term, 1);
    if (chdir(d->dir) == 0)
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

/* A new terminal, and a process on it: 0 in that process. */
static pid_t
new_terminal(struct drive *d, const char *name, const char *size)
{
    struct terminal *t = &d->term[d->n_terms];

    *t = (struct terminal){.fd = -1, .slave = -1};
    if (d->n_terms == MAX_TERMS || !read_size(size, &t->w, &t->h))
        return -1;
    struct winsize ws = {.ws_row = (unsigned short)t->h,
                         .ws_col = (unsigned short)t->w};

    snprintf(t->name, sizeof t->name, "%s", name);
    fflush(stdout);
    /* The other end stays open here, as it does in a shell. */
    if (openpty(&t->fd, &t->slave, NULL, NULL, &ws) < 0)
        return -1;
    fcntl(t->slave, F_SETFD, FD_CLOEXEC);
    tcgetattr(t->slave, &t->before);
    t->pid = fork();
    if (t->pid == 0) {
        login_tty(dup(t->slave));
        return 0;
    }
    fcntl(t->fd, F_SETFD, FD_CLOEXEC);
    make_screen(t);
    d->n_terms++;
    d->at = t;
    return t->pid;
}

static bool
step_open(struct drive *d, char *arg)
{
    char *words[MAX_ARGS + 3], *save = NULL;
    int n = 0;

    for (char *w = strtok_r(arg, " ", &save); w && n < MAX_ARGS + 3;
         w = strtok_r(NULL, " ", &save))
        words[n++] = w;
    if (n < 3)
        return fail("open NAME WxH TERM [ARGUMENT...]");
    pid_t pid = new_terminal(d, words[0], words[1]);

    if (pid == 0)
        exec_lathe(d, words[2], words + 3, n - 3);
    return pid > 0 || fail("no terminal");
}

static bool
step_start(struct drive *d, char *arg)
{
    char *word[3], *save = NULL;

    for (int i = 0; i < 3; i++)
        if (!(word[i] = strtok_r(i ? NULL : arg, " ", &save)))
            return fail("start NAME WxH TERM COMMAND");
    pid_t pid = new_terminal(d, word[0], word[1]);

    if (pid == 0)
        exec_shell(d, word[2], save);
    return pid > 0 || fail("no terminal");
}

static bool
step_use(struct drive *d, char *arg)
{
    for (size_t i = d->n_terms; i-- > 0;) {
        if (strcmp(d->term[i].name, arg) == 0) {
            d->at = &d->term[i];
            return true;
        }
    }
    return fail("no such terminal");
}

static bool
send_bytes(const struct terminal *t, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = t->fd < 0 ? -1 : write(t->fd, p, n);

        if (done < 0 && errno != EINTR)
            return fail("the terminal is closed");
        if (done > 0) {
            p += done;
            n -= (size_t)done;
        }
    }
    return true;
}

static bool
named_key(const char *name, struct buf *out)
{
    static const struct {
        const char *name, *bytes;
    } keys[] = {
        {"Enter", "\r"},
        {"Esc", "\033"},
        {"Tab", "\t"},
        {"Space", " "},
        {"BS", "\177"},
        {"Up", "\033[A"},
        {"Down", "\033[B"},
        {"Right", "\033[C"},
        {"Left", "\033[D"},
        {"Home", "\033[H"},
        {"End", "\033[F"},
        {"PgUp", "\033[5~"},
        {"PgDn", "\033[6~"},
        {"Del", "\033[3~"},
        {"S-Tab", "\033[Z"},
        {"F1", "\033OP"},
        {"F5", "\033[15~"},
        {"lt", "<"},
        {"C-Enter", "\033[13;5u"},
        {"S-Enter", "\033[13;2u"},
    };

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strcmp(keys[i].name, name) == 0) {
            buf_puts(out, keys[i].bytes);
            return true;
        }
    }
    if (strncmp(name, "C-", 2) == 0 && name[2] && !name[3]) {
        buf_putc(out, (char)(toupper((unsigned char)name[2]) & 31));
        return true;
    }
    if (strncmp(name, "A-", 2) != 0)
        return false;
    buf_putc(out, '\033');
    if (name[2] && !name[3]) {
        buf_putc(out, name[2]);
        return true;
    }
    return named_key(name + 2, out);
}

static bool
step_type(struct drive *d, char *arg)
{
    struct buf out;
    bool ok = true;

    buf_init(&out);
    while (*arg && ok) {
        char *close = *arg == '<' ? strchr(arg, '>') : NULL;

        if (!close) {
            buf_putc(&out, *arg++);
            continue;
        }
        *close = '\0';
        ok = named_key(arg + 1, &out);
        arg = close + 1;
    }
    ok = ok ? send_bytes(d->at, out.data, out.len) : fail("unknown key");
    buf_fini(&out);
    return ok;
}

static bool
step_paste(struct drive *d, char *arg)
{
    return send_bytes(d->at, "\033[200~", 6) &&
           send_bytes(d->at, arg, strlen(arg)) &&
           send_bytes(d->at, "\033[201~", 6);
}

static bool
step_answer(struct drive *d, char *arg)
{
    char *to = arg;

    for (const char *p = arg; *p; p++) {
        if (p[0] == '\\' && p[1] == 'e') {
            *to++ = '\033';
            p++;
        } else {
            *to++ = *p;
        }
    }
    return send_bytes(d->at, arg, (size_t)(to - arg));
}

static bool
step_mouse(struct drive *d, char *arg)
{
    char text[64], wheel[8] = "";
    int x, y;

    if (sscanf(arg, "%d %d %7s", &x, &y, wheel) < 2)
        return fail("mouse X Y [up|down]");
    if (*wheel)
        snprintf(text, sizeof text, "\033[<%d;%d;%dM",
                 strcmp(wheel, "up") == 0 ? 64 : 65, x, y);
    else
        snprintf(text, sizeof text, "\033[<0;%d;%dM\033[<0;%d;%dm", x, y, x, y);
    return send_bytes(d->at, text, strlen(text));
}

static bool
text_shown(struct drive *d, const void *arg)
{
    VTermPos where;

    return find_text(d->at, arg, &where);
}

static bool
text_gone(struct drive *d, const void *arg)
{
    return !text_shown(d, arg);
}

static bool
step_wait(struct drive *d, char *arg)
{
    return until(d, text_shown, arg);
}

static bool
step_gone(struct drive *d, char *arg)
{
    return until(d, text_gone, arg);
}

struct rows {
    char *line[128];
    int first, n;
};

static bool
line_fits(const char *got, const char *want)
{
    size_t n = strlen(want);

    if (n > 0 && want[n - 1] == '~')
        return strncmp(got, want, n - 1) == 0;
    return strcmp(got, want) == 0;
}

static bool
rows_equal(struct drive *d, const void *arg)
{
    const struct rows *r = arg;
    struct buf row;
    bool same = true;

    buf_init(&row);
    for (int i = 0; i < r->n && same; i++) {
        row_text(d->at, r->first + i, &row);
        same = line_fits(row.len ? row.data : "", r->line[i]);
    }
    buf_fini(&row);
    return same;
}

static bool
step_row(struct drive *d, char *arg)
{
    char *text;
    long n = strtol(arg, &text, 10);
    struct rows r = {.first = (int)n - 1, .n = 1};

    r.line[0] = *text == ' ' ? text + 1 : text;
    return until(d, rows_equal, &r);
}

/* The lines up to "end". */
static bool
read_block(struct drive *d, struct buf *out)
{
    char line[1024];

    while (fgets(line, sizeof line, d->file)) {
        d->line++;
        if (strcmp(line, "end\n") == 0)
            return true;
        buf_puts(out, line);
    }
    return false;
}

static bool
step_screen(struct drive *d, char *arg)
{
    struct rows r = {.first = 0};
    struct buf text;
    char *save = NULL;
    bool ok;

    (void)arg;
    buf_init(&text);
    ok = read_block(d, &text);
    /* A bar before each line keeps the blanks at its beginning. */
    for (char *l = text.data ? strtok_r(text.data, "\n", &save) : NULL;
         l && r.n < 128; l = strtok_r(NULL, "\n", &save))
        r.line[r.n++] = *l == '|' ? l + 1 : l;
    ok = ok && until(d, rows_equal, &r);
    buf_fini(&text);
    return ok;
}

static bool
cursor_at(struct drive *d, const void *arg)
{
    const VTermPos *want = arg;

    return d->at->cursor.row == want->row && d->at->cursor.col == want->col;
}

static bool
step_cursor(struct drive *d, char *arg)
{
    VTermPos want;

    if (sscanf(arg, "%d %d", &want.col, &want.row) != 2)
        return fail("cursor X Y, from 1");
    want.col--;
    want.row--;
    if (until(d, cursor_at, &want))
        return true;
    printf("# the cursor is at %d %d\n", d->at->cursor.col + 1,
           d->at->cursor.row + 1);
    return false;
}

static bool
is_colour(const VTermColor *c, bool fg, int index)
{
    if (index < 0)
        return fg ? VTERM_COLOR_IS_DEFAULT_FG(c) : VTERM_COLOR_IS_DEFAULT_BG(c);
    return VTERM_COLOR_IS_INDEXED(c) && c->indexed.idx == index;
}

static bool
has_style(const VTermScreenCell *c, const char *word)
{
    if (strcmp(word, "bold") == 0)
        return c->attrs.bold;
    if (strcmp(word, "under") == 0)
        return c->attrs.underline;
    if (strcmp(word, "rev") == 0)
        return c->attrs.reverse;
    if (strcmp(word, "plain") == 0)
        return !c->attrs.bold && !c->attrs.underline && !c->attrs.reverse &&
               is_colour(&c->fg, true, -1) && is_colour(&c->bg, false, -1);
    if (strncmp(word, "fg=", 3) == 0)
        return is_colour(&c->fg, true, atoi(word + 3));
    return strncmp(word, "bg=", 3) == 0 &&
           is_colour(&c->bg, false, atoi(word + 3));
}

static bool
styled(struct drive *d, const void *arg)
{
    char copy[1024], *save = NULL;
    VTermScreenCell cell;
    VTermPos where;

    snprintf(copy, sizeof copy, "%s", (const char *)arg);
    char *bar = strchr(copy, '|');

    if (!bar)
        return false;
    *bar = '\0';
    if (!find_text(d->at, copy, &where))
        return false;
    vterm_screen_get_cell(d->at->screen, where, &cell);
    for (char *w = strtok_r(bar + 1, " ", &save); w;
         w = strtok_r(NULL, " ", &save))
        if (!has_style(&cell, w))
            return false;
    return true;
}

static bool
step_style(struct drive *d, char *arg)
{
    return until(d, styled, arg);
}

static bool
any_colour(struct drive *d, const void *arg)
{
    bool want = strcmp(arg, "some") == 0;

    for (VTermPos at = {0, 0}; at.row < d->at->h; at.row++) {
        for (at.col = 0; at.col < d->at->w; at.col++) {
            VTermScreenCell c;

            vterm_screen_get_cell(d->at->screen, at, &c);
            if (!is_colour(&c.fg, true, -1) || !is_colour(&c.bg, false, -1))
                return want;
        }
    }
    return !want;
}

static bool
step_colour(struct drive *d, char *arg)
{
    return until(d, any_colour, arg);
}

static bool
step_resize(struct drive *d, char *arg)
{
    struct terminal *t = d->at;

    if (!read_size(arg, &t->w, &t->h))
        return fail("resize WxH");
    struct winsize ws = {.ws_row = (unsigned short)t->h,
                         .ws_col = (unsigned short)t->w};

    vterm_set_size(t->vt, t->h, t->w);
    return ioctl(t->fd, TIOCSWINSZ, &ws) == 0 || fail("TIOCSWINSZ failed");
}

static bool
step_signal(struct drive *d, char *arg)
{
    static const struct {
        const char *name;
        int signo;
    } all[] = {{"KILL", SIGKILL}, {"TERM", SIGTERM}, {"TSTP", SIGTSTP},
               {"CONT", SIGCONT}, {"HUP", SIGHUP},   {"SEGV", SIGSEGV}};
    char *to = strchr(arg, ' ');
    pid_t pid;

    if (!to)
        return fail("signal NAME client|workbench");
    *to++ = '\0';
    pid = strcmp(to, "client") == 0 ? d->at->pid : workbench(d);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i].name, arg) == 0)
            return pid > 0 && kill(pid, all[i].signo) == 0;
    return fail("unknown signal");
}

static bool
modes_are(struct drive *d, const void *arg)
{
    const struct terminal *t = d->at;
    bool clean = strcmp(arg, "clean") == 0;
    struct termios tio;

    if (tcgetattr(t->fd, &tio) < 0)
        return false;
    bool cooked =
        tio.c_iflag == t->before.c_iflag && tio.c_oflag == t->before.c_oflag &&
        tio.c_cflag == t->before.c_cflag && tio.c_lflag == t->before.c_lflag &&
        memcmp(tio.c_cc, t->before.c_cc, sizeof tio.c_cc) == 0;

    return clean ? cooked && !t->alt && !t->mouse && !t->hidden
                 : !cooked && t->alt && t->mouse;
}

static bool
step_modes(struct drive *d, char *arg)
{
    if (until(d, modes_are, arg))
        return true;
    printf("# alternate screen %d, mouse %d, hidden cursor %d\n", d->at->alt,
           d->at->mouse, d->at->hidden);
    return false;
}

static bool
step_hangup(struct drive *d, char *arg)
{
    (void)arg;
    close(d->at->slave);
    close(d->at->fd);
    d->at->fd = d->at->slave = -1;
    return true;
}

static bool
has_stopped(struct drive *d, const void *arg)
{
    int status;

    (void)arg;
    return waitpid(d->at->pid, &status, WNOHANG | WUNTRACED) == d->at->pid &&
           WIFSTOPPED(status);
}

static bool
step_stopped(struct drive *d, char *arg)
{
    return until(d, has_stopped, arg);
}

static bool
has_ended(struct drive *d, const void *arg)
{
    (void)arg;
    reap(d->at);
    /* Its last words are still on their way. */
    while (d->at->reaped && pump(d->at, 0))
        continue;
    return d->at->reaped;
}

static bool
step_ended(struct drive *d, char *arg)
{
    if (!until(d, has_ended, arg))
        return fail("it has not ended");
    if (d->at->status == atoi(arg))
        return true;
    printf("# it ended with %d\n", d->at->status);
    return false;
}

static bool
step_dead(struct drive *d, char *arg)
{
    return until(d, workbench_gone, arg);
}

static bool
succeeds(struct drive *d, const void *arg)
{
    char *const argv[] = {"sh", "-c", (char *)(uintptr_t)arg, NULL};
    int64_t end = loop_now_ms() + d->deadline_ms;
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        setpgid(0, 0);
        int to = d->loud ? 2 : open("/dev/null", O_WRONLY);

        if (chdir(d->dir) == 0 && dup2(to, 1) == 1 && dup2(to, 2) == 2)
            execv("/bin/sh", argv);
        _exit(127);
    }
    while (pid > 0 && waitpid(pid, &status, WNOHANG) == 0) {
        if (loop_now_ms() > end)
            kill(-pid, SIGKILL);
        pump_all(d, 1);
    }
    return status == 0;
}

/* What the command says is of interest when it fails for good. */
static bool
step_sh(struct drive *d, char *arg)
{
    bool ok;

    if (until(d, succeeds, arg))
        return true;
    d->loud = true;
    ok = succeeds(d, arg);
    d->loud = false;
    return ok;
}

static bool
step_env(struct drive *d, char *arg)
{
    char *equals = strchr(arg, '=');

    (void)d;
    if (!equals)
        return fail("env NAME=VALUE");
    *equals++ = '\0';
    return *equals ? setenv(arg, equals, 1) == 0 : unsetenv(arg) == 0;
}

static bool
step_file(struct drive *d, char *arg)
{
    char *path = file_join(d->dir, arg);
    struct error err;
    struct buf text;
    bool ok;

    buf_init(&text);
    ok = read_block(d, &text) &&
         file_replace(path, text.data ? text.data : "", text.len, 0644, &err);
    buf_fini(&text);
    free(path);
    return ok;
}

static bool
step_copy(struct drive *d, char *arg)
{
    const char *source = getenv("LATHE_SOURCE");
    char *from = file_join(source ? source : ".", arg);
    char *to = file_join(d->dir, file_base(arg));
    struct file_map m;
    struct error err;
    bool ok = file_map_open(&m, from, NULL, &err);

    if (ok) {
        ok = file_replace(to, m.data, m.len, 0644, &err);
        file_map_close(&m);
    }
    free(from);
    free(to);
    return ok || fail(err.message);
}

/* PATH.hold, or what else gate.c looks for; caller frees. */
static char *
gate_path(const struct drive *d, const char *name, const char *suffix)
{
    char base[256];

    snprintf(base, sizeof base, "%s.%s", name, suffix);
    return file_join(d->dir, base);
}

static bool
add_pass(const struct drive *d, const char *name, int i)
{
    char suffix[16];
    struct error err;
    char *path;
    bool ok;

    snprintf(suffix, sizeof suffix, "pass%d", i);
    path = gate_path(d, name, suffix);
    ok = file_replace(path, "", 0, 0600, &err) || fail(err.message);
    free(path);
    return ok;
}

static bool
step_hold(struct drive *d, char *arg)
{
    char *number = strchr(arg, ' '), *path;
    char *preload = file_join(build_dir(), "tests/tui/gate.so");
    bool ok = setenv("LD_PRELOAD", preload, 1) == 0;

    if (number)
        *number++ = '\0';
    for (int i = number ? atoi(number) : 0; i > 0 && ok; i--)
        ok = add_pass(d, arg, i);
    path = gate_path(d, arg, "hold");
    ok = ok && (mkfifo(path, 0600) == 0 || fail("it is held already"));
    free(path);
    free(preload);
    return ok;
}

/* Nobody can begin to wait once it has lost its name. */
static bool
has_released(struct drive *d, const void *path)
{
    int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

    (void)d;
    if (fd < 0)
        return false;
    unlink(path);
    close(fd);
    return true;
}

static bool
step_release(struct drive *d, char *arg)
{
    char *path = gate_path(d, arg, "hold");
    bool ok = until(d, has_released, path) || fail("nobody waits to open it");

    free(path);
    return ok;
}

static const struct {
    const char *name;
    bool (*run)(struct drive *d, char *arg);
    bool needs_terminal;
} steps[] = {
    {"copy", step_copy, false},       {"file", step_file, false},
    {"env", step_env, false},         {"open", step_open, false},
    {"use", step_use, false},         {"type", step_type, true},
    {"paste", step_paste, true},      {"mouse", step_mouse, true},
    {"wait", step_wait, true},        {"gone", step_gone, true},
    {"answer", step_answer, true},    {"row", step_row, true},
    {"screen", step_screen, true},    {"cursor", step_cursor, true},
    {"style", step_style, true},      {"colour", step_colour, true},
    {"resize", step_resize, true},    {"signal", step_signal, true},
    {"modes", step_modes, true},      {"stopped", step_stopped, true},
    {"ended", step_ended, true},      {"dead", step_dead, true},
    {"hangup", step_hangup, true},    {"start", step_start, false},
    {"sh", step_sh, false},           {"hold", step_hold, false},
    {"release", step_release, false},
};

/* ---- the file ---- */

static void
end_test(struct drive *d)
{
    if (!*d->test)
        return;
    printf("%s %u - %s\n", d->failed ? "not ok" : "ok", ++d->n_tests, d->test);
    fflush(stdout);
    d->failed = false;
    d->test[0] = '\0';
}

/* A block of a step that is left out must be left out too. */
static void
skip_block(struct drive *d, const char *name)
{
    struct buf ignored;

    if (strcmp(name, "screen") != 0 && strcmp(name, "file") != 0)
        return;
    buf_init(&ignored);
    read_block(d, &ignored);
    buf_fini(&ignored);
}

static void
run_step(struct drive *d, char *line)
{
    char shown[1024];
    char *arg = strchr(line, ' ');
    int number = d->line;
    size_t i = 0;

    snprintf(shown, sizeof shown, "%s", line);
    if (arg)
        *arg++ = '\0';
    while (i < sizeof steps / sizeof *steps && strcmp(steps[i].name, line) != 0)
        i++;
    if (d->failed) {
        skip_block(d, line);
        return;
    }
    if (i < sizeof steps / sizeof *steps &&
        (d->at || !steps[i].needs_terminal) &&
        steps[i].run(d, arg ? arg : line + strlen(line)))
        return;
    d->failed = true;
    printf("# %s:%d: %s\n", d->path, number, shown);
    if (d->at)
        print_screen(d->at);
}

static void
run_file(struct drive *d)
{
    char line[1024];

    while (fgets(line, sizeof line, d->file)) {
        d->line++;
        line[strcspn(line, "\n")] = '\0';
        if (!*line || *line == '#')
            continue;
        if (strncmp(line, "test ", 5) == 0) {
            end_test(d);
            snprintf(d->test, sizeof d->test, "%.200s", line + 5);
            continue;
        }
        run_step(d, line);
    }
    end_test(d);
    printf("1..%u\n", d->n_tests);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void
clean_up(struct drive *d)
{
    int64_t end = loop_now_ms() + 5000;
    pid_t pid;

    for (size_t i = 0; i < d->n_terms; i++) {
        reap(&d->term[i]);
        if (!d->term[i].reaped) {
            kill(d->term[i].pid, SIGKILL);
            waitpid(d->term[i].pid, NULL, 0);
        }
    }
    while ((pid = workbench(d)) > 0 && loop_now_ms() < end)
        kill(pid, SIGKILL);
    kill_marked(d);
    for (size_t i = 0; i < d->n_terms; i++) {
        if (d->term[i].fd >= 0)
            close(d->term[i].fd);
        if (d->term[i].slave >= 0)
            close(d->term[i].slave);
        vterm_free(d->term[i].vt);
    }
    if (!getenv("LATHE_TUI_KEEP"))
        nftw(d->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void
set_up(struct drive *d)
{
    const char *deadline = getenv("LATHE_TUI_DEADLINE_MS");
    char value[128], path[8192];

    snprintf(d->dir, sizeof d->dir, "/tmp/lathe-tui.XXXXXX");
    if (!mkdtemp(d->dir)) {
        perror(d->dir);
        exit(99);
    }
    snprintf(path, sizeof path, "%.*s:%s",
             (int)(file_base(program()) - program()), program(),
             getenv("PATH"));
    setenv("PATH", path, 1);
    d->deadline_ms = deadline ? atoi(deadline) : DEADLINE_MS;
    snprintf(d->marker, sizeof d->marker, "LATHE_TUI_MARK=%s", d->dir);
    setenv("LATHE_TUI_MARK", d->dir, 1);
    setenv("HOME", d->dir, 1);
    setenv("XDG_RUNTIME_DIR", d->dir, 1);
    snprintf(value, sizeof value, "%s/state", d->dir);
    setenv("XDG_STATE_HOME", value, 1);
    snprintf(value, sizeof value, "%s/config", d->dir);
    setenv("XDG_CONFIG_HOME", value, 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    unsetenv("NO_COLOR");
    unsetenv("CLICOLOR");
    unsetenv("CLICOLOR_FORCE");
    unsetenv("TMUX");
    unsetenv("LATHE_PROJECT");
    unsetenv("LINES");
    unsetenv("COLUMNS");
}

int
main(int argc, char **argv)
{
    struct drive d = {.path = argc == 2 ? argv[1] : ""};

    if (argc != 2 || !(d.file = fopen(argv[1], "re"))) {
        fprintf(stderr, "usage: drive FILE.t\n");
        return 99;
    }
    signal(SIGPIPE, SIG_IGN);
    set_up(&d);
    run_file(&d);
    clean_up(&d);
    fclose(d.file);
    return 0;
}

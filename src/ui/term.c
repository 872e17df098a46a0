/* ui/term.c -- a terminal: its modes, what it answers, and the bytes to it.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/term_state.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/mem.h"

enum {
    PROBE_MS = 1000,     /* no answer to the first question: no pacing */
    PATIENCE_MS = 10000, /* no answer to a later one: go on */
    LEAVE_MS = 200,      /* to write the last bytes to a slow line */
    ANSWERS_MS = 80,     /* to wait for answers when leaving: at least, */
    ANSWERS_MAX_MS = 400 /* and at most */
};

#define ENTER_MODES "\033[?2004h\033[?1004h"
#define LEAVE_MODES \
    "\033[?2026l\033[?1000l\033[?1002l\033[?1006l\033[?1004l\033[?2004l"
#define MOUSE_ON "\033[?1000h\033[?1002h\033[?1006h"
#define MOUSE_OFF "\033[?1000l\033[?1002l\033[?1006l"
#define ASK_BACKGROUND "\033]11;?\033\\"

const char *
term_leave_bytes(void)
{
    return LEAVE_MODES "\033[?1l\033>\033[0m\033[?1049l\033[?25h\033[0 q";
}

/* ---- writing ---- */

bool
term_flush(struct term *t)
{
    while (t->sent < t->out.len) {
        ssize_t n =
            write(t->fd_out, t->out.data + t->sent, t->out.len - t->sent);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN;
        t->sent += (size_t)n;
        t->bytes += (uint64_t)n;
    }
    buf_clear(&t->out);
    t->sent = 0;
    return true;
}

bool
term_pending(const struct term *t)
{
    return t->sent < t->out.len;
}

void
term_send(struct term *t, const void *bytes, size_t n)
{
    if (t->suspended)
        return;
    buf_add(&t->out, bytes, n);
    term_flush(t);
}

static void
send_text(struct term *t, const char *s)
{
    term_send(t, s, strlen(s));
}

/* Write what is left, waiting a little for a slow line. */
static void
flush_last(struct term *t)
{
    int64_t end = loop_now_ms() + LEAVE_MS;
    int64_t left;

    while (term_flush(t) && term_pending(t) &&
           (left = end - loop_now_ms()) > 0) {
        struct pollfd p = {.fd = t->fd_out, .events = POLLOUT};

        if (poll(&p, 1, (int)left) < 0 && errno != EINTR)
            break;
    }
    buf_clear(&t->out);
    t->sent = 0;
}

size_t
term_take_curses(struct term *t, struct buf *out)
{
    int fd = fileno(t->memory);
    off_t len = lseek(fd, 0, SEEK_CUR);
    size_t n = len > 0 ? (size_t)len : 0;
    char chunk[4096];

    for (off_t at = 0; at < len;) {
        ssize_t got = pread(fd, chunk, sizeof chunk, at);

        if (got <= 0)
            break;
        buf_add(out, chunk, (size_t)got);
        at += got;
    }
    if (n > 0 && (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0))
        return 0;
    return n;
}

/* ---- opening ---- */

/* The same terminal through a description of our own, so that our O_NONBLOCK
 * is not that of the shell.  Falls back to the descriptor that was given. */
static int
reopen(int fd)
{
    char path[64];
    struct stat old, new;
    int own;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    own = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (own < 0)
        return fd;
    if (fstat(fd, &old) < 0 || fstat(own, &new) < 0 ||
        old.st_rdev != new.st_rdev || !isatty(own)) {
        close(own);
        return fd;
    }
    close(fd);
    return own;
}

static bool
set_raw(struct term *t)
{
    struct termios raw = t->cooked;

    raw.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR |
                               IGNCR | ICRNL | IXON);
    raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    raw.c_oflag &= ~(tcflag_t)ONLCR;
    raw.c_cflag &= ~(tcflag_t)(CSIZE | PARENB);
    raw.c_cflag |= CS8;
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    return tcsetattr(t->fd_in, TCSANOW, &raw) == 0;
}

static void
learn_keys(struct input_stream *in)
{
    static const struct {
        const char *cap;
        uint32_t key;
    } keys[] = {
        {"kcuu1", INPUT_UP},      {"kcud1", INPUT_DOWN},
        {"kcub1", INPUT_LEFT},    {"kcuf1", INPUT_RIGHT},
        {"khome", INPUT_HOME},    {"kend", INPUT_END},
        {"kpp", INPUT_PAGEUP},    {"knp", INPUT_PAGEDOWN},
        {"kich1", INPUT_INSERT},  {"kdch1", INPUT_DELETE},
        {"kent", INPUT_ENTER},    {"kcbt", INPUT_TAB | INPUT_SHIFT},
        {"kbs", INPUT_BACKSPACE},
    };
    char name[8];

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *s = tigetstr(keys[i].cap);

        if (s && s != (char *)-1)
            input_learn(in, s, keys[i].key);
    }
    for (unsigned i = 1; i <= 12; i++) {
        snprintf(name, sizeof name, "kf%u", i);
        const char *s = tigetstr(name);

        if (s && s != (char *)-1)
            input_learn(in, s, INPUT_F1 + i - 1);
    }
}

/* curses puts its own handlers where the default stands: let ours stand. */
static void
on_signal(int signo)
{
    (void)signo;
}

static void
keep_signals(void)
{
    static const int all[] = {SIGINT, SIGTERM, SIGTSTP, SIGWINCH};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct sigaction old;
        struct sigaction ours = {.sa_handler = on_signal,
                                 .sa_flags = SA_RESTART};

        if (sigaction(all[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL &&
            all[i] != SIGTERM && all[i] != SIGINT)
            sigaction(all[i], &ours, NULL);
    }
}

static bool
open_screen(struct term *t, struct error *err)
{
    static const char *const fallbacks[] = {"xterm-256color", "xterm", "vt100",
                                            "ansi"};
    int fd = memfd_create("lathe-screen", MFD_CLOEXEC);
    struct sigaction saved[2];

    t->memory = fd < 0 ? NULL : fdopen(fd, "w");
    t->nothing = fopen("/dev/null", "re");
    if (!t->memory || !t->nothing)
        return error_errno(err, errno, "cannot open the screen");
    keep_signals();
    sigaction(SIGINT, NULL, &saved[0]);
    sigaction(SIGTERM, NULL, &saved[1]);
    t->entry = t->name;
    t->screen = newterm(t->name, t->memory, t->nothing);
    for (size_t i = 0; !t->screen && i < 4; i++) {
        t->entry = fallbacks[i];
        t->screen = newterm(fallbacks[i], t->memory, t->nothing);
    }
    sigaction(SIGINT, &saved[0], NULL);
    sigaction(SIGTERM, &saved[1], NULL);
    if (!t->screen)
        return error_set(err, ERR_IO,
                         "no terminfo entry for \"%s\", nor for xterm, vt100 "
                         "or ansi; install ncurses-base",
                         t->name);
    set_term(t->screen);
    typeahead(-1);
    keypad(stdscr, TRUE);
    /* Shifting the rest of a line saves little, and emulators differ in the
     * background of what comes in at its end. */
    idcok(stdscr, FALSE);
    return true;
}

static void
find_colours(struct term *t)
{
    t->colours = 0;
    if (t->forced_mono || start_color() == ERR || !has_colors())
        return;
    /* Without a way back to its own colours it paints black and white. */
    if (use_default_colors() == ERR)
        assume_default_colors(COLOR_WHITE, COLOR_BLACK);
    t->colours = COLORS >= 256 ? 256 : COLORS >= 16 ? 16 : COLORS >= 8 ? 8 : 0;
}

/* Those that know nothing beyond their terminfo entry, and may print the rest. */
static bool
is_plain(const char *name)
{
    static const char *const names[] = {"dumb", "linux",   "vt",  "ansi",
                                        "cons", "unknown", "sun", "hurd"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(name, names[i], strlen(names[i])) == 0)
            return true;
    return !*name;
}

static bool
can_place(void)
{
    const char *cup = tigetstr("cup");

    return cup && cup != (char *)-1;
}

static void
start_screen(struct term *t)
{
    int w, h;

    find_colours(t);
    term_size(t, &w, &h);
    resize_term(h, w);
    t->row = mem_new(((size_t)w + 1) * sizeof *t->row);
    t->shown = grid_new(w, h);
    t->shown->cells[0].ch[0] = 0; /* nothing is shown: differs from any frame */
    term_redraw(t);
    if (t->plain)
        return;
    buf_puts(&t->out, ENTER_MODES);
    if (t->mouse)
        buf_puts(&t->out, MOUSE_ON);
}

/* Answers that are under way would be typed into the shell: await them.  What
 * else is typed meanwhile is lost, as it would be to a program that ends. */
static void
await_answers(struct term *t)
{
    int64_t wait = t->rtt_ms > 0 ? 2 * (int64_t)t->rtt_ms : ANSWERS_MS;
    int64_t end = loop_now_ms() + (wait < ANSWERS_MS       ? ANSWERS_MS
                                   : wait > ANSWERS_MAX_MS ? ANSWERS_MAX_MS
                                                           : wait);
    struct input_stream *in = input_new();
    struct input_event e;
    int64_t left;

    /* One that has been silent for so long has nothing to say. */
    t->asked = t->asked && term_patience_ms(t) > 0;
    t->asked_background =
        t->asked_background && loop_now_ms() - t->background_ms < PROBE_MS;
    while ((t->asked || t->asked_background) &&
           (left = end - loop_now_ms()) > 0) {
        struct pollfd p = {.fd = t->fd_in, .events = POLLIN};

        if (poll(&p, 1, (int)left) <= 0 || !term_read(t, in))
            break;
        while (input_next(in, &e)) {
            t->asked = t->asked && e.kind != INPUT_STATUS;
            t->asked_background = t->asked_background && e.kind != INPUT_COLOUR;
        }
    }
    t->asked = t->asked_background = false;
    input_free(in);
}

static void
stop_screen(struct term *t, bool restore)
{
    if (t->screen) {
        endwin();
        if (restore && !t->printer)
            term_take_curses(t, &t->out);
        delscreen(t->screen);
        t->screen = NULL;
    }
    /* Some terminals restore a hidden cursor with the normal screen. */
    if (restore && !t->plain)
        buf_puts(&t->out, LEAVE_MODES "\033[?25h\033[0 q");
    if (restore) {
        flush_last(t);
        await_answers(t);
    }
    if (t->memory)
        fclose(t->memory);
    if (t->nothing)
        fclose(t->nothing);
    t->memory = t->nothing = NULL;
    grid_free(t->shown);
    free(t->row);
    t->shown = NULL;
    t->row = NULL;
    if (restore)
        tcsetattr(t->fd_in, TCSANOW, &t->cooked);
}

static enum glyph_set
glyphs_of(const struct term_options *o)
{
    if (!o->utf8 || (o->glyphs && strcmp(o->glyphs, "ascii") == 0))
        return DRAW_ASCII;
    return o->glyphs && strcmp(o->glyphs, "block") == 0 ? DRAW_BLOCK
                                                        : DRAW_BRAILLE;
}

static bool
wants_mono(const struct term_options *o)
{
    if (o->color && strcmp(o->color, "never") == 0)
        return true;
    if ((o->color && strcmp(o->color, "always") == 0) || o->force_color)
        return false;
    return o->no_color;
}

struct term *
term_open(const struct term_options *o, struct input_stream *in,
          struct error *err)
{
    struct term *t = mem_new(sizeof *t);

    t->fd_in = o->fd_in;
    t->fd_out = o->fd_out;
    buf_init(&t->out);
    snprintf(t->name, sizeof t->name, "%s", o->name ? o->name : "");
    t->utf8 = o->utf8;
    t->tmux = o->tmux;
    t->glyphs = glyphs_of(o);
    t->forced_mono = wants_mono(o);
    t->plain = is_plain(t->name);
    t->mouse = true;
    t->rtt_ms = -1;
    if (!setlocale(LC_CTYPE, "C.UTF-8") && !setlocale(LC_CTYPE, ""))
        t->utf8 = false;
    if (tcgetattr(t->fd_in, &t->cooked) < 0) {
        error_errno(err, errno, "not a terminal");
        term_close(t, false);
        return NULL;
    }
    t->fd_in = reopen(t->fd_in);
    t->fd_out = reopen(t->fd_out);
    if (!set_raw(t) || !open_screen(t, err)) {
        if (t->screen || !t->memory)
            error_errno(err, errno, "cannot set the terminal's mode");
        term_close(t, true);
        return NULL;
    }
    t->printer = !can_place();
    learn_keys(in);
    start_screen(t);
    return t;
}

void
term_close(struct term *t, bool restore)
{
    if (!t)
        return;
    if (!t->suspended)
        stop_screen(t, restore);
    if (t->fd_out != t->fd_in)
        close(t->fd_out);
    close(t->fd_in);
    buf_fini(&t->out);
    free(t);
}

void
term_suspend(struct term *t)
{
    if (t->suspended)
        return;
    stop_screen(t, true);
    t->suspended = true;
    t->asked = false;
}

/* A fresh screen each time: curses would write "reset the palette" when it
 * comes back to an old one. */
bool
term_resume(struct term *t, struct error *err)
{
    if (!t->suspended)
        return true;
    tcgetattr(t->fd_in, &t->cooked);
    if (!set_raw(t))
        return error_errno(err, errno, "cannot set the terminal's mode");
    t->suspended = false;
    if (!open_screen(t, err))
        return false;
    start_screen(t);
    return true;
}

bool
term_suspended(const struct term *t)
{
    return t->suspended;
}

int
term_fd_in(const struct term *t)
{
    return t->fd_in;
}

int
term_fd_out(const struct term *t)
{
    return t->fd_out;
}

bool
term_read(struct term *t, struct input_stream *in)
{
    char bytes[4096];
    int flags = fcntl(t->fd_in, F_GETFL);

    /* A descriptor that could not be reopened may block: one read a call. */
    for (;;) {
        ssize_t n = read(t->fd_in, bytes, sizeof bytes);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN;
        if (n == 0)
            return false;
        input_feed(in, bytes, (size_t)n);
        if (n < (ssize_t)sizeof bytes || !(flags & O_NONBLOCK))
            return true;
    }
}

void
term_size(struct term *t, int *w, int *h)
{
    struct winsize ws = {0};

    if (ioctl(t->fd_out, TIOCGWINSZ, &ws) < 0 || !ws.ws_col || !ws.ws_row) {
        ws.ws_col = 80;
        ws.ws_row = 24;
    }
    *w = ws.ws_col;
    *h = ws.ws_row;
}

int64_t
term_patience_ms(const struct term *t)
{
    if (!t->asked)
        return -1;
    int64_t left =
        t->asked_ms + (t->paces ? PATIENCE_MS : PROBE_MS) - loop_now_ms();

    return left > 0 ? left : 0;
}

bool
term_ready(const struct term *t)
{
    return !t->suspended && !term_pending(t) && term_patience_ms(t) <= 0;
}

void
term_answered(struct term *t)
{
    if (!t->asked)
        return;
    t->asked = false;
    t->paces = true;
    t->rtt_ms = (int)(loop_now_ms() - t->asked_ms);
}

void
term_background_known(struct term *t)
{
    t->asked_background = false;
}

void
term_redraw(struct term *t)
{
    if (t->suspended)
        return;
    grid_clear(t->shown);
    for (int y = 0; y < t->shown->h; y++)
        t->shown->cells[(size_t)y * (size_t)t->shown->w].width = 7;
    clearok(curscr, TRUE);
}

void
term_ask_background(struct term *t)
{
    if (t->plain)
        return;
    t->asked_background = true;
    t->background_ms = loop_now_ms();
    send_text(t, ASK_BACKGROUND);
}

/* OSC 2; the one before is kept by the terminal's stack of titles, which
 * entering and leaving the alternate screen push and pop. */
void
term_set_title(struct term *t, const char *title)
{
    struct buf b;

    if (t->plain)
        return;
    buf_init(&b);
    buf_puts(&b, "\033]2;");
    buf_plain(&b, title, strlen(title), 0);
    buf_puts(&b, "\a");
    term_send(t, b.data, b.len);
    buf_fini(&b);
}

void
term_set_mouse(struct term *t, bool on)
{
    t->mouse = on;
    if (!t->plain)
        send_text(t, on ? MOUSE_ON : MOUSE_OFF);
}

void
term_set_glyphs(struct term *t, enum glyph_set set)
{
    t->glyphs = t->utf8 ? set : DRAW_ASCII;
    term_redraw(t);
}

void
term_facts(const struct term *t, struct term_facts *out)
{
    *out = (struct term_facts){.colours = t->colours,
                               .utf8 = t->utf8,
                               .mouse = t->mouse && !t->plain,
                               .tmux = t->tmux,
                               .plain = t->plain,
                               .printer = t->printer,
                               .glyphs = t->glyphs,
                               .rtt_ms = t->rtt_ms,
                               .bytes = t->bytes,
                               .frames = t->frames};
    memcpy(out->name, t->name, sizeof out->name);
}

/* session/plot.c -- the persistent gnuplot child.
 *
 *   idle --request--> busy --sentinel, BEGIN..END--> done(image), idle
 *                      |  `--sentinel, no BEGIN----> built-in (no lua driver)
 *                      `--2 s without sentinel-----> killed, counted, built-in
 *
 * Three failures within a minute, or a gnuplot that is not there: the built-in
 * layout from then on, said once.  All three pipes are non-blocking: a frame
 * larger than a pipe each way would deadlock a writer that waits.
 *
 * Nothing that came from data or from people reaches gnuplot as a command:
 * only numbers are sent; labels are drawn by us.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/plot.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"
#include "session/chart.h"

enum {
    HANG_MS = 2000,
    MAX_FAILURES = 3,
    FAILURE_WINDOW_MS = 60000,
    ANSWER_MAX = 8 << 20,
    PIPE_BYTES = 1 << 20,
    MAX_SERIES = 15
};

/* A copy of a spec, with its series. */
struct request {
    struct plot_spec spec;
    struct plot_series series[MAX_SERIES];
    plot_done *done;
    void *ctx;
    bool there;
};

struct plotter {
    struct loop *loop;
    void (*note)(void *ctx, const char *text);
    void *note_ctx;
    char *driver;
    bool builtin; /* gnuplot is out of the game */
    pid_t pid;
    int in, out, err; /* its 0, 1, 2 from our side; -1 */
    struct loop_watch *w_in, *w_out, *w_err, *w_child, *timer;
    struct buf send;
    size_t sent;
    struct buf got;
    unsigned frame;    /* number of the sentinel awaited */
    int columns, rows; /* set in the child */
    struct request busy, waiting;
    int failures;
    int64_t first_failure_ms;
    bool noted;
};

static void start_next(struct plotter *p);

/* ---- requests ---- */

static void
request_fini(struct request *r)
{
    for (size_t i = 0; r->there && i < r->spec.n_series; i++) {
        free((void *)(uintptr_t)r->series[i].x);
        free((void *)(uintptr_t)r->series[i].y);
        free((void *)(uintptr_t)r->series[i].label);
    }
    r->there = false;
}

static double *
copy_numbers(const double *x, size_t n, struct error *err)
{
    double *y = mem_try_array(n, sizeof *y, err);

    if (y && n > 0)
        memcpy(y, x, n * sizeof *y);
    return y;
}

static bool
request_init(struct request *r, const struct plot_spec *spec, plot_done *done,
             void *ctx, struct error *err)
{
    *r = (struct request){
        .spec = *spec, .done = done, .ctx = ctx, .there = true};
    if (r->spec.n_series > MAX_SERIES)
        r->spec.n_series = MAX_SERIES;
    r->spec.series = r->series;
    for (size_t i = 0; i < r->spec.n_series; i++) {
        const struct plot_series *s = &spec->series[i];

        r->series[i] = *s;
        r->series[i].x = copy_numbers(s->x, s->n, err);
        r->series[i].y = copy_numbers(s->y, s->n, err);
        r->series[i].label = mem_text(s->label);
        if (!r->series[i].x || !r->series[i].y) {
            r->spec.n_series = i + 1;
            request_fini(r);
            return false;
        }
    }
    return true;
}

/* A request is answered while it is no longer the plotter's: its done() may
 * ask for the next frame. */
static void
deliver(struct request *r, const struct plot_image *im)
{
    struct request mine = *r;

    mine.spec.series = mine.series;
    r->there = false;
    mine.done(mine.ctx, im);
    request_fini(&mine);
}

static void
draw_builtin(struct request *r)
{
    struct plot_image im;
    struct error err;

    r->spec.series = r->series;
    if (plot_draw(&r->spec, &im, &err)) {
        deliver(r, &im);
        plot_image_fini(&im);
    } else {
        log_write(LOG_WARN, "chart: %s", err.message);
        request_fini(r);
    }
}

/* ---- the child ---- */

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void
drop_watch(struct loop_watch **w)
{
    loop_remove(*w);
    *w = NULL;
}

static void
forget_child(void *ctx, int status)
{
    (void)ctx;
    (void)status;
}

static void
stop_child(struct plotter *p)
{
    drop_watch(&p->w_in);
    drop_watch(&p->w_out);
    drop_watch(&p->w_err);
    drop_watch(&p->w_child);
    drop_watch(&p->timer);
    close_fd(&p->in);
    close_fd(&p->out);
    close_fd(&p->err);
    if (p->pid > 0) {
        kill(-p->pid, SIGKILL);
        loop_child(p->loop, p->pid, forget_child, NULL); /* to be reaped */
    }
    p->pid = 0;
    p->columns = p->rows = 0;
    buf_clear(&p->send);
    buf_clear(&p->got);
    p->sent = 0;
}

static void
give_up(struct plotter *p, const char *why)
{
    p->builtin = true;
    if (p->noted)
        return;
    p->noted = true;
    log_write(LOG_WARN, "charts: %s", why);
    if (p->note)
        p->note(p->note_ctx, why);
}

static void
fail(struct plotter *p, const char *why)
{
    int64_t now = loop_now_ms();

    log_write(LOG_WARN, "gnuplot: %s", why);
    stop_child(p);
    if (p->failures == 0 || now - p->first_failure_ms > FAILURE_WINDOW_MS) {
        p->failures = 0;
        p->first_failure_ms = now;
    }
    if (++p->failures >= MAX_FAILURES)
        give_up(p, "gnuplot failed three times: charts use the built-in "
                   "layout");
    if (p->busy.there)
        draw_builtin(&p->busy);
    start_next(p);
}

static void
on_hang(void *ctx, int events)
{
    struct plotter *p = ctx;

    (void)events;
    p->timer = NULL;
    if (p->busy.there)
        fail(p, "no answer for 2 s");
}

static void
on_end(void *ctx, int status)
{
    struct plotter *p = ctx;

    (void)status;
    p->w_child = NULL;
    p->pid = 0;
    if (p->busy.there)
        fail(p, "it ended");
    else
        stop_child(p);
}

static void
on_error(void *ctx, int events)
{
    struct plotter *p = ctx;
    char text[1024];
    ssize_t n = read(p->err, text, sizeof text - 1);

    (void)events;
    if (n <= 0) {
        if (n == 0)
            drop_watch(&p->w_err);
        return;
    }
    text[n] = '\0';
    log_write(LOG_DEBUG, "gnuplot says: %.200s", text);
}

static void
on_writable(void *ctx, int events)
{
    struct plotter *p = ctx;
    ssize_t n = write(p->in, p->send.data + p->sent, p->send.len - p->sent);

    (void)events;
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        fail(p, "its input is closed");
        return;
    }
    if (n > 0)
        p->sent += (size_t)n;
    if (p->sent == p->send.len) {
        drop_watch(&p->w_in);
        buf_clear(&p->send);
        p->sent = 0;
    }
}

/* The frame that ended with our sentinel. */
static void
finish_frame(struct plotter *p, size_t len)
{
    struct chart_list l;
    struct plot_image im = {0};
    struct error err;
    bool ok;

    drop_watch(&p->timer);
    p->busy.spec.series = p->busy.series;
    chart_init(&l, p->busy.spec.width, p->busy.spec.height, 1);
    ok = chart_parse((struct str){p->got.data, len}, &l, &err);
    if (!ok && !strstr(p->got.data, "BEGIN ")) {
        chart_fini(&l);
        buf_clear(&p->got);
        give_up(p, "this gnuplot has no lua terminal: charts use the built-in "
                   "layout");
        stop_child(p);
        draw_builtin(&p->busy);
        return;
    }
    ok = ok && chart_raster(&l, &p->busy.spec, &im, &err);
    chart_fini(&l);
    buf_clear(&p->got);
    if (ok) {
        deliver(&p->busy, &im);
    } else {
        log_write(LOG_WARN, "chart: %s", err.message);
        draw_builtin(&p->busy);
    }
    plot_image_fini(&im);
}

static void
on_readable(void *ctx, int events)
{
    struct plotter *p = ctx;
    char step[65536], sentinel[48];
    const char *at;
    ssize_t n = read(p->out, step, sizeof step);

    (void)events;
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        drop_watch(&p->w_out); /* on_end says the rest */
        return;
    }
    if (n < 0)
        return;
    buf_add(&p->got, step, (size_t)n);
    if (p->got.failed || p->got.len > ANSWER_MAX) {
        fail(p, "its answer is too long");
        return;
    }
    snprintf(sentinel, sizeof sentinel, "LATHE-EOF %u\n", p->frame);
    at = strstr(p->got.data, sentinel);
    if (at && p->busy.there) {
        finish_frame(p, (size_t)(at - p->got.data));
        start_next(p);
    }
}

static bool
make_pipes(int fds[6], struct error *err)
{
    for (int i = 0; i < 6; i += 2)
        if (pipe2(fds + i, O_CLOEXEC) < 0) {
            error_errno(err, errno, "pipe");
            while (i-- > 0)
                close(fds[i]);
            return false;
        }
    return true;
}

static void
watch_child(struct plotter *p, const int fds[6])
{
    p->in = fds[1];
    p->out = fds[2];
    p->err = fds[4];
    fcntl(p->in, F_SETFL, O_NONBLOCK);
    fcntl(p->out, F_SETFL, O_NONBLOCK);
    fcntl(p->err, F_SETFL, O_NONBLOCK);
    fcntl(p->in, F_SETPIPE_SZ, PIPE_BYTES);
    fcntl(p->out, F_SETPIPE_SZ, PIPE_BYTES);
    p->w_out = loop_fd(p->loop, p->out, LOOP_READ, on_readable, p);
    p->w_err = loop_fd(p->loop, p->err, LOOP_READ, on_error, p);
    p->w_child = loop_child(p->loop, p->pid, on_end, p);
}

static bool
start_child(struct plotter *p, struct error *err)
{
    static const char *const argv[] = {"gnuplot", "-d", NULL};
    static const char *const env[] = {"GNUTERM=unknown", "LC_ALL=C.UTF-8",
                                      NULL};
    struct proc_options o = {.env = env, .new_group = true};
    int fds[6];
    bool ok;

    if (!p->driver && !(p->driver = file_data_path("lua/plot/driver.lua", err)))
        return false;
    if (!make_pipes(fds, err))
        return false;
    o.fd_in = fds[0];
    o.fd_out = fds[3];
    o.fd_err = fds[5];
    ok = proc_start(argv, &o, &p->pid, err);
    close(fds[0]);
    close(fds[3]);
    close(fds[5]);
    if (!ok) {
        p->pid = 0;
        close(fds[1]);
        close(fds[2]);
        close(fds[4]);
        return false;
    }
    watch_child(p, fds);
    buf_puts(&p->send,
             "set print '-'\nset encoding utf8\nunset key\nset border 3\n"
             "set tics nomirror out scale 1\nset grid ytics\n"
             "set xtics offset 0,0.25\nset ytics offset 1.5,0\n"
             "set datafile missing 'NaN'\nset tmargin 0\nset bmargin 1\n");
    return true;
}

/* ---- frames ---- */

static void
put_quoted(struct buf *b, const char *s)
{
    buf_putc(b, '\'');
    for (; *s; s++) {
        if (*s == '\'')
            buf_putc(b, '\'');
        if ((unsigned char)*s >= 0x20)
            buf_putc(b, *s);
    }
    buf_putc(b, '\'');
}

static void
put_data(struct buf *b, const struct chart_data *d, size_t i)
{
    buf_printf(b, "$d%zu << EOD\n", i);
    for (size_t k = 0; k < d->n; k++) {
        if (isnan(d->y[k]))
            buf_putc(b, '\n'); /* a blank line breaks the line drawn */
        else
            buf_printf(b, "%.9g %.9g\n", d->x[k], d->y[k]);
    }
    buf_puts(b, "EOD\n");
}

/* gnuplot's axis runs over more dots than the values: it begins where the line
 * of the axis is.  Dots are named by their middle, or rounding would move
 * values to the dot below. */
static void
put_range(struct buf *b, char name, const struct chart_axis *a, int first,
          int last)
{
    double low = chart_on_axis(a->low, a->logarithmic);
    double dot = (chart_on_axis(a->high, a->logarithmic) - low) /
                 (double)(a->to - a->from);
    double ends[2] = {low + (first - a->from - 0.5) * dot,
                      low + (last - a->from + 0.5) * dot};

    for (int i = 0; i < 2; i++)
        ends[i] = a->logarithmic ? pow(10, ends[i]) : ends[i];
    buf_printf(b, "%s logscale %c\nset %crange [%.17g:%.17g]\n",
               a->logarithmic ? "set" : "unset", name, name, ends[0], ends[1]);
    if (a->tick.n == 0) {
        buf_printf(b, "unset %ctics\n", name);
        return;
    }
    buf_printf(b, "set %ctics (", name);
    for (int i = 0; i < a->tick.n; i++)
        buf_printf(b, "%s'%s' %.17g", i ? "," : "", a->tick.text[i],
                   a->tick.at[i]);
    buf_puts(b, ")\n");
}

static void
put_size(struct plotter *p, const struct plot_spec *spec, struct buf *b)
{
    if (spec->width == p->columns && spec->height == p->rows)
        return;
    buf_puts(b, "set term lua ");
    put_quoted(b, p->driver);
    buf_printf(b, " '%d %d'\n", spec->width, spec->height);
    p->columns = spec->width;
    p->rows = spec->height;
}

/* The commands of one frame; false when nothing finite is to be plotted. */
static bool
put_frame(struct plotter *p, const struct plot_spec *spec, struct buf *b)
{
    struct chart_frame f;
    struct error err;

    if (spec->width < 10 || spec->height < 4 || !chart_frame_of(spec, &f))
        return false;
    put_size(p, spec, b);
    buf_printf(b, "set lmargin %d\nset rmargin %d\n", f.left, f.right);
    put_range(b, 'x', &f.x, 2 * f.left, f.x.to);
    put_range(b, 'y', &f.y, 4, f.y.to);
    for (size_t i = 0; i < spec->n_series; i++) {
        struct chart_data d;

        if (!chart_decimate(spec, i, &f, 1, &d, &err))
            return false;
        put_data(b, &d, i);
        free(d.x);
        free(d.y);
    }
    for (size_t i = 0; i < spec->n_series; i++)
        buf_printf(b, "%s $d%zu u 1:2 w %s lc rgb %d", i ? "," : "plot", i,
                   spec->series[i].dots ? "points" : "lines",
                   spec->series[i].ink);
    buf_printf(b, "\nprint 'LATHE-EOF %u'\n", ++p->frame);
    return !b->failed;
}

static const char *
why_not(const struct plotter *p, const struct error *err)
{
    if (!p->driver)
        return "lua/plot/driver.lua is missing: charts use the built-in layout";
    return err->code == ERR_NOTFOUND
               ? "no gnuplot (apt-get install gnuplot-nox): charts use the "
                 "built-in layout"
               : "gnuplot does not start: charts use the built-in layout";
}

static void
start_next(struct plotter *p)
{
    struct error err;

    if (p->busy.there || !p->waiting.there)
        return;
    p->busy = p->waiting;
    p->busy.spec.series = p->busy.series;
    p->waiting.there = false;
    if (!p->builtin && p->pid == 0 && !start_child(p, &err)) {
        log_write(LOG_WARN, "gnuplot: %s", err.message);
        give_up(p, why_not(p, &err));
    }
    if (p->builtin || !put_frame(p, &p->busy.spec, &p->send)) {
        draw_builtin(&p->busy);
        return;
    }
    if (!p->w_in)
        p->w_in = loop_fd(p->loop, p->in, LOOP_WRITE, on_writable, p);
    p->timer = loop_timer(p->loop, HANG_MS, false, on_hang, p);
}

struct plotter *
plotter_new(struct loop *loop, void (*note)(void *ctx, const char *text),
            void *ctx)
{
    struct plotter *p = mem_new(sizeof *p);

    p->loop = loop;
    p->note = note;
    p->note_ctx = ctx;
    p->in = p->out = p->err = -1;
    buf_init(&p->send);
    buf_init(&p->got);
    return p;
}

void
plotter_free(struct plotter *p)
{
    if (!p)
        return;
    stop_child(p);
    request_fini(&p->busy);
    request_fini(&p->waiting);
    buf_fini(&p->send);
    buf_fini(&p->got);
    free(p->driver);
    free(p);
}

void
plotter_request(struct plotter *p, const struct plot_spec *spec,
                plot_done *done, void *ctx)
{
    struct error err;

    request_fini(&p->waiting);
    if (!request_init(&p->waiting, spec, done, ctx, &err)) {
        log_write(LOG_WARN, "chart: %s", err.message);
        return;
    }
    start_next(p);
}

bool
plotter_uses_gnuplot(const struct plotter *p)
{
    return !p->builtin;
}

/* ---- files ---- */

/* An axis has as many ticks as it would have on so many cells. */
enum {
    FILE_W = 1200,
    FILE_H = 750,
    FILE_COLUMNS = 150,
    FILE_ROWS = 40,
    MANY_POINTS = 2000, /* which shine through each other */
    EXPORT_MS = 60000
};

static const char *const file_colours[] = {
    "0072b2", "e69f00", "009e73", "cc79a7", "56b4e9", "d55e00", "444444"};

static void
put_label(struct buf *b, const char *what, const char *text)
{
    if (!text || !text[0])
        return;
    buf_printf(b, "set %s ", what);
    put_quoted(b, text);
    buf_putc(b, '\n');
}

static void
put_bars(const struct plot_series *s, const char *const *bars, struct buf *b)
{
    buf_printf(b,
               "set yrange [%zu.5:0.5]\nset xrange [0:*]\n"
               "set grid noytics xtics lc rgb '#dddddd'\nset ytics (",
               s->n);
    for (size_t i = 0; i < s->n; i++) {
        buf_puts(b, i ? "," : "");
        put_quoted(b, bars[i]);
        buf_printf(b, " %zu", i + 1);
    }
    buf_puts(b, ")\n$d0 << EOD\n");
    for (size_t i = 0; i < s->n; i++)
        buf_printf(b, "%.17g %zu\n", s->x[i], i + 1);
    buf_printf(b,
               "EOD\nplot $d0 u ($1/2):2:($1/2):(0.38) w boxxyerror fs solid "
               "noborder lc rgb '#%s' notitle\n",
               file_colours[0]);
}

/* How a series is drawn, and its name. */
static void
put_series(const struct plot_spec *spec, size_t i, double base,
           const struct plot_words *w, struct buf *b)
{
    const struct plot_series *s = &spec->series[i];
    const char *name = w->names ? w->names[i] : NULL;
    size_t ink = s->ink > 0 ? (size_t)s->ink - 1 : i;
    const char *colour =
        file_colours[ink % (sizeof file_colours / sizeof *file_colours)];

    buf_printf(b, "%s $d%zu u 1:2 w ", i ? "," : "plot", i);
    if (s->dots || chart_is_point(spec, s))
        buf_printf(b, "points pt 7 ps %s lc rgb '#%s%s'",
                   s->n > MANY_POINTS ? "0.35" : "0.6",
                   s->n > MANY_POINTS ? "80" : "", colour);
    else if (w->filled)
        buf_printf(b, "filledcurves y1=%.17g lc rgb '#%s'", base, colour);
    else
        buf_printf(b, "lines lw 2 lc rgb '#%s'", colour);
    if (name && name[0]) {
        buf_puts(b, " title ");
        put_quoted(b, name);
    } else {
        buf_puts(b, " notitle");
    }
}

static bool
put_chart(const struct plot_spec *spec, const struct plot_words *words,
          struct buf *b, struct error *err)
{
    struct plot_spec measured = *spec;
    struct chart_frame f;

    measured.width = FILE_COLUMNS;
    measured.height = FILE_ROWS;
    if (!chart_frame_of(&measured, &f))
        return error_set(err, ERR_RANGE, "there is nothing to draw");
    put_range(b, 'x', &f.x, f.x.from, f.x.to);
    put_range(b, 'y', &f.y, f.y.from, f.y.to);
    for (size_t i = 0; i < spec->n_series; i++)
        put_data(b,
                 &(struct chart_data){(double *)(uintptr_t)spec->series[i].x,
                                      (double *)(uintptr_t)spec->series[i].y,
                                      spec->series[i].n},
                 i);
    for (size_t i = 0; i < spec->n_series; i++)
        put_series(spec, i, f.y.low, words, b);
    buf_putc(b, '\n');
    return true;
}

static bool
run_script(const struct buf *b, const char *path, struct error *err)
{
    size_t n = strlen(path);
    char *script = mem_new(n + 8);
    const char *argv[] = {"gnuplot", "-d", script, NULL};
    struct buf out;
    int status = 0;
    bool ok;

    buf_init(&out);
    memcpy(script, path, n);
    memcpy(script + n, ".gp", 4);
    ok = buf_check(b, err) &&
         file_replace(script, b->data, b->len, 0600, err) &&
         proc_capture(argv, EXPORT_MS, NULL, &out, &status, err);
    unlink(script);
    if (ok && status != 0)
        ok = error_set(err, ERR_IO, "gnuplot could not write %s", path);
    free(script);
    buf_fini(&out);
    return ok;
}

bool
plot_export(const struct plot_spec *spec, const struct plot_words *words,
            const char *path, struct error *err)
{
    size_t n = strlen(path);
    bool png = n > 4 && strcmp(path + n - 4, ".png") == 0, ok = true;
    struct buf b;

    buf_init(&b);
    buf_printf(&b, "set term %s noenhanced size %d,%d background rgb 'white'\n",
               png ? "pngcairo" : "svg", FILE_W, FILE_H);
    buf_puts(&b, "set encoding utf8\nset output ");
    put_quoted(&b, path);
    buf_puts(&b, "\nset border 3\nset tics nomirror out\n"
                 "set grid lc rgb '#dddddd'\n"
                 "set datafile missing 'NaN'\n");
    put_label(&b, "title", words->title);
    put_label(&b, "xlabel", words->x);
    put_label(&b, "ylabel", words->y);
    if (words->bars && spec->n_series > 0)
        put_bars(&spec->series[0], words->bars, &b);
    else
        ok = put_chart(spec, words, &b, err);
    ok = ok && run_script(&b, path, err);
    buf_fini(&b);
    return ok;
}

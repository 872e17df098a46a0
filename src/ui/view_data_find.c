/* ui/view_data_find.c -- searching the rows that show for a pattern.
 *
 * One task goes through all cells and leaves a bit for each, column by column.
 * Few values need to be looked at: each text of a dictionary once, each number
 * and day of a narrow range once, and none of a column whose values have no
 * such character as the pattern, if that is plain text.
 * With the bits, n and N are a walk over words, and the place of a match among
 * all is a count of bits.  Until they are there, n looks for a match by itself
 * for as long as a key may take, and otherwise goes where the task will say.
 *
 * Headings come behind the last match and before the first; with the keys in
 * the list of columns they alone are searched, unless none matches.
 *
 * What is searched is a value as it is copied, not as it is cut or rounded to
 * fit.  Capitals count when the pattern has one.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ui/view_data.h"

#include <ctype.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "session/task.h"
#include "ui/tether.h"
#include "ui/ui.h"

enum {
    MAX_RANGE = 1 << 20, /* values of a column that are marked */
    CHUNK = 4096,        /* rows a thread takes at once; a multiple of 64 */
    SPOT_US = 3000,      /* a search on the spot may take so long */
    REFRESH_MS = 250
};

/* Which cells match; row i is the i-th that shows. */
struct find_map {
    size_t n_rows, n_cols;
    uint64_t **bits;  /* of each column; NULL: none of it matches */
    uint64_t *before; /* matches before each chunk of rows, and all */
    size_t n_hit;     /* columns with a match */
};

struct data_find {
    char *text;
    char *column; /* that is searched; NULL: all that show */
    struct regex *regex;
    struct frame *frame; /* what is searched */
    struct rowset *rows;
    struct find_map *map; /* NULL: not counted yet */
    struct task *task;    /* that counts; NULL: none */
    unsigned asked;
    int pending; /* go on that way when it is counted; 0: no */
    long head;   /* the column whose heading it is at; -1: at none */
    struct loop_watch *timer;
};

static void
map_free(struct find_map *m)
{
    if (!m)
        return;
    for (size_t i = 0; m->bits && i < m->n_cols; i++)
        free(m->bits[i]);
    free(m->bits);
    free(m->before);
    free(m);
}

static size_t
n_words(size_t n_rows)
{
    return (n_rows + 63) / 64;
}

static size_t
n_matches(const struct find_map *m)
{
    return m->before[pool_chunks(m->n_rows, CHUNK)];
}

/* ---- the task ---- */

struct finding {
    struct regex *regex;
    char *text;
    struct frame *frame;
    struct rowset *rows;
    size_t n_rows;
    long only; /* column; -1: all */
    struct find_map *map;
    struct tether *view;
    unsigned asked;

    struct progress *progress;
    const struct column *column; /* that is gone through */
    uint8_t *text_hits;          /* of each text of its dictionary */
    atomic_uchar *value_hits;    /* of each value from least on: UNKNOWN ... */
    int64_t least;
    const char *plain; /* the pattern, when it is plain text without letters */
    const char *literal; /* when it is plain text */
    uint64_t *bits;
    atomic_flag failing;
    atomic_bool failed;
    struct error err; /* of the first that failed */
};

enum { UNKNOWN, DIFFERS, MATCHES }; /* value_hits */

static bool
matches(struct finding *f, struct regex_work *work, struct str s)
{
    struct error err;
    bool found = false;

    if (f->plain)
        return memmem(s.p, s.n, f->plain, strlen(f->plain)) != NULL;
    if (regex_test(f->regex, work, s, &found, &err))
        return found;
    if (!atomic_flag_test_and_set(&f->failing)) {
        f->err = err;
        atomic_store(&f->failed, true);
    }
    return false;
}

static bool
is_over(struct finding *f)
{
    return progress_stopped(f->progress) || atomic_load(&f->failed);
}

static void
find_texts(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct finding *f = ctx;
    const struct dict *dict = column_dict(f->column);
    struct regex_work *work = regex_work_new(f->regex);

    (void)chunk;
    for (size_t i = begin; i < end && (i % 64 || !is_over(f)); i++)
        f->text_hits[i] = matches(f, work, dict_text(dict, (uint32_t)i));
    regex_work_free(work);
}

static int64_t
whole_value(const struct column *c, size_t id)
{
    return column_type(c) == COL_INT64  ? column_int64s(c)[id]
           : column_type(c) == COL_DATE ? column_dates(c)[id]
                                        : column_bools(c)[id];
}

/* Room for a mark of each value between the least and the greatest, when
 * these are fewer than the rows. */
static bool
prepare_values(struct finding *f, struct error *err)
{
    enum col_type type = column_type(f->column);
    int64_t least = INT64_MAX, most = INT64_MIN;

    f->value_hits = NULL;
    if (type != COL_INT64 && type != COL_DATE && type != COL_BOOL)
        return true;
    for (size_t i = 0; i < column_rows(f->column); i++) {
        int64_t v = whole_value(f->column, i);

        if (!column_is_valid(f->column, i))
            continue;
        least = v < least ? v : least;
        most = v > most ? v : most;
    }
    if (least > most || (uint64_t)most - (uint64_t)least > MAX_RANGE ||
        (uint64_t)most - (uint64_t)least > column_rows(f->column))
        return true;
    f->least = least;
    f->value_hits =
        mem_try_array((size_t)(most - least) + 1, sizeof *f->value_hits, err);
    return f->value_hits;
}

static bool
value_matches(struct finding *f, struct regex_work *work, size_t id,
              struct buf *b)
{
    atomic_uchar *mark =
        f->value_hits ? &f->value_hits[whole_value(f->column, id) - f->least]
                      : NULL;
    unsigned char known =
        mark ? atomic_load_explicit(mark, memory_order_relaxed) : UNKNOWN;
    bool hit;

    if (known != UNKNOWN)
        return known == MATCHES;
    buf_clear(b);
    column_print(f->column, id, b);
    hit = matches(f, work, (struct str){b->data, b->len});
    if (mark)
        atomic_store_explicit(mark, hit ? MATCHES : DIFFERS,
                              memory_order_relaxed);
    return hit;
}

static void
find_rows(void *ctx, size_t chunk, size_t begin, size_t end)
{
    struct finding *f = ctx;
    const uint32_t *ids = f->rows ? rowset_ids(f->rows) : NULL;
    const uint32_t *codes = f->text_hits ? column_codes(f->column) : NULL;
    struct regex_work *work = regex_work_new(f->regex);
    struct buf b;

    (void)chunk;
    buf_init(&b);
    for (size_t i = begin; i < end && (i % 64 || !is_over(f)); i++) {
        size_t id = ids ? ids[i] : i;
        bool hit;

        if (!column_is_valid(f->column, id))
            continue;
        hit = codes ? f->text_hits[codes[id]] : value_matches(f, work, id, &b);
        f->bits[i / 64] |= (uint64_t)hit << (i % 64);
    }
    buf_fini(&b);
    regex_work_free(work);
    progress_add(f->progress, end - begin);
}

static bool
any_bit(const uint64_t *bits, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bits[i])
            return true;
    return false;
}

/* Can a value of this type hold the text?  Its characters are few. */
static bool
may_hold(enum col_type type, const char *literal)
{
    static const char *const letters[COL_N_TYPES] = {
        [COL_BOOL] = "truefals",
        [COL_INT64] = "0123456789-",
        [COL_FLOAT64] = "0123456789-+.einfa",
        [COL_DATE] = "0123456789-",
        [COL_TIMESTAMP] = "0123456789-:.+tz "};

    if (type == COL_TEXT || !literal)
        return true;
    for (const char *p = literal; *p; p++)
        if (!strchr(letters[type], tolower((unsigned char)*p)))
            return false;
    return true;
}

static bool
find_column(struct finding *f, size_t col, struct pool *pool, struct error *err)
{
    size_t words = n_words(f->n_rows), n_texts = 0;

    f->column = frame_column(f->frame, col);
    f->text_hits = NULL;
    if (!may_hold(column_type(f->column), f->literal)) {
        progress_add(f->progress, f->n_rows);
        return true;
    }
    if (!(f->bits = mem_try_array(words, sizeof *f->bits, err)))
        return false;
    f->map->bits[col] = f->bits;
    if (column_type(f->column) == COL_TEXT) {
        n_texts = dict_count(column_dict(f->column));
        if (!(f->text_hits = mem_try_array(n_texts + 1, 1, err)))
            return false;
        pool_for(pool, n_texts, CHUNK, find_texts, f);
    }
    if (!prepare_values(f, err)) {
        free(f->text_hits);
        return false;
    }
    if (!f->text_hits || memchr(f->text_hits, 1, n_texts))
        pool_for(pool, f->n_rows, CHUNK, find_rows, f);
    else
        progress_add(f->progress, f->n_rows);
    free(f->text_hits);
    free(f->value_hits);
    if (!any_bit(f->bits, words)) {
        free(f->bits);
        f->map->bits[col] = NULL;
    } else {
        f->map->n_hit++;
    }
    if (atomic_load(&f->failed)) {
        *err = f->err;
        return false;
    }
    return progress_check(f->progress, err);
}

static unsigned
count_bits(uint64_t w)
{
    unsigned n = 0;

    for (; w; w &= w - 1)
        n++;
    return n;
}

/* Matches of rows begin..end; begin is a multiple of 64. */
static uint64_t
count_rows(const struct find_map *m, size_t begin, size_t end)
{
    uint64_t n = 0;

    for (size_t col = 0; col < m->n_cols; col++)
        for (size_t i = begin; m->bits[col] && i < end; i += 64) {
            uint64_t w = m->bits[col][i / 64];

            if (end - i < 64)
                w &= ((uint64_t)1 << (end - i)) - 1;
            n += count_bits(w);
        }
    return n;
}

static bool
run_search(struct task *t, void *ctx, struct error *err)
{
    struct finding *f = ctx;
    struct find_map *m = f->map;
    struct pool *pool = session_pool(task_session(t));
    size_t chunks = pool_chunks(f->n_rows, CHUNK);

    f->progress = task_progress(t);
    progress_begin(f->progress, "searching",
                   f->n_rows * (f->only >= 0 ? 1 : m->n_cols));
    if (!(m->bits = mem_try_array(m->n_cols, sizeof *m->bits, err)) ||
        !(m->before = mem_try_array(chunks + 1, sizeof *m->before, err)))
        return false;
    for (size_t col = 0; col < m->n_cols; col++)
        if ((f->only < 0 || f->only == (long)col) &&
            !find_column(f, col, pool, err))
            return false;
    for (size_t k = 0; k < chunks; k++)
        m->before[k + 1] = m->before[k] + count_rows(m, k * CHUNK,
                                                     (k + 1) * CHUNK < m->n_rows
                                                         ? (k + 1) * CHUNK
                                                         : m->n_rows);
    return true;
}

/* ---- walking from match to match ---- */

static bool
is_match(const struct find_map *m, size_t row, size_t col)
{
    return m->bits[col] && (m->bits[col][row / 64] >> (row % 64) & 1);
}

static bool
next_in_row(const struct find_map *m, size_t row, long *col, int dir)
{
    for (*col += dir; *col >= 0 && *col < (long)m->n_cols; *col += dir)
        if (is_match(m, row, (size_t)*col))
            return true;
    return false;
}

static bool
row_has(const struct find_map *m, size_t row)
{
    size_t chunk = row / CHUNK;

    if (m->before[chunk] == m->before[chunk + 1])
        return false;
    for (size_t col = 0; col < m->n_cols; col++)
        if (is_match(m, row, col))
            return true;
    return false;
}

/* The next row with a match, *row being the last to be looked at; whole chunks
 * without one are passed over. */
static bool
next_row(const struct find_map *m, size_t *row, int dir)
{
    size_t at = *row;

    for (size_t left = m->n_rows; left > 0; left--) {
        size_t chunk;

        at = dir > 0 ? (at + 1) % m->n_rows : (at + m->n_rows - 1) % m->n_rows;
        chunk = at / CHUNK;
        if (row_has(m, at)) {
            *row = at;
            return true;
        }
        if (m->before[chunk] != m->before[chunk + 1])
            continue;
        /* To the last row of the chunk in this direction. */
        if (dir > 0) {
            size_t last = (chunk + 1) * CHUNK - 1;

            last = last < m->n_rows ? last : m->n_rows - 1;
            left -= last - at < left ? last - at : left - 1;
            at = last;
        } else {
            left -= at - chunk * CHUNK < left ? at - chunk * CHUNK : left - 1;
            at = chunk * CHUNK;
        }
    }
    return false;
}

static void
go_to(struct view_data *d, size_t row, size_t col)
{
    d->look->sheet.row.at = row;
    d->look->sheet.col = d->look->columns.at = col;
}

/* The next column, `at` not being looked at, whose heading matches; -1: none. */
static long
next_heading(const struct data_find *f, const struct frame *frame, long at,
             int dir)
{
    long n = (long)frame_cols(frame);
    struct error err;
    bool found = false;

    for (at += dir; !f->column && at >= 0 && at < n; at += dir)
        if (regex_find(f->regex, str_of(frame_name(frame, (size_t)at)), &found,
                       0, NULL, &err) &&
            found)
            return at;
    return -1;
}

/* Before the first, behind the last column. */
static long
outside(const struct frame *frame, int dir)
{
    return dir > 0 ? -1 : (long)frame_cols(frame);
}

static void
go_to_heading(struct view_data *d, long col)
{
    d->find->head = col;
    d->look->sheet.col = d->look->columns.at = (size_t)col;
    ui_message(d->view.ui, MESSAGE_INFO, "in the heading %s",
               frame_name(data_frame(d), (size_t)col));
}

/* In the list of columns. */
static bool
walk_headings(struct view_data *d, int dir)
{
    const struct frame *frame = data_frame(d);
    long at = next_heading(d->find, frame, (long)d->look->columns.at, dir);

    if (at < 0)
        at = next_heading(d->find, frame, outside(frame, dir), dir);
    if (at >= 0)
        go_to_heading(d, at);
    return at >= 0;
}

static bool
is_at_heading(const struct view_data *d)
{
    return d->find->head >= 0 && d->find->head == (long)d->look->sheet.col;
}

static void
walk(struct view_data *d, int dir)
{
    const struct find_map *m = d->find->map;
    const struct frame *frame = data_frame(d);
    size_t from = d->look->sheet.row.at, row = from;
    long col = (long)d->look->sheet.col, head = -1;
    bool at_head = is_at_heading(d), over;

    if (at_head) { /* the cells go on where they begin, or end */
        head = next_heading(d->find, frame, col, dir);
        from = row = dir > 0 ? m->n_rows - 1 : 0;
        col = (long)frame_cols(frame) - 1 - outside(frame, dir);
    }
    over = at_head || n_matches(m) == 0;
    if (n_matches(m) > 0 && !next_in_row(m, row, &col, dir)) {
        next_row(m, &row, dir);
        col = outside(frame, dir);
        next_in_row(m, row, &col, dir);
        over = over || (dir > 0 ? row <= from : row >= from);
    }
    if (over && !at_head)
        head = next_heading(d->find, frame, outside(frame, dir), dir);
    if (head < 0 && n_matches(m) == 0)
        head = next_heading(d->find, frame, outside(frame, dir), dir);
    d->find->head = -1;
    if (head >= 0) {
        go_to_heading(d, head);
    } else if (n_matches(m) == 0) {
        ui_message(d->view.ui, MESSAGE_WARN, "\"%s\" is not here",
                   d->find->text);
    } else {
        if (over)
            ui_message(d->view.ui, MESSAGE_INFO,
                       dir > 0 ? "on from the top" : "on from the end");
        go_to(d, row, (size_t)col);
    }
}

/* Which of all matches the cursor is on; 0: on none. */
static uint64_t
place_of(const struct find_map *m, size_t row, size_t col)
{
    size_t begin = row / CHUNK * CHUNK;
    uint64_t n;

    if (row >= m->n_rows || col >= m->n_cols || !is_match(m, row, col))
        return 0;
    n = m->before[row / CHUNK] + count_rows(m, begin, row);
    for (size_t i = 0; i <= col; i++)
        n += is_match(m, row, i);
    return n;
}

/* ---- on the spot ---- */

/* Nothing is counted yet: look at rows from the cursor on for a moment. */
static bool
look_on_the_spot(struct view_data *d, int dir)
{
    const struct data_find *f = d->find;
    struct sheet *s = &d->look->sheet;
    int64_t limit = loop_now_us() + SPOT_US;
    size_t n_cols = frame_cols(s->frame), n = s->n_rows;
    long only = f->column ? frame_find(s->frame, f->column) : -1;
    struct error err;
    bool found = false;
    struct buf b;

    buf_init(&b);
    /* What is left of the row of the cursor comes first. */
    for (size_t step = 0; !found && step < n; step++) {
        size_t i = (s->row.at + (dir > 0 ? step : n - step)) % n;

        for (size_t k = 0; !found && k < n_cols; k++) {
            size_t col = dir > 0 ? k : n_cols - 1 - k;
            const struct column *c = frame_column(s->frame, col);

            if ((only >= 0 && only != (long)col) ||
                (step == 0 && (dir > 0 ? col <= s->col : col >= s->col)) ||
                !column_is_valid(c, sheet_row_id(s, i)))
                continue;
            buf_clear(&b);
            column_print(c, sheet_row_id(s, i), &b);
            if (!regex_find(f->regex, (struct str){b.data, b.len}, &found, 0,
                            NULL, &err))
                goto out; /* the task says so */
            if (found)
                go_to(d, i, col);
        }
        if (loop_now_us() > limit)
            break;
    }
out:
    buf_fini(&b);
    return found;
}

/* ---- what is searched for ---- */

void
data_find_free(struct data_find *f)
{
    if (!f)
        return;
    if (f->task)
        task_cancel(f->task);
    loop_remove(f->timer);
    regex_free(f->regex);
    frame_unref(f->frame);
    rowset_unref(f->rows);
    map_free(f->map);
    free(f->text);
    free(f->column);
    free(f);
}

static void
stop_counting(struct data_find *f)
{
    if (f->task)
        task_cancel(f->task);
    f->task = NULL;
    f->asked = 0;
    loop_remove(f->timer);
    f->timer = NULL;
}

static void
forget(struct view_data *d)
{
    data_find_free(d->find);
    d->find = NULL;
}

static void
find_done(struct task *t, void *ctx, bool ok, const struct error *err)
{
    struct finding *w = ctx;
    struct view_data *d = tether_end(w->view);
    struct data_find *f = d ? d->find : NULL;

    (void)t;
    if (f && f->asked == w->asked) {
        f->task = NULL;
        stop_counting(f);
        if (ok) {
            f->map = w->map;
            w->map = NULL;
            if (f->pending)
                walk(d, f->pending);
            f->pending = 0;
        } else {
            if (err->code != ERR_CANCELLED)
                ui_error(d->view.ui, err);
            forget(d);
        }
        ui_answer(d->view.ui);
    }
    map_free(w->map);
    free(w->text);
    regex_free(w->regex);
    frame_unref(w->frame);
    rowset_unref(w->rows);
    free(w);
}

static void
on_timer(void *ctx, int events)
{
    struct view_data *d = ctx;

    (void)events;
    if (ui_visible(d->view.ui, &d->view))
        ui_touch(d->view.ui);
}

static bool
has_capital(const char *text)
{
    for (const char *p = text; *p; p++) {
        if (*p == '\\' && p[1])
            p++; /* \S, \W */
        else if (isupper((unsigned char)*p))
            return true;
    }
    return false;
}

/* Has it no sign that means something else, and no letter? */
static bool
is_plain(const char *text, bool letters)
{
    for (const char *p = text; *p; p++)
        if (strchr("\\^$.|?*+()[]{}", *p) || (unsigned char)*p >= 0x80 ||
            (!letters && isalpha((unsigned char)*p)))
            return false;
    return true;
}

static struct regex *
compile(const char *text, struct error *err)
{
    return regex_new(str_of(text), !has_capital(text), err);
}

/* Count in what the sheet has now. */
static void
count(struct view_data *d)
{
    struct data_find *f = d->find;
    const struct sheet *s = &d->look->sheet;
    struct finding *w = mem_new(sizeof *w);
    struct error err;

    stop_counting(f);
    frame_unref(f->frame);
    rowset_unref(f->rows);
    map_free(f->map);
    f->map = NULL;
    f->frame = frame_ref(s->frame);
    f->rows = rowset_ref(s->rows);

    w->regex = compile(f->text, &err);
    w->text = mem_text(f->text);
    w->literal = is_plain(f->text, true) ? w->text : NULL;
    w->plain = is_plain(f->text, false) ? w->text : NULL;
    w->frame = frame_ref(s->frame);
    w->rows = rowset_ref(s->rows);
    w->n_rows = s->n_rows;
    w->only = f->column ? frame_find(s->frame, f->column) : -1;
    w->map = mem_new(sizeof *w->map);
    w->map->n_rows = s->n_rows;
    w->map->n_cols = frame_cols(s->frame);
    w->view = tether_hold(d->tether);
    w->asked = f->asked = ++d->n_asked;
    atomic_flag_clear(&w->failing);
    f->timer = loop_timer(ui_loop(d->view.ui), REFRESH_MS, true, on_timer, d);
    f->task = task_start(data_session(d), &(struct task_spec){.title = "search",
                                                              .run = run_search,
                                                              .done = find_done,
                                                              .ctx = w,
                                                              .of = {w->frame},
                                                              .quiet = true});
}

static bool
begin(struct view_data *d, const char *text, bool here)
{
    struct error err;
    struct regex *regex = compile(text, &err);

    if (!regex) {
        ui_error(d->view.ui, &err);
        return false;
    }
    forget(d);
    d->find = mem_new(sizeof *d->find);
    d->find->text = mem_text(text);
    d->find->column = here ? mem_text(data_column_name(d)) : NULL;
    d->find->regex = regex;
    d->find->head = -1;
    count(d);
    return true;
}

static bool
is_current(const struct view_data *d)
{
    const struct sheet *s = &d->look->sheet;

    return d->find->frame == s->frame && d->find->rows == s->rows;
}

bool
data_find(struct view *v, const char *text, int dir)
{
    struct view_data *d = data_mine(v);
    struct data_find *f = d->find;
    bool here = d->find_here;

    d->find_here = false;
    if (!data_frame(d) || d->look->sheet.n_rows == 0)
        return false;
    if (here || !f || strcmp(f->text, text) != 0) {
        if (!begin(d, text, here))
            return true; /* it has been said why not */
    } else if (!is_current(d)) {
        count(d);
    }
    if (v->focus == DATA_REGION_COLUMNS && !here && walk_headings(d, dir))
        return true;
    if (d->find->map)
        walk(d, dir);
    else if (!look_on_the_spot(d, dir))
        d->find->pending = dir;
    return true;
}

void
data_find_in_column(struct view *v, const struct view_call *call)
{
    struct buf line;

    if (!call->arg || !call->arg[0])
        return;
    buf_init(&line);
    buf_printf(&line, "search %s", call->arg);
    data_mine(v)->find_here = true;
    ui_run_command(v->ui, line.data, 0); /* n and N know it, too */
    buf_fini(&line);
}

void
data_find_again(struct view_data *d)
{
    if (!d->find || is_current(d))
        return;
    if (!data_frame(d) ||
        (d->find->column && frame_find(data_frame(d), d->find->column) < 0))
        forget(d);
    else
        count(d);
}

bool
data_find_cancel(struct view_data *d)
{
    if (!d->find)
        return false;
    forget(d);
    return true;
}

/* ---- how it shows ---- */

static bool
found(void *ctx, size_t i, size_t col)
{
    const struct data_find *f = ctx;

    return is_match(f->map, i, col);
}

void
data_find_mark(struct view_data *d)
{
    struct sheet *s = &d->look->sheet;
    bool known = d->find && d->find->map && is_current(d);

    s->find = known ? d->find->regex : NULL;
    s->found = known ? found : NULL;
    s->find_ctx = d->find;
}

void
data_find_title(struct view_data *d, struct buf *out)
{
    const struct data_find *f = d->find;
    char n[STR_F64_MAX], at[STR_F64_MAX];
    uint64_t place;
    size_t all;

    if (!f || !is_current(d))
        return;
    if (f->task) {
        struct task_view v;

        task_look(f->task, &v);
        buf_printf(out, "searching %.0f%%",
                   v.total ? floor(100 * (double)v.done / (double)v.total) : 0);
        return;
    }
    if (!f->map)
        return;
    all = n_matches(f->map);
    str_from_count(all, n);
    place = place_of(f->map, d->look->sheet.row.at, d->look->sheet.col);
    str_from_count(place, at);
    if (is_at_heading(d))
        buf_printf(out, "heading · ");
    if (place > 0 && !is_at_heading(d))
        buf_printf(out, "match %s of %s", at, n);
    else
        buf_printf(out, "%s match%s", n, all == 1 ? "" : "es");
    if (f->column)
        buf_printf(out, " in %s", f->column);
    else if (f->map->n_hit > 1)
        buf_printf(out, " in %zu columns", f->map->n_hit);
    if (data_table(d) && data_table(d)->beyond)
        buf_puts(out, " of the first rows");
}

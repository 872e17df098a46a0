/* script/export_html.c -- a notebook with its outputs as a page of its own.
 *
 * The page loads nothing and runs nothing.  Markdown is read as far as
 * notebooks use it: headings, paragraphs, lists, fenced code, `code`, **bold**.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "script/export.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "session/curve.h"
#include "session/session.h"

enum { ROWS_MAX = 50, CURVE_WIDTH = 84, CURVE_HEIGHT = 14 };

static const char style[] =
    "<style>\n"
    ":root { color-scheme: light dark; --ink: #222; --dim: #5f6368; "
    "--back: #fff; --code: #f3f4f6; --line: #d8dade; --bad: #a40000; "
    "--s1: #0067a3; --s2: #b45f00 }\n"
    "@media (prefers-color-scheme: dark) { :root { --ink: #ddd; --dim: #9aa0a6; "
    "--back: #161616; --code: #222; --line: #383838; --bad: #ff8a80; "
    "--s1: #56b4e9; --s2: #e69f00 } }\n"
    "body { font: 16px/1.5 sans-serif; max-width: 60em; margin: 2em auto; "
    "padding: 0 1em; color: var(--ink); background: var(--back) }\n"
    "h1, h2, h3, h4, h5, h6 { line-height: 1.25; margin: 1.6em 0 .6em }\n"
    "h1:first-child { margin-top: 0 }\n"
    "pre, code { font: 13px/1.35 monospace }\n"
    "pre { overflow-x: auto; padding: .6em .8em; margin: .4em 0 }\n"
    "code { background: var(--code); padding: .1em .3em }\n"
    "pre.code { background: var(--code); border-left: 3px solid var(--s1) }\n"
    "pre.error { color: var(--bad); border-left: 3px solid var(--bad); "
    "white-space: pre-wrap }\n"
    "p.cell { font-size: 13px; color: var(--dim); margin: 1.4em 0 .2em }\n"
    "p.cell b { color: var(--ink) }\n"
    "p.count { font-size: 13px; color: var(--dim); margin: .2em .6em }\n"
    "table { border-collapse: collapse; font-size: 13px; display: block; "
    "overflow-x: auto; margin: .6em 0 .2em }\n"
    "th, td { padding: .2em .6em; border-bottom: 1px solid var(--line); "
    "text-align: left; white-space: nowrap }\n"
    ".number { text-align: right; font-variant-numeric: tabular-nums }\n"
    ".none { color: var(--dim) }\n"
    "svg { max-width: 100%; height: auto; font: 12px sans-serif; "
    "fill: var(--dim) }\n"
    "path { fill: none; stroke: var(--dim) }\n"
    ".grid { stroke: var(--line) }\n"
    ".s1 { stroke: var(--s1); stroke-width: 2 }\n"
    ".s2 { stroke: var(--s2); stroke-width: 2; stroke-dasharray: 6 3 }\n"
    ".t1 { fill: var(--s1) }\n"
    ".t2 { fill: var(--s2) }\n" PLOT_SVG_MORE "</style>\n";

/* ---- text ---- */

static void
put_paired(struct buf *out, const char *tag, struct str s)
{
    buf_printf(out, "<%s>", tag);
    buf_html(out, s.p, s.n);
    buf_printf(out, "</%s>", tag);
}

/* Bytes of what stands between two marks at the start of s, marks included; 0:
 * it is no such pair. */
static size_t
between(struct str s, struct str mark)
{
    const char *end;

    if (!str_starts(s, mark.p) || s.n <= 2 * mark.n)
        return 0;
    end = memmem(s.p + mark.n, s.n - mark.n, mark.p, mark.n);
    return end && end > s.p + mark.n ? (size_t)(end - s.p) + mark.n : 0;
}

/* A line of prose: `code` and **bold**. */
static void
put_prose(struct buf *out, const char *p, size_t n)
{
    size_t plain = 0;

    for (size_t i = 0; i < n;) {
        struct str rest = {p + i, n - i};
        size_t code = between(rest, STR("`")), bold = between(rest, STR("**"));

        if (code + bold == 0) {
            i++;
            continue;
        }
        buf_html(out, p + plain, i - plain);
        if (code > 0)
            put_paired(out, "code", (struct str){rest.p + 1, code - 2});
        else
            put_paired(out, "b", (struct str){rest.p + 2, bold - 4});
        i += code + bold;
        plain = i;
    }
    buf_html(out, p + plain, n - plain);
}

/* ---- Markdown ---- */

/* What is open at a line. */
enum block { NOTHING, PARAGRAPH, BULLETS, NUMBERS, FENCE };

static const struct {
    const char *begin, *end;
} tags[] = {[NOTHING] = {"", ""},
            [PARAGRAPH] = {"<p>", "</p>\n"},
            [BULLETS] = {"<ul>\n", "</li>\n</ul>\n"},
            [NUMBERS] = {"<ol>\n", "</li>\n</ol>\n"},
            [FENCE] = {"<pre>", "</pre>\n"}};

static void
turn_to(struct buf *out, enum block *now, enum block next)
{
    buf_puts(out, tags[*now].end);
    buf_puts(out, tags[next].begin);
    *now = next;
}

static size_t
heading_level(struct str s)
{
    size_t level = 0;

    while (level < s.n && level < 6 && s.p[level] == '#')
        level++;
    return level < s.n && s.p[level] == ' ' ? level : 0;
}

/* Bytes of "- " or "12. " at the start of an item; 0: it is none. */
static size_t
item_marker(struct str s, enum block *list)
{
    size_t digits = 0;

    while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
        digits++;
    *list = digits > 0 ? NUMBERS : BULLETS;
    if (digits > 0)
        return digits + 1 < s.n && s.p[digits] == '.' && s.p[digits + 1] == ' '
                   ? digits + 2
                   : 0;
    return s.n > 2 && (s.p[0] == '-' || s.p[0] == '*') && s.p[1] == ' ' ? 2 : 0;
}

static void
put_line(struct buf *out, enum block *now, struct str s)
{
    size_t level = heading_level(s), marker;
    enum block list;

    marker = item_marker(s, &list);
    if (str_trim(s).n == 0) {
        turn_to(out, now, NOTHING);
    } else if (level > 0) {
        turn_to(out, now, NOTHING);
        buf_printf(out, "<h%zu>", level);
        put_prose(out, s.p + level + 1, s.n - level - 1);
        buf_printf(out, "</h%zu>\n", level);
    } else if (marker > 0) {
        if (*now == list)
            buf_puts(out, "</li>\n");
        else
            turn_to(out, now, list);
        buf_puts(out, "<li>");
        put_prose(out, s.p + marker, s.n - marker);
    } else {
        if (*now == NOTHING)
            turn_to(out, now, PARAGRAPH);
        else
            buf_putc(out, '\n');
        put_prose(out, s.p, s.n);
    }
}

static void
put_markdown(struct buf *out, struct str text)
{
    enum block now = NOTHING;

    while (text.n > 0) {
        const char *end = memchr(text.p, '\n', text.n);
        struct str s = {text.p, end ? (size_t)(end - text.p) : text.n};

        if (str_starts(s, "```")) {
            turn_to(out, &now, now == FENCE ? NOTHING : FENCE);
        } else if (now == FENCE) {
            buf_html(out, s.p, s.n);
            buf_putc(out, '\n');
        } else {
            put_line(out, &now, s);
        }
        text.p += s.n + (end != NULL);
        text.n -= s.n + (end != NULL);
    }
    turn_to(out, &now, NOTHING);
}

/* ---- outputs ---- */

static const char *
align(const struct column *c)
{
    enum col_type t = column_type(c);

    return t == COL_INT64 || t == COL_FLOAT64 ? " class=\"number\"" : "";
}

static void
put_row(struct buf *out, const struct frame *f, size_t row, size_t rows)
{
    struct buf cell;

    buf_init(&cell);
    buf_puts(out, "<tr>");
    for (size_t c = 0; c < frame_cols(f); c++) {
        const struct column *col = frame_column(f, c);

        frame_cell(col, row, frame_decimals(col, rows), &cell);
        buf_printf(out, "<td%s>", align(col));
        if (!column_is_valid(col, row))
            buf_puts(out, "<span class=\"none\">");
        buf_html(out, cell.data, cell.len);
        buf_puts(out, column_is_valid(col, row) ? "</td>" : "</span></td>");
    }
    buf_puts(out, "</tr>\n");
    out->failed |= cell.failed;
    buf_fini(&cell);
}

void
export_html_table(struct buf *out, const struct frame *f)
{
    size_t rows = frame_rows(f) < ROWS_MAX ? frame_rows(f) : ROWS_MAX;

    buf_puts(out, "<table><thead><tr>");
    for (size_t c = 0; c < frame_cols(f); c++) {
        buf_printf(out, "<th%s>", align(frame_column(f, c)));
        buf_html(out, frame_name(f, c), strlen(frame_name(f, c)));
        buf_puts(out, "</th>");
    }
    buf_puts(out, "</tr></thead><tbody>\n");
    for (size_t i = 0; i < rows; i++)
        put_row(out, f, i, rows);
    buf_printf(out,
               "</tbody></table>\n<p class=\"count\">%zu row%s x %zu "
               "column%s",
               frame_rows(f), frame_rows(f) == 1 ? "" : "s", frame_cols(f),
               frame_cols(f) == 1 ? "" : "s");
    if (rows < frame_rows(f))
        buf_printf(out, ", the first %zu", rows);
    buf_puts(out, "</p>\n");
}

/* The curves are drawn where they are still in the store; the text below says
 * the same in any case. */
static void
put_curve(struct buf *out, const struct notebook *n, const char *run)
{
    struct error err;
    struct store *s = session_store(notebook_session(n), false, &err);
    struct series_list list;
    struct curve curve;
    struct plot_spec spec;
    size_t from = out->len;

    if (!s || !run_series(s, run, &list, &err))
        return;
    curve_init(&curve, &list);
    spec = curve_spec(&curve, CURVE_WIDTH, CURVE_HEIGHT);
    if (curve.n > 0 && curve.series[0].n > 1 && !plot_svg(&spec, out, &err))
        out->len = from;
    curve_fini(&curve);
    series_list_fini(&list);
}

static void
put_output(struct buf *out, const struct notebook *n, const struct output *o)
{
    if (o->kind == OUT_RUN && o->run)
        put_curve(out, n, o->run);
    if (!*o->text)
        return;
    if (o->frame) {
        export_html_table(out, o->frame);
        return;
    }
    if (o->svg) { /* the first line of the text is its title */
        buf_puts(out, "<p class=\"count\">");
        buf_html(out, o->text, strcspn(o->text, "\n"));
        buf_puts(out, "</p>\n");
        buf_puts(out, o->svg);
        return;
    }
    buf_printf(out, "<pre%s>", o->kind == OUT_ERROR ? " class=\"error\"" : "");
    buf_html(out, o->text, strlen(o->text));
    buf_puts(out, "</pre>\n");
}

static void
put_cell(struct buf *out, const struct notebook *n, const struct cell *c)
{
    if (c->order > 0 || *c->title) {
        buf_puts(out, "<p class=\"cell\">");
        if (c->order > 0)
            buf_printf(out, "[%u] ", c->order);
        put_paired(out, "b", str_of(c->title));
        buf_puts(out, "</p>\n");
    }
    buf_puts(out, "<pre class=\"code\">");
    buf_html(out, c->source, c->len);
    buf_puts(out, "</pre>\n");
    for (size_t o = 0; o < c->n_outputs; o++)
        put_output(out, n, &c->output[o]);
}

void
export_html(const struct notebook *n, struct buf *out)
{
    const char *name = file_base(notebook_path(n));

    buf_puts(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
                  "<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
                  "content=\"width=device-width, initial-scale=1\">\n<title>");
    buf_html(out, name, strlen(name));
    buf_puts(out, "</title>\n");
    buf_puts(out, style);
    buf_puts(out, "</head>\n<body>\n");
    for (size_t i = 0; i < notebook_cells(n); i++) {
        const struct cell *c = notebook_cell(n, i);

        if (c->kind == CELL_TEXT)
            put_markdown(out, (struct str){c->source, c->len});
        else
            put_cell(out, n, c);
    }
    buf_puts(out, "</body>\n</html>\n");
}

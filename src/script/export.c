/* script/export.c -- a notebook with its outputs as .ipynb, .md or .html.
 *
 * Source of the Jupyter form: nbformat 4.5's schema.  A cell's id is made of
 * its digest and place, so that the same notebook gives the same file.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "script/notebook.h"

/* ---- Jupyter ---- */

static void
put_string(struct json_writer *w, const char *name, const char *text)
{
    json_name(w, name);
    json_put_string(w, text);
}

static void
put_empty(struct json_writer *w, const char *name)
{
    json_name(w, name);
    json_open(w, '{');
    json_close(w, '}');
}

/* nbformat wants lines, each but the last with its newline. */
static void
put_lines(struct json_writer *w, const char *name, const char *p, size_t n)
{
    json_name(w, name);
    json_open(w, '[');
    while (n) {
        const char *end = memchr(p, '\n', n);
        size_t len = end ? (size_t)(end - p) + 1 : n;

        json_put_str(w, (struct str){p, len});
        p += len;
        n -= len;
    }
    json_close(w, ']');
}

static void
put_html_text(struct buf *out, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        switch (p[i]) {
        case '<':
            buf_puts(out, "&lt;");
            break;
        case '>':
            buf_puts(out, "&gt;");
            break;
        case '&':
            buf_puts(out, "&amp;");
            break;
        case '"':
            buf_puts(out, "&quot;");
            break;
        default:
            buf_putc(out, p[i]);
        }
}

enum { HTML_ROWS = 50 };

static void
put_html_table(struct buf *out, const struct frame *f)
{
    size_t rows = frame_rows(f) < HTML_ROWS ? frame_rows(f) : HTML_ROWS;
    struct buf cell;

    buf_init(&cell);
    buf_puts(out, "<table><thead><tr>");
    for (size_t c = 0; c < frame_cols(f); c++) {
        buf_puts(out, "<th>");
        put_html_text(out, frame_name(f, c), strlen(frame_name(f, c)));
        buf_puts(out, "</th>");
    }
    buf_puts(out, "</tr></thead><tbody>\n");
    for (size_t i = 0; i < rows; i++) {
        buf_puts(out, "<tr>");
        for (size_t c = 0; c < frame_cols(f); c++) {
            buf_clear(&cell);
            column_print(frame_column(f, c), i, &cell);
            buf_puts(out, "<td>");
            put_html_text(out, cell.data, cell.len);
            buf_puts(out, "</td>");
        }
        buf_puts(out, "</tr>\n");
    }
    buf_printf(out, "</tbody></table>\n<p>%zu rows x %zu columns</p>\n",
               frame_rows(f), frame_cols(f));
    buf_fini(&cell);
}

static void
put_error(struct json_writer *w, const struct output *o)
{
    const char *end = strchr(o->text, '\n');

    put_string(w, "output_type", "error");
    put_string(w, "ename", "LuaError");
    json_name(w, "evalue");
    json_put_str(w, (struct str){o->text, end ? (size_t)(end - o->text)
                                              : strlen(o->text)});
    put_lines(w, "traceback", o->text, strlen(o->text));
}

static void
put_data(struct json_writer *w, const struct output *o)
{
    struct buf html;

    put_string(w, "output_type", "display_data");
    json_name(w, "data");
    json_open(w, '{');
    put_lines(w, "text/plain", o->text, strlen(o->text));
    if (o->frame) {
        buf_init(&html);
        put_html_table(&html, o->frame);
        put_lines(w, "text/html", html.data, html.len);
        buf_fini(&html);
    }
    json_close(w, '}');
    put_empty(w, "metadata");
}

static void
put_output(struct json_writer *w, const struct output *o)
{
    json_open(w, '{');
    if (o->kind == OUT_TEXT) {
        put_string(w, "output_type", "stream");
        put_string(w, "name", "stdout");
        put_lines(w, "text", o->text, strlen(o->text));
    } else if (o->kind == OUT_ERROR) {
        put_error(w, o);
    } else {
        put_data(w, o);
    }
    json_close(w, '}');
}

static void
put_cell(struct json_writer *w, const struct cell *c, size_t place)
{
    char hash[33], id[64];

    file_hash(c->source, c->len, hash);
    snprintf(id, sizeof id, "%.12s-%zu", hash, place);
    json_open(w, '{');
    put_string(w, "cell_type", c->kind == CELL_TEXT ? "markdown" : "code");
    put_string(w, "id", id);
    json_name(w, "metadata");
    json_open(w, '{');
    if (c->parameters) {
        json_name(w, "tags");
        json_open(w, '[');
        json_put_string(w, "parameters");
        json_close(w, ']');
    }
    if (*c->title)
        put_string(w, "title", c->title);
    json_close(w, '}');
    put_lines(w, "source", c->source, c->len);
    if (c->kind == CELL_CODE) {
        json_name(w, "execution_count");
        if (c->order)
            json_put_i64(w, c->order);
        else
            json_put_null(w);
        json_name(w, "outputs");
        json_open(w, '[');
        for (size_t i = 0; i < c->n_outputs; i++)
            put_output(w, &c->output[i]);
        json_close(w, ']');
    }
    json_close(w, '}');
}

static void
write_ipynb(const struct notebook *n, struct buf *out)
{
    struct json_writer w;

    json_writer_init(&w, out);
    json_open(&w, '{');
    json_name(&w, "cells");
    json_open(&w, '[');
    for (size_t i = 0; i < notebook_cells(n); i++)
        put_cell(&w, notebook_cell(n, i), i);
    json_close(&w, ']');
    json_name(&w, "metadata");
    json_open(&w, '{');
    json_name(&w, "kernelspec");
    json_open(&w, '{');
    put_string(&w, "name", "lua");
    put_string(&w, "display_name", "Lua (lathe)");
    put_string(&w, "language", "lua");
    json_close(&w, '}');
    json_name(&w, "language_info");
    json_open(&w, '{');
    put_string(&w, "name", "lua");
    put_string(&w, "version", "5.4");
    put_string(&w, "mimetype", "text/x-lua");
    put_string(&w, "file_extension", ".lua");
    json_close(&w, '}');
    json_close(&w, '}');
    json_name(&w, "nbformat");
    json_put_i64(&w, 4);
    json_name(&w, "nbformat_minor");
    json_put_i64(&w, 5);
    json_close(&w, '}');
    buf_putc(out, '\n');
}

/* ---- Markdown ---- */

/* A fence longer than any run of backticks inside. */
static void
put_fenced(struct buf *out, const char *language, const char *p, size_t n)
{
    size_t longest = 2, now = 0;

    for (size_t i = 0; i < n; i++) {
        now = p[i] == '`' ? now + 1 : 0;
        longest = now > longest ? now : longest;
    }
    buf_fill(out, '`', longest + 1);
    buf_printf(out, "%s\n", language);
    buf_add(out, p, n);
    if (n && p[n - 1] != '\n')
        buf_putc(out, '\n');
    buf_fill(out, '`', longest + 1);
    buf_puts(out, "\n\n");
}

static void
write_markdown(const struct notebook *n, struct buf *out)
{
    for (size_t i = 0; i < notebook_cells(n); i++) {
        const struct cell *c = notebook_cell(n, i);

        if (c->kind == CELL_TEXT) {
            buf_add(out, c->source, c->len);
            buf_puts(out, "\n\n");
            continue;
        }
        if (*c->title)
            buf_printf(out, "**%s**\n\n", c->title);
        put_fenced(out, "lua", c->source, c->len);
        for (size_t o = 0; o < c->n_outputs; o++)
            if (*c->output[o].text)
                put_fenced(out, "text", c->output[o].text,
                           strlen(c->output[o].text));
    }
}

/* ---- HTML ---- */

static const char html_head[] =
    "<style>\n"
    "body { font: 16px/1.5 sans-serif; max-width: 60em; margin: 2em auto; "
    "padding: 0 1em; color: #222; background: #fff }\n"
    "pre { font: 13px/1.35 monospace; overflow-x: auto; padding: .6em .8em; "
    "margin: .4em 0 }\n"
    "pre.code { background: #f3f4f6; border-left: 3px solid #4c78a8 }\n"
    "pre.error { color: #a40000 }\n"
    "table { border-collapse: collapse; font-size: 13px; display: block; "
    "overflow-x: auto }\n"
    "th, td { padding: .2em .6em; border-bottom: 1px solid #ddd; "
    "text-align: left; white-space: nowrap }\n"
    "@media (prefers-color-scheme: dark) { body { color: #ddd; background: "
    "#161616 } pre.code { background: #222 } pre.error { color: #ff8a80 } th, "
    "td { border-color: #333 } }\n"
    "</style>\n";

/* Headings, paragraphs and lists: what notebooks are written in. */
static void
put_html_markdown(struct buf *out, const char *p, size_t n)
{
    bool open = false, list = false;

    while (n) {
        const char *end = memchr(p, '\n', n);
        size_t len = end ? (size_t)(end - p) : n, level = 0;
        bool item = len > 2 && (*p == '-' || *p == '*') && p[1] == ' ';

        while (level < len && level < 6 && p[level] == '#')
            level++;
        if (level && !(level < len && p[level] == ' '))
            level = 0;
        if (open && (len == 0 || level || item)) {
            buf_puts(out, "</p>\n");
            open = false;
        }
        if (list && !item) {
            buf_puts(out, "</ul>\n");
            list = false;
        }
        if (level) {
            buf_printf(out, "<h%zu>", level);
            put_html_text(out, p + level + 1, len - level - 1);
            buf_printf(out, "</h%zu>\n", level);
        } else if (item) {
            buf_puts(out, list ? "<li>" : "<ul>\n<li>");
            put_html_text(out, p + 2, len - 2);
            buf_puts(out, "</li>\n");
            list = true;
        } else if (len) {
            buf_puts(out, open ? "\n" : "<p>");
            put_html_text(out, p, len);
            open = true;
        }
        p += len + (end != NULL);
        n -= len + (end != NULL);
    }
    buf_puts(out, open ? "</p>\n" : "");
    buf_puts(out, list ? "</ul>\n" : "");
}

static void
put_html_output(struct buf *out, const struct output *o)
{
    if (!*o->text)
        return;
    if (o->frame) {
        put_html_table(out, o->frame);
        return;
    }
    buf_printf(out, "<pre%s>", o->kind == OUT_ERROR ? " class=\"error\"" : "");
    put_html_text(out, o->text, strlen(o->text));
    buf_puts(out, "</pre>\n");
}

static void
write_html(const struct notebook *n, struct buf *out)
{
    const char *name = file_base(notebook_path(n));

    buf_puts(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
                  "<meta charset=\"utf-8\">\n<title>");
    put_html_text(out, name, strlen(name));
    buf_puts(out, "</title>\n");
    buf_puts(out, html_head);
    buf_puts(out, "</head>\n<body>\n");
    for (size_t i = 0; i < notebook_cells(n); i++) {
        const struct cell *c = notebook_cell(n, i);

        if (c->kind == CELL_TEXT) {
            put_html_markdown(out, c->source, c->len);
            continue;
        }
        buf_puts(out, "<pre class=\"code\">");
        put_html_text(out, c->source, c->len);
        buf_puts(out, "</pre>\n");
        for (size_t o = 0; o < c->n_outputs; o++)
            put_html_output(out, &c->output[o]);
    }
    buf_puts(out, "</body>\n</html>\n");
}

static bool
ends_in(const char *path, const char *ending)
{
    size_t n = strlen(path), m = strlen(ending);

    return n > m && strcmp(path + n - m, ending) == 0;
}

bool
notebook_export(const struct notebook *n, const char *path, struct error *err)
{
    struct buf out;
    bool ok = true;

    buf_init(&out);
    if (ends_in(path, ".ipynb"))
        write_ipynb(n, &out);
    else if (ends_in(path, ".md"))
        write_markdown(n, &out);
    else if (ends_in(path, ".html"))
        write_html(n, &out);
    else
        ok = error_set(err, ERR_USAGE,
                       "%s: expected a name that ends in .ipynb, .md or .html",
                       path);
    ok = ok && buf_check(&out, err) &&
         file_replace(path, out.data, out.len, 0644, err);
    buf_fini(&out);
    return ok;
}

/* script/export.c -- a notebook with its outputs as .ipynb or .md;
 * export_html.c writes .html.
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
#include "script/export.h"
#include "script/notebook.h"
#include "session/plot.h"

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
        export_html_table(&html, o->frame);
        put_lines(w, "text/html", html.data, html.len);
        buf_fini(&html);
    }
    if (o->svg) {
        buf_init(&html);
        plot_svg_alone(o->svg, &html);
        put_lines(w, "image/svg+xml", html.data, html.len);
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

static bool
ends_in(const char *path, const char *ending)
{
    size_t n = strlen(path), m = strlen(ending);

    return n > m && strcmp(path + n - m, ending) == 0;
}

bool
notebook_can_export(const char *path, struct error *err)
{
    if (ends_in(path, ".ipynb") || ends_in(path, ".md") ||
        ends_in(path, ".html"))
        return true;
    return error_set(err, ERR_USAGE,
                     "%s: expected a name that ends in .ipynb, .md or .html",
                     path);
}

bool
notebook_export(const struct notebook *n, const char *path, struct error *err)
{
    struct buf out;
    bool ok;

    if (!notebook_can_export(path, err))
        return false;
    buf_init(&out);
    if (ends_in(path, ".ipynb"))
        write_ipynb(n, &out);
    else if (ends_in(path, ".md"))
        write_markdown(n, &out);
    else
        export_html(n, &out);
    ok = buf_check(&out, err) &&
         file_replace(path, out.data, out.len, 0644, err);
    buf_fini(&out);
    return ok;
}

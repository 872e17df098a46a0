/* script/keep.c -- outputs of cells on disk.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "script/keep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"

struct keep {
    char *dir, *path;
    struct buf json;
};

static const char *const state_words[] = {"idle",   "queued", "running",
                                          "passed", "failed", "stopped"};
static const char *const kind_words[] = {
    "text", "table", "profile", "run", "model", "evaluation", "chart", "error"};
enum { N_KINDS = sizeof kind_words / sizeof *kind_words };

/* Notebooks are told apart by their whole path. */
static char *
folder(const char *lathe_dir, const char *notebook)
{
    char hash[33], *full = realpath(notebook, NULL);
    char *outputs = file_join(lathe_dir, "outputs"), *dir;

    file_hash(full ? full : notebook, strlen(full ? full : notebook), hash);
    dir = file_join(outputs, hash);
    free(outputs);
    free(full);
    return dir;
}

static char *
file_of(const char *dir, const char *key)
{
    char name[64];

    snprintf(name, sizeof name, "%.50s.json", key);
    return file_join(dir, name);
}

static void
put_output(struct json_writer *w, const struct output *o)
{
    json_open(w, '{');
    json_name(w, "kind");
    json_put_string(w, kind_words[o->kind]);
    json_name(w, "text");
    json_put_string(w, o->text);
    json_name(w, "json");
    json_put_string(w, o->json);
    json_name(w, "run");
    json_put_string(w, o->run);
    json_name(w, "svg");
    json_put_string(w, o->svg);
    json_close(w, '}');
}

struct keep *
keep_new(const char *lathe_dir, const char *notebook, const char *key,
         const struct cell *c)
{
    struct keep *k = mem_new(sizeof *k);
    struct json_writer w;

    k->dir = folder(lathe_dir, notebook);
    k->path = file_of(k->dir, key);
    buf_init(&k->json);
    json_writer_init(&w, &k->json);
    json_open(&w, '{');
    json_name(&w, "notebook");
    json_put_string(&w, notebook);
    json_name(&w, "state");
    json_put_string(&w, state_words[c->state]);
    json_name(&w, "order");
    json_put_i64(&w, c->order);
    json_name(&w, "start_ms");
    json_put_i64(&w, c->start_ms);
    json_name(&w, "end_ms");
    json_put_i64(&w, c->end_ms);
    json_name(&w, "error");
    json_put_string(&w, c->error.message);
    json_name(&w, "error_line");
    json_put_i64(&w, c->error_line);
    json_name(&w, "outputs");
    json_open(&w, '[');
    for (size_t i = 0; i < c->n_outputs; i++)
        put_output(&w, &c->output[i]);
    json_close(&w, ']');
    json_close(&w, '}');
    return k;
}

bool
keep_write(struct keep *k, struct error *err)
{
    return buf_check(&k->json, err) && file_make_dirs(k->dir, 0755, err) &&
           file_replace(k->path, k->json.data, k->json.len, 0644, err);
}

void
keep_free(struct keep *k)
{
    if (!k)
        return;
    buf_fini(&k->json);
    free(k->dir);
    free(k->path);
    free(k);
}

static size_t
word_index(const char *word, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(word, words[i]) == 0)
            return i;
    return 0;
}

static char *
optional_text(const struct json *o, const char *key)
{
    const struct json *v = json_find(o, key);

    return v && json_type(v) == JSON_STRING ? mem_text(json_string(v)) : NULL;
}

static bool
get_output(const struct json *v, struct output *o, struct error *err)
{
    const char *kind, *text;

    if (json_type(v) != JSON_OBJECT ||
        !json_get_string(v, "kind", &kind, err) ||
        !json_get_string(v, "text", &text, err))
        return false;
    *o = (struct output){
        .kind = (enum output_kind)word_index(kind, kind_words, N_KINDS),
        .text = mem_text(text),
        .json = optional_text(v, "json"),
        .run = optional_text(v, "run"),
        .svg = optional_text(v, "svg")};
    return true;
}

static bool
get_cell(const struct json *root, struct cell *c, struct error *err)
{
    const struct json *outputs;
    const char *state, *message;
    int64_t order, line;

    if (json_type(root) != JSON_OBJECT ||
        !json_get_string(root, "state", &state, err) ||
        !json_get_string(root, "error", &message, err) ||
        !json_get_i64(root, "order", &order, err) ||
        !json_get_i64(root, "error_line", &line, err) ||
        !json_get_i64(root, "start_ms", &c->start_ms, err) ||
        !json_get_i64(root, "end_ms", &c->end_ms, err) ||
        !json_get_array(root, "outputs", &outputs, err))
        return false;
    c->state = (enum cell_state)word_index(state, state_words, 6);
    c->order = order > 0 && order < 1000000000 ? (unsigned)order : 0;
    c->error_line = line > 0 && line < 1000000000 ? (int)line : 0;
    if (*message)
        error_set(&c->error, ERR_STATE, "%s", message);
    free(c->output); /* room that no output has used */
    c->output = mem_new((json_len(outputs) + 1) * sizeof *c->output);
    for (const struct json *v = json_first(outputs); v; v = json_next(v))
        if (get_output(v, &c->output[c->n_outputs], err))
            c->n_outputs++;
    return true;
}

bool
keep_load(const char *lathe_dir, const char *notebook, const char *key,
          struct cell *c)
{
    char *dir = folder(lathe_dir, notebook), *path = file_of(dir, key);
    struct json *root = NULL;
    struct error err;
    struct buf b;
    bool ok;

    buf_init(&b);
    ok = file_read(path, (size_t)16 << 20, &b, &err) &&
         (root = json_parse((struct str){b.data, b.len}, &err)) &&
         get_cell(root, c, &err);
    json_free(root);
    buf_fini(&b);
    free(path);
    free(dir);
    return ok;
}

/* engine/model_fit_key.c -- which fit a checkpoint is of.
 *
 * A hash of all that decides about the result: rows, parameters, seed and
 * options.  What it cannot know is a loss that the caller computes.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/file.h"
#include "engine/model_fit.h"

static void
put_texts(struct json_writer *w, const char *name, const char *const *list)
{
    json_name(w, name);
    json_open(w, '[');
    for (; list && *list; list++)
        json_put_string(w, *list);
    json_close(w, ']');
}

static bool
put_valid(const struct fit *f, struct json_writer *w, struct error *err)
{
    char print[33] = "";

    if (f->o->valid && !frame_fingerprint(f->o->valid, print, err))
        return false;
    json_name(w, "valid");
    json_put_string(w, print);
    json_name(w, "valid_share");
    json_put_double(w, f->o->valid_share);
    return true;
}

/* The model that it goes on from. */
static bool
put_init(const struct fit *f, struct json_writer *w, struct error *err)
{
    char print[33] = "";
    struct buf file;
    bool ok = true;

    buf_init(&file);
    if (f->o->init && (ok = model_save(f->o->init, &file, err)))
        file_hash(file.data, file.len, print);
    buf_fini(&file);
    json_name(w, "init");
    json_put_string(w, print);
    return ok;
}

/* What keeps rows aside. */
static void
put_finish(const struct finish_options *o, struct json_writer *w)
{
    json_name(w, "kept");
    json_put_double(w, finish_wanted(o) && !o->rows
                           ? (o->share > 0 ? o->share : FINISH_SHARE)
                           : 0);
}

static void
put_options(const struct fit *f, struct json_writer *w)
{
    const struct model_options *o = f->o;
    const struct {
        const char *name, *text;
    } texts[] = {
        {"family", f->family->name}, {"target", f->target},
        {"rows", f->m->fingerprint}, {"stop", o->stop},
        {"weight", o->weight},       {"group", o->group},
        {"offset", o->offset},
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        json_name(w, texts[i].name);
        json_put_string(w, texts[i].text);
    }
    if (o->positive) {
        json_name(w, "positive");
        json_put_string(w, o->positive);
    }
    put_texts(w, "metrics", o->metrics);
    put_texts(w, "drop", o->drop);
    put_texts(w, "derive", o->derive);
    put_texts(w, "prepare", o->prepare);
    put_texts(w, "class_weight", o->class_weight);
    put_finish(&o->finish, w);
    json_name(w, "patience");
    json_put_i64(w, model_fit_patience(f));
    json_name(w, "problem");
    json_put_i64(w, (int64_t)f->m->like.problem);
    json_name(w, "seed");
    json_put_i64(w, (int64_t)f->ctx->seed);
    json_name(w, "streamed");
    json_put_bool(w, f->feed != NULL);
    json_name(w, "params");
    params_json(f->params, w);
}

bool
model_fit_key(const struct fit *f, char key[33], struct buf *of,
              struct error *err)
{
    struct json_writer w;
    bool ok;

    json_writer_init(&w, of);
    json_open(&w, '{');
    put_options(f, &w);
    ok = put_valid(f, &w, err) && put_init(f, &w, err);
    json_close(&w, '}');
    if (ok && (ok = buf_check(of, err)))
        file_hash(of->data, of->len, key);
    return ok;
}

/* engine/model_file.c -- a model as a file and back.
 *
 * The manifest is one JSON object; numbers that are many are tensors.  Nothing
 * is trusted on the way back: each part checks what it reads against the parts
 * before it.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/model_state.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/source.h"

enum { FORMAT = 1 };

/* ---- saving ---- */

static void
target_json(const struct model *m, struct json_writer *w)
{
    json_name(w, "problem");
    json_put_string(w, problem_word(m->like.problem));
    json_name(w, "target");
    json_put_string(w, m->target);
    json_name(w, "classes");
    json_open(w, '[');
    for (size_t c = 0; c < m->like.n_classes; c++)
        json_put_string(w, m->like.classes[c]);
    json_close(w, ']');
    if (m->weight) {
        json_name(w, "weight");
        json_put_string(w, m->weight);
    }
    if (m->group) {
        json_name(w, "group");
        json_put_string(w, m->group);
    }
    if (m->offset) {
        json_name(w, "offset");
        json_put_string(w, m->offset);
    }
}

void
model_put_lineage(const struct model *m, struct json_writer *w)
{
    char seed[32];

    /* A text: JSON numbers end at 2^53. */
    snprintf(seed, sizeof seed, "%" PRIu64, m->seed);
    json_name(w, "params");
    json_put_raw(w, m->params);
    json_name(w, "seed");
    json_put_string(w, seed);
    json_name(w, "fingerprint");
    json_put_string(w, m->fingerprint);
    json_name(w, "train_rows");
    json_put_i64(w, (int64_t)m->n_train);
    json_name(w, "valid_rows");
    json_put_i64(w, (int64_t)m->n_valid);
    if (m->n_scored) {
        json_name(w, "scored_rows"); /* learnt from before the refit */
        json_put_i64(w, (int64_t)m->n_scored);
    }
    json_name(w, "valid_metrics");
    if (m->metrics)
        json_put_raw(w, m->metrics);
    else
        json_put_null(w);
}

static void
baselines_json(const struct model *m, struct json_writer *w)
{
    size_t n;

    (void)model_baselines(m, &n);
    json_name(w, "baselines");
    json_open(w, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(w, '{');
        json_name(w, "bins");
        json_put_i64(w, (int64_t)m->baseline[i].n_bins);
        json_name(w, "missing");
        json_put_double(w, m->baseline[i].missing);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void
manifest_json(const struct model *m, struct st_writer *st, struct buf *out)
{
    struct json_writer w;

    json_writer_init(&w, out);
    json_open(&w, '{');
    json_name(&w, "format");
    json_put_i64(&w, FORMAT);
    json_name(&w, "kind");
    json_put_string(&w, m->family->name);
    json_name(&w, "build");
    json_put_string(&w, PACKAGE_NAME " " PACKAGE_VERSION);
    target_json(m, &w);
    model_put_lineage(m, &w);
    json_name(&w, "prepare");
    prepare_json(m->prepare, &w);
    baselines_json(m, &w);
    if (m->finish.n) {
        json_name(&w, "finish");
        json_open(&w, '{');
        finish_save(&m->finish, st, &w);
        json_close(&w, '}');
    }
    json_name(&w, "learner");
    json_open(&w, '{');
    m->family->save(m->learner, st, &w);
    json_close(&w, '}');
    json_close(&w, '}');
}

bool
model_save(const struct model *m, struct buf *out, struct error *err)
{
    struct st_writer *st = st_writer_new();
    struct buf manifest;
    bool ok;

    buf_init(&manifest);
    manifest_json(m, st, &manifest);
    st_add1(st, "baseline.cuts", ST_F64, m->n_cuts, m->cuts);
    st_add1(st, "baseline.share", ST_F64, m->n_shares, m->share);
    st_manifest(st, manifest.data);
    ok = buf_check(&manifest, err) && st_write(st, out, err);
    buf_fini(&manifest);
    st_writer_free(st);
    return ok;
}

/* ---- loading ---- */

static bool
text_copy(const struct json *o, const char *key, char **out, struct error *err)
{
    const char *text;

    return json_get_string(o, key, &text, err) &&
           (*out = mem_try_text(text, strlen(text), err));
}

static bool
count_read(const struct json *o, const char *key, size_t *out,
           struct error *err)
{
    int64_t v;

    if (!json_get_i64(o, key, &v, err))
        return false;
    if (v < 0 || v > UINT32_MAX)
        return error_set(err, ERR_CORRUPT, "%s is %" PRId64, key, v);
    *out = (size_t)v;
    return true;
}

static bool
classes_read(const struct json *o, struct target *t, struct error *err)
{
    const struct json *a;
    size_t n;

    if (!json_get_array(o, "classes", &a, err))
        return false;
    n = json_len(a);
    if (problem_has_classes(t->problem) != (n > 0) || n == 1 ||
        (t->problem == PROBLEM_BINARY && n != 2) || n > TARGET_MAX_CLASSES)
        return error_set(err, ERR_CORRUPT, "%zu classes for a %s target", n,
                         problem_word(t->problem));
    if (n && !(t->classes = mem_try_array(n, sizeof *t->classes, err)))
        return false;
    for (const struct json *v = json_first(a); v; v = json_next(v)) {
        const char *text;

        if (json_type(v) != JSON_STRING)
            return error_set(err, ERR_CORRUPT, "a class is %s",
                             json_type_word(v));
        text = json_string(v);
        if (!(t->classes[t->n_classes] = mem_try_text(text, strlen(text), err)))
            return false;
        t->n_classes++;
    }
    return true;
}

static bool
columns_read(const struct json *o, struct model *m, struct error *err)
{
    return (!json_find(o, "weight") ||
            text_copy(o, "weight", &m->weight, err)) &&
           (!json_find(o, "group") || text_copy(o, "group", &m->group, err)) &&
           (!json_find(o, "offset") || text_copy(o, "offset", &m->offset, err));
}

static bool
target_read(const struct json *o, struct model *m, struct error *err)
{
    const char *word;

    if (!json_get_string(o, "problem", &word, err))
        return false;
    for (int p = 0; p < N_PROBLEMS; p++)
        if (strcmp(word, problem_word((enum problem)p)) == 0) {
            m->like.problem = (enum problem)p;
            if (!(m->family->problems & 1u << p))
                return error_set(err, ERR_CORRUPT,
                                 "%s does not learn a %s target",
                                 m->family->name, word);
            return (p == PROBLEM_NONE ||
                    text_copy(o, "target", &m->target, err)) &&
                   classes_read(o, &m->like, err) && columns_read(o, m, err);
        }
    return error_set(err, ERR_CORRUPT, "problem '%.16s' is not known", word);
}

static bool
json_copy(const struct json *v, char **out, struct error *err)
{
    struct buf b;
    bool ok;

    buf_init(&b);
    json_print(&b, v);
    if ((ok = buf_check(&b, err)))
        *out = buf_take(&b);
    buf_fini(&b);
    return ok;
}

static bool
seed_read(const struct json *o, uint64_t *out, struct error *err)
{
    const char *text;
    char *end;

    if (!json_get_string(o, "seed", &text, err))
        return false;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return (*text >= '0' && *text <= '9' && !*end && errno == 0) ||
           error_set(err, ERR_CORRUPT, "seed is '%.32s'", text);
}

static bool
lineage_read(const struct json *o, struct model *m, struct error *err)
{
    const struct json *params, *metrics = json_find(o, "valid_metrics");
    const char *fingerprint;

    if (!json_get_object(o, "params", &params, err) ||
        !json_copy(params, &m->params, err) || !seed_read(o, &m->seed, err) ||
        !json_get_string(o, "fingerprint", &fingerprint, err) ||
        !count_read(o, "train_rows", &m->n_train, err) ||
        !count_read(o, "valid_rows", &m->n_valid, err) ||
        (json_find(o, "scored_rows") &&
         !count_read(o, "scored_rows", &m->n_scored, err)))
        return false;
    if (strlen(fingerprint) >= sizeof m->fingerprint)
        return error_set(err, ERR_CORRUPT, "fingerprint is '%.64s'",
                         fingerprint);
    memcpy(m->fingerprint, fingerprint, strlen(fingerprint) + 1);
    return !metrics || json_type(metrics) != JSON_OBJECT ||
           json_copy(metrics, &m->metrics, err);
}

static bool
doubles_read(const struct st_file *f, const char *name, double *out, size_t n,
             struct error *err)
{
    struct st_tensor t;

    if (!st_need(f, name, ST_F64, (int64_t)n, &t, err))
        return false;
    if (n)
        memcpy(out, t.data, n * sizeof *out);
    return true;
}

static bool
baseline_check(const struct baseline *b, struct error *err)
{
    for (size_t i = 0; i < b->n_bins; i++)
        if (!(b->share[i] >= 0 && b->share[i] <= 1 + 1e-9))
            return error_set(err, ERR_CORRUPT,
                             "column '%s' has a bad share in its baseline",
                             b->name);
    for (size_t i = 0; !b->category && i + 1 < b->n_bins; i++)
        if (isnan(b->cuts[i]) || (i > 0 && !(b->cuts[i - 1] < b->cuts[i])))
            return error_set(err, ERR_CORRUPT,
                             "column '%s' has bad cuts in its baseline",
                             b->name);
    return true;
}

/* How many bins each input has; the sums are the tensors' sizes. */
static bool
bins_read(const struct json *a, const struct input *in, size_t n,
          size_t *n_bins, double *missing, size_t *n_cuts, size_t *n_shares,
          struct error *err)
{
    const struct json *v = json_first(a);

    if (json_len(a) != n)
        return error_set(err, ERR_CORRUPT, "%zu baselines for %zu inputs",
                         json_len(a), n);
    for (size_t i = 0; i < n; i++, v = json_next(v)) {
        bool text = in[i].type == COL_TEXT;

        if (json_type(v) != JSON_OBJECT)
            return error_set(err, ERR_CORRUPT, "a baseline is %s",
                             json_type_word(v));
        if (!count_read(v, "bins", &n_bins[i], err) ||
            !json_get_double(v, "missing", &missing[i], err))
            return false;
        if (n_bins[i] == 0 || (text && n_bins[i] != in[i].n_levels + 1) ||
            !(missing[i] >= 0 && missing[i] <= 1))
            return error_set(err, ERR_CORRUPT,
                             "the baseline of column '%s' has %zu bins",
                             in[i].name, n_bins[i]);
        *n_cuts += text ? 0 : n_bins[i] - 1;
        *n_shares += n_bins[i];
    }
    return true;
}

static bool
baselines_fill(struct model *m, const size_t *n_bins, const double *missing,
               size_t n, struct error *err)
{
    const double *cuts = m->cuts, *share = m->share;

    if (!doubles_read(m->file, "baseline.cuts", m->cuts, m->n_cuts, err) ||
        !doubles_read(m->file, "baseline.share", m->share, m->n_shares, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        struct baseline *b = &m->baseline[i];

        b->n_bins = n_bins[i];
        b->missing = missing[i];
        b->cuts = cuts;
        b->share = share;
        if (!baseline_check(b, err))
            return false;
        cuts += b->category ? 0 : n_bins[i] - 1;
        share += n_bins[i];
    }
    return true;
}

static bool
baselines_read(const struct json *o, struct model *m, struct error *err)
{
    size_t n, n_cuts = 0, n_shares = 0;
    const struct input *in = model_inputs(m, &n);
    size_t *n_bins = mem_try_array(n, sizeof *n_bins, err);
    double *missing = mem_try_array(n, sizeof *missing, err);
    const struct json *a;
    bool ok;

    /* The tensors are looked up before memory is taken for them, so that a
     * small file cannot ask for much. */
    ok = n_bins && missing && json_get_array(o, "baselines", &a, err);
    if (ok && json_len(a) == 0 && m->n_train == 0)
        goto out; /* it was not learnt here */
    ok = ok && bins_read(a, in, n, n_bins, missing, &n_cuts, &n_shares, err);
    if (ok) {
        struct st_tensor t;

        ok = st_need(m->file, "baseline.cuts", ST_F64, (int64_t)n_cuts, &t,
                     err) &&
             st_need(m->file, "baseline.share", ST_F64, (int64_t)n_shares, &t,
                     err) &&
             model_baselines_init(m, n_cuts, n_shares, err) &&
             baselines_fill(m, n_bins, missing, n, err);
    }
out:
    free(n_bins);
    free(missing);
    return ok;
}

static bool
finish_read(const struct json *o, struct model *m, struct error *err)
{
    const struct json *v;

    if (!json_find(o, "finish"))
        return true;
    return json_get_object(o, "finish", &v, err) &&
           finish_load(v, m->file, model_width(m), m->like.n_classes,
                       &m->finish, err);
}

static bool
manifest_read(const struct json *o, struct model *m, struct error *err)
{
    const struct json *prepare, *learner;

    if (!target_read(o, m, err) || !lineage_read(o, m, err) ||
        !json_get_object(o, "prepare", &prepare, err) ||
        !json_get_object(o, "learner", &learner, err) ||
        !(m->prepare = prepare_from_json(prepare, err)) ||
        !(prepare_cols(m->prepare) > 0 || m->family->columns ||
          error_set(err, ERR_CORRUPT, "no column to learn from")) ||
        !baselines_read(o, m, err))
        return false;
    m->learner = m->family->load(m->file, learner, prepare_cols(m->prepare),
                                 m->like.problem, m->like.n_classes, err);
    return m->learner && finish_read(o, m, err);
}

static const struct family *
kind_read(const struct json *o, family_find_fn *find, struct error *err)
{
    const struct family *family;
    const char *kind;
    int64_t format;

    if (!json_get_i64(o, "format", &format, err) ||
        !json_get_string(o, "kind", &kind, err))
        return NULL;
    if (format != FORMAT) {
        error_set(err, ERR_NOTFOUND, "format %" PRId64 ", this lathe reads %d",
                  format, FORMAT);
        return NULL;
    }
    if (!(family = find(kind)))
        error_set(err, ERR_NOTFOUND, "a model of kind '%.32s' is not known",
                  kind);
    return family;
}

static struct json *
manifest_parse(const struct st_file *f, struct error *err)
{
    const char *text = st_get_manifest(f);
    struct json *v;

    if (!text) {
        error_set(err, ERR_CORRUPT, "no manifest: not a lathe model");
        return NULL;
    }
    v = json_parse(str_of(text), err);
    if (v && json_type(v) != JSON_OBJECT) {
        error_set(err, ERR_CORRUPT, "the manifest is %s", json_type_word(v));
        json_free(v);
        return NULL;
    }
    return v;
}

struct model *
model_parse(struct str bytes, family_find_fn *find, struct error *err)
{
    struct st_file *f = st_parse(bytes, err);
    struct json *o = f ? manifest_parse(f, err) : NULL;
    const struct family *family = o ? kind_read(o, find, err) : NULL;
    struct model *m = family ? model_new(family, err) : NULL;

    if (m) {
        m->file = f;
        f = NULL;
        if (!manifest_read(o, m, err)) {
            model_unref(m);
            m = NULL;
        }
    }
    json_free(o);
    st_free(f);
    /* A wrong type or a missing key is damage, not a mistake of the caller. */
    if (!m && err->code != ERR_NOMEM && (family || err->code != ERR_NOTFOUND))
        err->code = ERR_CORRUPT;
    return m;
}

struct model *
model_open(const char *path, family_find_fn *find, struct error *err)
{
    struct file_map map;
    struct model *m;

    if (!file_map_open(&map, path, NULL, err))
        return NULL;
    m = model_parse((struct str){map.data, map.len}, find, err);
    if (m) {
        m->map = map;
        m->mapped = true;
        return m;
    }
    file_map_close(&map);
    if (err->code == ERR_CORRUPT && source_is_table(path))
        error_set(err, ERR_CORRUPT, "a table, where a model is expected");
    error_prefix(err, "%s: ", path);
    return NULL;
}

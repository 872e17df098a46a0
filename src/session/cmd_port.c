/* session/cmd_port.c -- models from other programs, and to them.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "engine/port/port.h"
#include "session/cmd.h"
#include "session/enrol.h"

/* ---- export ---- */

struct exported {
    const char *path;
    size_t len;
    struct port_report report;
};

static void
tell_export(struct call *c, enum port_format f, const struct exported *x,
            struct json_writer *w)
{
    char bytes[STR_F64_MAX], rows[STR_F64_MAX];

    str_from_count(x->len, bytes);
    str_from_count(x->report.n_rows, rows);
    if (!w) {
        buf_spelt(call_out(c), x->path, false);
        buf_printf(call_out(c), ": %s, %s bytes; %s", port_format_title(f),
                   bytes, x->report.check);
        if (x->report.n_rows)
            buf_printf(call_out(c), ", %s rows differ by %.2g at most", rows,
                       x->report.worst);
        buf_putc(call_out(c), '\n');
        buf_spelt(call_out(c), x->report.notes.data, true);
        return;
    }
    json_open(w, '{');
    json_name(w, "format");
    json_put_string(w, port_format_name(f));
    json_name(w, "out");
    json_put_string(w, x->path);
    json_name(w, "bytes");
    json_put_i64(w, (int64_t)x->len);
    json_name(w, "check");
    json_put_string(w, x->report.check);
    json_name(w, "rows");
    json_put_i64(w, (int64_t)x->report.n_rows);
    json_name(w, "worst");
    json_put_double(w, x->report.worst);
    json_name(w, "notes");
    json_put_string(w, x->report.notes.data);
    json_close(w, '}');
}

struct exporting {
    const struct model *m;
    struct task *t;
    struct call *c;
    struct json_writer *w; /* NULL: lines */
    unsigned asked, failed;
};

/* A file that is not written, of several. */
static void
tell_failure(struct exporting *e, enum port_format f, const char *path,
             const struct error *why)
{
    e->failed++;
    session_message(task_session(e->t), MESSAGE_WARN, "%s", why->message);
    if (!e->w)
        return;
    json_open(e->w, '{');
    json_name(e->w, "format");
    json_put_string(e->w, port_format_name(f));
    json_name(e->w, "out");
    json_put_string(e->w, path);
    json_name(e->w, "error");
    json_put_string(e->w, why->message);
    json_close(e->w, '}');
}

/* A format that cannot hold the model does not keep others from being
 * written. */
static bool
export_one(struct exporting *e, enum port_format f, struct error *err)
{
    struct exported x = {.path = call_text(e->c, port_format_name(f))};
    struct port_export o = {.format = f,
                            .onnx_ml = atoi(call_text(e->c, "onnx-ml")),
                            .name = call_text(e->c, "prefix")};
    struct error why;
    bool ok;

    if (!x.path)
        return true;
    ok =
        port_save(e->m, &o, x.path, task_pool(e->t), &x.len, &x.report, &why) ||
        error_prefix(&why, "%s: ", x.path);
    if (ok)
        tell_export(e->c, f, &x, e->w);
    port_report_fini(&x.report);
    if (!ok && (e->asked == 1 || why.code == ERR_CANCELLED)) {
        *err = why;
        return false;
    }
    if (!ok)
        tell_failure(e, f, x.path, &why);
    return cmd_goes_on(e->t, err);
}

static bool
export_all(struct exporting *e, struct error *err)
{
    bool ok = true;

    for (int f = 0; f < PORT_N_FORMATS && ok; f++)
        ok = export_one(e, (enum port_format)f, err);
    if (ok && e->failed)
        error_set(err, ERR_TYPE, "export: %u of %u files not written",
                  e->failed, e->asked);
    return ok;
}

bool
cmd_export(struct session *s, struct task *t, struct call *c, struct error *err)
{
    struct model *m = cmd_open_model(s, call_text(c, "model"), NULL, err);
    struct json_writer w;
    struct exporting e = {m, t, c, call_json(c) ? &w : NULL, 0, 0};
    bool ok = m != NULL;

    for (int f = 0; f < PORT_N_FORMATS; f++)
        e.asked += call_text(c, port_format_name((enum port_format)f)) != NULL;
    if (ok && e.asked == 0)
        ok = error_set(err, ERR_USAGE,
                       "export: no format, expected --onnx, --lightgbm, "
                       "--xgboost, --c or --pmml FILE");
    if (ok && e.w) {
        cmd_json(c, &w);
        json_open(&w, '[');
    }
    ok = ok && export_all(&e, err);
    if (ok && e.w) {
        json_close(&w, ']');
        cmd_json_end(c);
    }
    model_unref(m);
    return ok && !e.failed;
}

/* ---- import ---- */

/* The values of a repeated option, each perhaps several with commas; a
 * NULL-ended list in one block, which the caller frees.  NULL: none. */
static char **
names_of(const struct call *c, const char *option)
{
    size_t n = call_count(c, option), len = 0, k = 1, at = 0;
    char **list, *text;

    for (size_t i = 0; i < n; i++) {
        const char *s = call_nth(c, option, i);

        len += strlen(s) + 1;
        for (; *s; s++)
            k += *s == ',';
        k++;
    }
    if (n == 0)
        return NULL;
    list = mem_new(k * sizeof *list + len);
    text = (char *)(list + k);
    for (size_t i = 0; i < n; i++)
        for (const char *s = call_nth(c, option, i); s;) {
            size_t m = strcspn(s, ",");

            list[at++] = text;
            memcpy(text, s, m);
            text[m] = '\0';
            text += m + 1;
            s = s[m] ? s + m + 1 : NULL;
        }
    list[at] = NULL;
    return list;
}

static struct model *
read_foreign(const struct call *c, struct task *t, struct error *err)
{
    const char *path = call_text(c, "file");
    char **classes = names_of(c, "classes"), **columns = names_of(c, "columns");
    struct port_import o = {.target = call_text(c, "target"),
                            .classes = (const char *const *)classes,
                            .columns = (const char *const *)columns,
                            .activation = call_text(c, "activation"),
                            .stop = task_progress(t)};
    struct file_map map;
    struct model *m = NULL;

    if (file_map_open(&map, path, task_progress(t), err)) {
        m = port_read((struct str){map.data, map.len}, &o, err);
        if (m && !file_map_whole(&map, err)) {
            model_unref(m);
            m = NULL;
        }
        file_map_close(&map);
        if (!m)
            error_prefix(err, "%s: ", path);
    }
    free(classes);
    free(columns);
    return m;
}

static void
tell_import(struct call *c, const struct model *m, const struct version *v)
{
    struct json_writer w;

    if (!call_json(c)) {
        model_print(m, call_out(c));
        if (v)
            buf_printf(call_out(c), "registered as %s/%lld\n", v->model,
                       (long long)v->number);
        return;
    }
    cmd_json(c, &w);
    json_open(&w, '{');
    json_name(&w, "version");
    if (v)
        json_put_i64(&w, v->number);
    else
        json_put_null(&w);
    json_name(&w, "model");
    model_card_json(m, &w);
    json_close(&w, '}');
    cmd_json_end(c);
}

bool
cmd_import(struct session *s, struct task *t, struct call *c, struct error *err)
{
    const char *out = call_text(c, "out"), *name = call_text(c, "register");
    struct model *m = read_foreign(c, t, err);
    struct version v;
    struct buf file;
    bool ok = m && cmd_goes_on(t, err);

    buf_init(&file);
    if (ok && out)
        ok = model_save(m, &file, err) &&
             file_replace(out, file.data, file.len, 0644, err);
    if (ok && name)
        ok = enrol_model(s, name, m, NULL, NULL, NULL, &v, err);
    if (ok) {
        tell_import(c, m, name ? &v : NULL);
        if (!out && !name && !call_json(c))
            buf_puts(call_out(c),
                     "not kept: --out writes a file, --register a version\n");
    }
    if (ok && name)
        version_fini(&v);
    buf_fini(&file);
    model_unref(m);
    return ok;
}

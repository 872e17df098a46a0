/* session/cmd_models.c -- what families of models there are, and their
 * parameters, out of the tables that the parser reads.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <string.h>

#include "session/cmd.h"

/* "classes and numbers", "classes", "numbers", "no target" */
static const char *
targets_of(const struct family *f)
{
    unsigned classes = 1u << PROBLEM_BINARY | 1u << PROBLEM_MULTICLASS;
    bool numbers = f->problems & 1u << PROBLEM_REGRESSION;

    if (f->problems & 1u << PROBLEM_NONE)
        return "no target";
    if (!(f->problems & classes))
        return "numbers";
    return numbers ? "classes and numbers" : "classes";
}

/* ---- the families ---- */

static void
families_json(struct call *c)
{
    struct json_writer w;
    size_t n;
    const struct family *const *table = family_table(&n);

    cmd_json(c, &w);
    json_open(&w, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(&w, '{');
        json_name(&w, "name");
        json_put_string(&w, table[i]->name);
        json_name(&w, "title");
        json_put_string(&w, table[i]->title);
        json_name(&w, "targets");
        json_put_string(&w, targets_of(table[i]));
        json_close(&w, '}');
    }
    json_close(&w, ']');
    cmd_json_end(c);
}

static void
put_families(struct call *c)
{
    static const char *const titles[] = {"family", "targets", "what it is",
                                         NULL};
    struct listing *l = listing_new(titles);
    size_t n;
    const struct family *const *table = family_table(&n);

    for (size_t i = 0; i < n; i++) {
        listing_add(l, table[i]->name);
        listing_add(l, targets_of(table[i]));
        listing_add(l, table[i]->title);
    }
    listing_print(l, call_list_width(c), call_out(c));
    listing_free(l);
    buf_puts(call_out(c),
             "\nlathe models FAMILY lists the parameters of one\n");
}

/* ---- the parameters of one ---- */

static const char *
type_word(enum param_type type)
{
    static const char *const words[] = {"int", "float", "bool", "text",
                                        "choice"};

    return words[type];
}

static void
put_bound(struct json_writer *w, const char *name, const struct param *p,
          double x)
{
    bool number = p->type == PARAM_INT || p->type == PARAM_FLOAT;

    json_name(w, name);
    if (number && isfinite(x))
        json_put_double(w, x);
    else
        json_put_null(w);
}

static void
params_table_json(const struct family *f, struct call *c)
{
    struct json_writer w;

    cmd_json(c, &w);
    json_open(&w, '[');
    for (const struct param *p = f->params; p->name; p++) {
        json_open(&w, '{');
        json_name(&w, "name");
        json_put_string(&w, p->name);
        json_name(&w, "type");
        json_put_string(&w, type_word(p->type));
        json_name(&w, "default");
        json_put_string(&w, p->fallback);
        put_bound(&w, "min", p, p->min);
        put_bound(&w, "max", p, p->max);
        json_name(&w, "choices");
        json_put_string(&w, p->choices);
        json_name(&w, "help");
        json_put_string(&w, p->help);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    cmd_json_end(c);
}

/* "rounds of boosting, at most (a whole number from 1 to 100000; default 5)" */
static void
put_param(const struct param *p, size_t wide, struct call *c)
{
    struct buf text;

    buf_init(&text);
    buf_printf(&text, "%s (", p->help);
    param_values(p, &text);
    if (p->fallback)
        buf_printf(&text, "; default %s)", p->fallback);
    else
        buf_puts(&text, p->type == PARAM_TEXT ? "; default none)"
                                              : "; default by the table)");
    buf_printf(call_out(c), "  %-*s  ", (int)wide, p->name);
    command_put_words(call_out(c), text.data, wide + 4, wide + 4,
                      call_width(c));
    buf_putc(call_out(c), '\n');
    buf_fini(&text);
}

static void
put_params(const struct family *f, struct call *c)
{
    size_t wide = 0;

    for (const struct param *p = f->params; p->name; p++)
        wide = strlen(p->name) > wide ? strlen(p->name) : wide;
    buf_printf(call_out(c), "%s: %s, of %s\n", f->name, f->title,
               targets_of(f));
    for (const struct param *p = f->params; p->name; p++)
        put_param(p, wide, c);
}

bool
cmd_models(struct session *s, struct task *t, struct call *c, struct error *err)
{
    const char *name = call_text(c, "family");
    const struct family *f = name ? family_need(name, err) : NULL;

    (void)s;
    (void)t;
    if (name && !f)
        return false;
    if (!f && call_json(c))
        families_json(c);
    else if (!f)
        put_families(c);
    else if (call_json(c))
        params_table_json(f, c);
    else
        put_params(f, c);
    return true;
}

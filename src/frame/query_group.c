/* Groups and their aggregates, from texts.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/aggregate.h"
#include "frame/expr.h"
#include "frame/query.h"
#include "frame/rowgroup.h"

struct wanted {
    struct aggregate_text text;
    struct column *values; /* what it is taken over; NULL for count() */
};

/* ---- reading "name = mean(price)" ------------------------------------ */

/* The "=" between name and call; not "==", and not one inside the call. */
static const char *
find_equals(const char *text)
{
    size_t n = strcspn(text, "=(");

    return text[n] == '=' && text[n + 1] != '=' ? text + n : NULL;
}

/* What stands between the parentheses.  What surrounds it is blanked out, so
 * that errors count columns from the start of the aggregate's text. */
static bool
read_value(struct aggregate_text *a, const char *text, size_t begin, size_t end,
           struct error *err)
{
    bool blank = true;

    if (!(a->value = mem_try_text(text, end, err)))
        return false;
    memset(a->value, ' ', begin);
    for (size_t i = begin; i < end; i++)
        blank = blank && isspace((unsigned char)a->value[i]);
    if (!blank)
        return true;
    free(a->value);
    a->value = NULL;
    return a->kind == AGG_COUNT ||
           error_set(err, ERR_PARSE, "%s() wants a value",
                     aggregate_word(a->kind));
}

bool
aggregate_text_read(const char *text, struct aggregate_text *a,
                    struct error *err)
{
    const char *equals = find_equals(text);
    const char *call = equals ? equals + 1 : text;
    const char *open = strchr(call, '(');
    size_t len = strlen(text);
    struct str name = str_trim(
        equals ? (struct str){text, (size_t)(equals - text)} : str_of(text));

    while (len > 0 && isspace((unsigned char)text[len - 1]))
        len--;
    if (!open || len == 0 || text[len - 1] != ')')
        return error_set(err, ERR_PARSE,
                         "expected name = function(value), as in total = "
                         "sum(price)");
    return aggregate_find(str_trim((struct str){call, (size_t)(open - call)}),
                          &a->kind, err) &&
           (a->name = mem_try_text(name.p, name.n, err)) &&
           read_value(a, text, (size_t)(open - text) + 1, len - 1, err);
}

void
aggregate_text_fini(struct aggregate_text *a)
{
    free(a->name);
    free(a->value);
    *a = (struct aggregate_text){0};
}

static bool
read_aggregate(struct wanted *a, const char *text, const struct frame *f,
               struct pool *pool, struct error *err)
{
    enum col_type type;
    struct expr *e;

    if (!aggregate_text_read(text, &a->text, err))
        return false;
    if (!a->text.value)
        return true;
    if ((e = expr_parse(str_of(a->text.value), err)))
        a->values = expr_eval(e, f, pool, err);
    expr_free(e);
    return a->values &&
           aggregate_type(a->text.kind, column_type(a->values), &type, err);
}

/* ---- groups ---------------------------------------------------------- */

/* Keys first, then aggregates; takes over what is in columns. */
static struct frame *
group_frame(const struct frame *f, const struct rowgroup *g, const size_t *by,
            size_t n_by, const struct wanted *a, size_t n,
            struct column **columns, struct error *err)
{
    const char **names = mem_try_array(n_by + n, sizeof *names, err);
    struct frame *out = NULL;
    bool ok = names;

    for (size_t i = 0; ok && i < n_by; i++) {
        names[i] = frame_name(f, by[i]);
        columns[i] =
            column_take(frame_column(f, by[i]), g->first, g->n_groups, err);
        ok = columns[i];
    }
    for (size_t i = 0; ok && i < n; i++)
        names[n_by + i] = a[i].text.name;
    if (ok)
        out = frame_new(g->n_groups, n_by + n, names, columns, err);
    else
        for (size_t i = 0; i < n_by + n; i++)
            column_unref(columns[i]);
    free(names);
    return out;
}

static struct frame *
aggregate_groups(const struct frame *f, const struct rowgroup *g,
                 const size_t *by, size_t n_by, const struct wanted *wanted,
                 size_t n, struct pool *pool, struct error *err)
{
    const struct aggregate_groups groups = {g->group, frame_rows(f),
                                            g->n_groups};
    struct column **columns = mem_try_array(n_by + n, sizeof *columns, err);
    struct aggregate *a = columns ? mem_try_array(n, sizeof *a, err) : NULL;
    struct frame *out = NULL;

    for (size_t i = 0; a && i < n; i++)
        a[i] = (struct aggregate){wanted[i].text.kind, wanted[i].values};
    if (a && aggregate_columns(&groups, a, n, pool, columns + n_by, err))
        out = group_frame(f, g, by, n_by, wanted, n, columns, err);
    free(columns);
    free(a);
    return out;
}

struct frame *
query_group(const struct frame *f, const size_t *by, size_t n_by,
            const char *const *aggregates, size_t n_aggregates,
            struct pool *pool, const struct progress *progress,
            struct error *err)
{
    struct wanted *a = mem_try_array(n_aggregates, sizeof *a, err);
    struct rowgroup g = {0};
    struct frame *out = NULL;
    bool ok = a;

    for (size_t i = 0; ok && i < n_aggregates; i++)
        if (!(ok = read_aggregate(&a[i], aggregates[i], f, pool, err)))
            error_prefix(err, "%s: ", aggregates[i]);
    if (ok && rowgroup_find(f, by, n_by, pool, progress, &g, err) &&
        progress_check(progress, err))
        out = aggregate_groups(f, &g, by, n_by, a, n_aggregates, pool, err);
    rowgroup_fini(&g);
    for (size_t i = 0; a && i < n_aggregates; i++) {
        aggregate_text_fini(&a[i].text);
        column_unref(a[i].values);
    }
    free(a);
    return out;
}

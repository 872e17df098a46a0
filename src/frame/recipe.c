/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/recipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/expr.h"
#include "frame/gather.h"
#include "frame/query.h"
#include "frame/verbs.h"

/* Where the first of these signs stands that is neither quoted nor inside
 * brackets, or n. */
static size_t
find_sign(struct str s, const char *signs)
{
    char quote = '\0';
    int depth = 0;

    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (quote) {
            quote = c == quote ? '\0' : quote;
        } else if (c == '`' || c == '\'' || c == '"') {
            quote = c;
        } else if (depth <= 0 && strchr(signs, c)) {
            return i;
        } else {
            depth += (c == '(') - (c == ')');
        }
    }
    return s.n;
}

/* Cut off what stands before a sign; false when nothing is left. */
static bool
next_part(struct str *rest, struct str *part)
{
    size_t n;

    if (!rest->p)
        return false;
    n = find_sign(*rest, ",");
    *part = str_trim((struct str){rest->p, n});
    *rest = n < rest->n ? (struct str){rest->p + n + 1, rest->n - n - 1}
                        : (struct str){NULL, 0};
    return true;
}

/* A name without its backticks. */
static char *
take_name(struct str s, struct error *err)
{
    char *name = mem_try_text(s.p, s.n, err);
    size_t n = 0;

    if (!name || s.n < 2 || s.p[0] != '`' || s.p[s.n - 1] != '`')
        return name;
    for (size_t i = 1; i + 1 < s.n; i++) {
        name[n++] = s.p[i];
        i += s.p[i] == '`' && s.p[i + 1] == '`' && i + 2 < s.n;
    }
    name[n] = '\0';
    return name;
}

static bool
add_part(char ***list, size_t *n, struct str part, bool is_name,
         struct error *err)
{
    char **grown = mem_try_array(*n + 2, sizeof *grown, err);

    if (!grown)
        return false;
    if (*n > 0)
        memcpy(grown, *list, *n * sizeof *grown);
    free(*list);
    *list = grown;
    grown[*n] =
        is_name ? take_name(part, err) : mem_try_text(part.p, part.n, err);
    return grown[*n] && ++*n;
}

static bool
read_list(struct str s, char ***list, size_t *n, bool names, struct error *err)
{
    struct str part;

    if (str_trim(s).n == 0)
        return true;
    while (next_part(&s, &part)) {
        if (part.n == 0)
            return error_set(err, ERR_PARSE, "a name is missing at a comma");
        if (!add_part(list, n, part, names, err))
            return false;
    }
    return true;
}

bool
recipe_parse(const char *text, struct recipe *out, struct error *err)
{
    struct str all = str_of(text), head, rest;
    size_t colon = find_sign(all, ":"), slash;

    *out = (struct recipe){0};
    head = (struct str){all.p, colon};
    rest = colon < all.n ? (struct str){all.p + colon + 1, all.n - colon - 1}
                         : STR("count()");
    if (str_trim(rest).n == 0)
        rest = STR("count()");
    slash = find_sign(head, "/");
    if (slash < head.n) {
        struct str across =
            str_trim((struct str){head.p + slash + 1, head.n - slash - 1});

        if (across.n == 0)
            return error_set(err, ERR_PARSE,
                             "a column is missing behind the slash");
        if (!(out->across = take_name(across, err)))
            return false;
        head.n = slash;
    }
    if (!read_list(head, &out->by, &out->n_by, true, err) ||
        !read_list(rest, &out->aggregate, &out->n_aggregates, false, err))
        return false;
    return out->n_by || out->across ||
           error_set(err, ERR_PARSE,
                     "expected columns: aggregates, as in country, year: total "
                     "= sum(price)");
}

/* "id", "`a b`", "day = date" as join_frames() has it: "day=date". */
static bool
read_keys(struct recipe *r, struct str s, struct error *err)
{
    struct str part;

    while (next_part(&s, &part)) {
        size_t eq = find_sign(part, "=");
        char *left, *right = NULL;
        struct buf b;
        bool ok;

        if (part.n == 0)
            return error_set(err, ERR_PARSE, "a name is missing at a comma");
        if (!(left = take_name(str_trim((struct str){part.p, eq}), err)))
            return false;
        if (eq < part.n)
            right = take_name(
                str_trim((struct str){part.p + eq + 1, part.n - eq - 1}), err);
        buf_init(&b);
        buf_puts(&b, left);
        if (right)
            buf_printf(&b, "=%s", right);
        ok =
            (eq == part.n || right) && buf_check(&b, err) &&
            add_part(&r->by, &r->n_by, (struct str){b.data, b.len}, false, err);
        free(left);
        free(right);
        buf_fini(&b);
        if (!ok)
            return false;
    }
    return true;
}

bool
recipe_parse_join(const char *text, struct recipe *out, struct error *err)
{
    struct str s = str_trim(str_of(text));
    size_t n = strcspn(s.p, " \t");
    char word[16];
    struct str rest;

    *out = (struct recipe){0};
    n = n > s.n ? s.n : n;
    snprintf(word, sizeof word, "%.*s", (int)n, s.p);
    if (!join_how_parse(word, &out->how, err))
        return false;
    rest = str_trim((struct str){s.p + n, s.n - n});
    if (!str_starts(rest, "by ") || str_trim(rest).n <= 3)
        return error_set(err, ERR_PARSE,
                         "expected how by columns, as in left by id, day = "
                         "date");
    return read_keys(out, (struct str){rest.p + 3, rest.n - 3}, err);
}

void
recipe_fini(struct recipe *r)
{
    for (size_t i = 0; i < r->n_by; i++)
        free(r->by[i]);
    for (size_t i = 0; i < r->n_aggregates; i++)
        free(r->aggregate[i]);
    free(r->by);
    free(r->aggregate);
    free(r->across);
    *r = (struct recipe){0};
}

struct frame *
recipe_make(const struct recipe *r, const struct frame *f, struct pool *pool,
            const struct progress *progress, struct error *err)
{
    const char *const *by = (const char *const *)r->by;
    const char *const *aggregates = (const char *const *)r->aggregate;
    static const char *const none[] = {NULL};

    return r->across
               ? verb_pivot(f, by ? by : none, r->across, aggregates, pool,
                            progress, err)
               : verb_group(f, by ? by : none, aggregates, pool, progress, err);
}

struct frame *
recipe_values(const struct recipe *r, const struct frame *f, struct pool *pool,
              const struct progress *progress, struct error *err)
{
    const struct query_key key = {.col = 0};
    struct frame *values = NULL, *out = NULL;
    uint32_t *order = NULL;
    size_t col;

    if (frame_need(f, r->across, &col, err) &&
        (values = query_frequency(f, col, pool, progress, err)) &&
        (order = query_sort(values, &key, 1, pool, progress, err)))
        out = gather_frame(values, order, frame_rows(values), pool, err);
    free(order);
    frame_unref(values);
    return out;
}

void
recipe_propose_join(const struct frame *left, const struct frame *right,
                    struct buf *out)
{
    size_t n = 0;

    buf_puts(out, "inner by ");
    for (size_t i = 0; i < frame_cols(left) && n < 3; i++) {
        long there = frame_find(right, frame_name(left, i));

        if (there < 0 || column_type(frame_column(left, i)) !=
                             column_type(frame_column(right, (size_t)there)))
            continue;
        buf_puts(out, n++ ? ", " : "");
        expr_put_name(frame_name(left, i), out);
    }
}

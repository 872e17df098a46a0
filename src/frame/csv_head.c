/* frame/csv_head.c -- the first rows of delimited text.
 *
 * The text is cut behind the last row that ends in its first bytes, and what
 * stands before the cut is read as any text is.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "frame/csv.h"

#include "frame/csv_survey.h"

enum { GROWTH = 4 };

struct cut {
    size_t end;    /* of the last whole row */
    size_t n_rows; /* whole ones */
    char delimiter;
};

/* The last row of `v`, one region up to the end of the text, may be a part. */
static bool
cut_last_row(const struct csv_scan *s, const struct csv_survey *v,
             struct cut *cut, struct error *err)
{
    const struct csv_region *g = &v->region[0];
    struct csv_index x;
    size_t last;

    if (!csv_index_init(&x, s, g->begin, g->end, g->n_rows, g->n_fields, err))
        return false;
    last = x.n_rows - 1;
    *cut = (struct cut){s->len, x.n_rows, s->delimiters[0]};
    if (g->begin + x.field[x.first[x.n_rows] - 1] == s->len)
        *cut = (struct cut){g->begin + x.row[last], last, s->delimiters[0]};
    csv_index_fini(&x);
    return true;
}

static bool
find_cut(struct csv_scan s, struct cut *cut, struct error *err)
{
    size_t begin = csv_first_row(&s);
    struct csv_survey v;
    bool ok;

    *cut = (struct cut){0};
    if (begin == s.len)
        return true;
    if (!csv_survey_init(&v, &s, begin, s.len - begin, NULL, NULL, err))
        return false;
    ok = cut_last_row(&s, &v, cut, err);
    csv_survey_fini(&v);
    return ok;
}

bool
csv_parse_head(struct str text, const char *name, const struct csv_options *o,
               size_t want, struct csv_table *out, struct error *err)
{
    struct csv_options head = {.header = -1};
    struct cut cut = {0};
    size_t len = want ? want : CSV_HEAD;
    size_t most = len > CSV_HEAD_MOST ? len : CSV_HEAD_MOST;

    if (o)
        head = *o;
    for (; len < text.n; len *= GROWTH) {
        if (!find_cut(csv_scan_of((struct str){text.p, len}, head.delimiter),
                      &cut, err))
            return error_prefix(err, "%s: ", name);
        if (cut.n_rows > 1 || len > most / GROWTH)
            break;
    }
    if (len >= text.n)
        return csv_parse(text, name, o, NULL, NULL, out, err);
    if (cut.n_rows == 0)
        return error_set(err, ERR_LIMIT,
                         "%s: no row ends in the first %zu bytes", name, len);
    head.delimiter = cut.delimiter;
    return csv_parse((struct str){text.p, cut.end}, name, &head, NULL, NULL,
                     out, err);
}

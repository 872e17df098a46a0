/* The lower part of a printed profile: what is missing together, which columns
 * go together, and how each tells the target.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "frame/profile_page.h"

enum {
    SCORES_SHOWN = 12,
    LINKS_SHOWN = 8,
    PATTERNS_SHOWN = 5,
    CLASS_CELLS = 10,
    ROWS_CELLS = 12
};

/* The text of a line to come, cleaned, over as many lines as it takes. */
static void
put_wrapped(struct page *t, struct buf *line, size_t indent)
{
    struct buf scratch;

    buf_init(&scratch);
    page_wrapped(t, page_clean(line->data, line->len, &scratch),
                 t->width > indent + 16 ? t->width - indent : 16, indent);
    t->out->failed |= line->failed || scratch.failed;
    buf_fini(&scratch);
}

/* ---- what is missing ------------------------------------------------- */

static size_t
columns_missing(const struct profile *p)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n_cols; i++)
        n += p->column[i].n_missing > 0;
    return n;
}

static void
put_pattern(struct page *t, size_t k)
{
    const struct profile *p = t->p;
    char count[STR_F64_MAX];
    struct buf line;
    bool any = false;

    buf_init(&line);
    for (size_t i = 0; i < p->n_cols; i++)
        if (profile_pattern_has(p, k, i)) {
            buf_printf(&line, "%s%s", any ? ", " : "", p->column[i].name);
            any = true;
        }
    buf_putc(t->out, ' ');
    page_cell(t, (struct str){count, str_from_count(p->pattern[k].rows, count)},
              ROWS_CELLS - 2, true);
    buf_putc(t->out, ' ');
    put_wrapped(t, &line, ROWS_CELLS);
    buf_fini(&line);
}

void
page_missing(struct page *t)
{
    const struct profile *p = t->p;

    /* Of a single column its own line says it all. */
    if (columns_missing(p) < 2)
        return;
    buf_puts(t->out, "\n rows that miss\n");
    for (size_t k = 0; k < p->n_patterns && k < PATTERNS_SHOWN; k++)
        put_pattern(t, k);
    buf_putc(t->out, ' ');
    page_share(t, p->n_complete, p->n_rows, ROWS_CELLS - 2);
    buf_puts(t->out, " nothing\n");
}

/* ---- pairs ----------------------------------------------------------- */

void
page_links(struct page *t, size_t name_cells)
{
    const struct profile *p = t->p;
    size_t used = 2 * name_cells + 16;
    size_t meter = t->width > used + 20 ? 20 : 0;

    if (p->n_links == 0 || used > t->width)
        return;
    buf_puts(t->out, "\n columns that go together\n");
    for (size_t i = 0; i < p->n_links && i < LINKS_SHOWN; i++) {
        const struct profile_link *l = &p->link[i];

        buf_putc(t->out, ' ');
        page_dirty(t, p->column[l->a].name, name_cells);
        buf_putc(t->out, ' ');
        page_dirty(t, p->column[l->b].name, name_cells);
        buf_printf(t->out, " %6.3f %-3s ", l->score, l->spearman ? "rho" : "V");
        page_meter(t, fabs(l->score), meter);
        page_end_line(t->out);
    }
    if (p->n_links > LINKS_SHOWN)
        buf_printf(t->out, " and %zu pairs more\n", p->n_links - LINKS_SHOWN);
}

/* ---- the target ------------------------------------------------------ */

/* Columns by score, best first; ties in the order of the table. */
static size_t
best_scores(const struct profile *p, size_t *best)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n_cols; i++) {
        size_t at;

        if (isnan(p->column[i].target_score))
            continue;
        for (at = n; at > 0 && p->column[best[at - 1]].target_score <
                                   p->column[i].target_score;
             at--)
            if (at < SCORES_SHOWN)
                best[at] = best[at - 1];
        if (at < SCORES_SHOWN) {
            best[at] = i;
            n += n < SCORES_SHOWN;
        }
    }
    return n;
}

/* Classes that have room behind the score, with the word that follows. */
static size_t
classes_shown(const struct page *t, size_t used)
{
    size_t room = t->width > used + 16 ? t->width - used - 16 : 0;
    size_t n = room / (CLASS_CELLS + 1);

    return n >= t->p->n_classes ? t->p->n_classes : 0;
}

/* The mean, or the share of the most frequent value, in each class. */
static void
put_classes(struct page *t, const struct profile_column *c, size_t n,
            size_t left)
{
    bool category = profile_is_category(c);
    char text[32];

    for (size_t k = 0; k < n; k++) {
        const struct profile_class *by = &c->by_class[k];
        size_t here = t->p->class_rows[k] - by->n_missing;

        buf_putc(t->out, ' ');
        if (!category) {
            page_number(t, by->mean, c->type, CLASS_CELLS);
            continue;
        }
        snprintf(text, sizeof text, "%.1f%%",
                 here && c->n_top ? 100 * (double)by->top[0] / (double)here
                                  : 0);
        page_cell(t, str_of(text), CLASS_CELLS, true);
    }
    if (n == 0)
        return;
    buf_puts(t->out, category && c->n_top ? "  = " : "  mean");
    if (category && c->n_top)
        page_dirty(t, c->top[0].text, left > 4 ? left - 4 : 0);
}

static void
put_head(struct page *t, size_t cells, size_t classes)
{
    struct buf line, scratch;

    buf_init(&line);
    buf_init(&scratch);
    buf_printf(&line, "alone against %s (%s)", t->p->target,
               t->p->target_classes ? "AUC, 0.5 is chance"
                                    : "correlation, 0 is none");
    buf_puts(t->out, "\n ");
    if (classes && str_width(str_of(line.data)) < cells) {
        page_dirty(t, line.data, cells - 1);
    } else if (classes) {
        put_wrapped(t, &line, 1);
        buf_fill(t->out, ' ', cells);
    } else {
        put_wrapped(t, &line, 1);
    }
    for (size_t k = 0; k < classes; k++) {
        struct str s = page_clean(t->p->class_name[k],
                                  str_of(t->p->class_name[k]).n, &scratch);

        buf_putc(t->out, ' ');
        page_cell(t, s, CLASS_CELLS, true);
    }
    if (classes)
        page_end_line(t->out);
    t->out->failed |= line.failed || scratch.failed;
    buf_fini(&line);
    buf_fini(&scratch);
}

void
page_scores(struct page *t, size_t name_cells)
{
    const struct profile *p = t->p;
    size_t best[SCORES_SHOWN], n = best_scores(p, best);
    double base = p->target_classes ? 0.5 : 0;
    size_t meter = t->width > name_cells + 30 ? 20 : 0;
    size_t used = 1 + name_cells + 7 + meter;
    size_t classes = classes_shown(t, used);

    if (!p->target || n == 0)
        return;
    put_head(t, used, classes);
    for (size_t i = 0; i < n; i++) {
        const struct profile_column *c = &p->column[best[i]];
        size_t begin = t->out->len;

        buf_putc(t->out, ' ');
        page_dirty(t, c->name, name_cells);
        buf_printf(t->out, " %.3f ", c->target_score);
        page_meter(t, (c->target_score - base) / (1 - base), meter);
        if (classes && !t->out->failed) {
            size_t w = str_width(
                (struct str){t->out->data + begin, t->out->len - begin});

            buf_fill(t->out, ' ', used > w ? used - w : 0);
            put_classes(t, c, classes,
                        t->width - used - classes * (CLASS_CELLS + 1));
        }
        page_end_line(t->out);
    }
}

/* The table of a printed profile that holds it against another one.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <math.h>
#include <stdio.h>

#include "frame/profile_page.h"

enum { CELLS = 9, SHARE_CELLS = 6, TEST_CELLS = 11 };

/* One distance in so many cells; blank when it was not measured. */
static void
put_distance(struct page *t, double x)
{
    char text[32] = "";

    if (!isnan(x))
        snprintf(text, sizeof text, x != 0 && fabs(x) < 0.001 ? "%.1e" : "%.3f",
                 x);
    buf_putc(t->out, ' ');
    page_cell(t, str_of(text), CELLS, true);
}

static void
put_head(struct page *t, size_t name_cells, bool means)
{
    static const char *const heads[] = {"PSI", "JS", "KS", "Wasserst."};

    buf_putc(t->out, ' ');
    page_cell(t, STR("column"), name_cells, false);
    for (size_t i = 0; i < 2; i++)
        page_cell(t, i ? STR("there") : STR("miss"), SHARE_CELLS + 1, true);
    for (size_t i = 0; means && i < 2; i++) {
        buf_putc(t->out, ' ');
        page_cell(t, i ? STR("there") : STR("mean"), CELLS + 1, true);
    }
    for (size_t i = 0; i < 4; i++) {
        buf_putc(t->out, ' ');
        page_cell(t, str_of(heads[i]), CELLS, true);
    }
    buf_puts(t->out, "  verdict\n");
}

static void
put_verdict(struct page *t, const struct profile_pair *o)
{
    buf_puts(t->out, "  ");
    if (!o->there)
        buf_puts(t->out, "not there");
    else if (!o->here)
        buf_puts(t->out, "only there");
    else if (o->test == DRIFT_NONE)
        buf_puts(t->out, "-");
    else
        buf_printf(t->out, "%s%s", o->drifts ? "drifts: " : "",
                   profile_drift_word(o->test));
}

static void
put_pair(struct page *t, const struct profile_pair *o, size_t name_cells,
         bool means)
{
    const struct profile_against *a = t->p->against;

    buf_putc(t->out, ' ');
    page_dirty(t, o->name, name_cells);
    buf_putc(t->out, ' ');
    page_share(t, o->n_missing[0], t->p->n_rows, SHARE_CELLS);
    buf_putc(t->out, ' ');
    page_share(t, o->n_missing[1], a->n_rows, SHARE_CELLS);
    for (size_t i = 0; means && i < 2; i++) {
        buf_putc(t->out, ' ');
        if (o->numeric)
            page_number(t, o->mean[i], o->type[i], CELLS + 1);
        else
            buf_fill(t->out, ' ', CELLS + 1);
    }
    put_distance(t, o->psi);
    put_distance(t, o->js);
    put_distance(t, o->ks);
    put_distance(t, o->wasserstein);
    put_verdict(t, o);
    page_end_line(t->out);
}

/* On a narrow page the score that decides stands alone. */
static void
put_narrow(struct page *t, const struct profile_pair *o, size_t name_cells)
{
    buf_putc(t->out, ' ');
    page_dirty(t, o->name, name_cells);
    put_distance(t, o->score);
    put_verdict(t, o);
    page_end_line(t->out);
}

void
page_against(struct page *t, size_t name_cells)
{
    const struct profile_against *a = t->p->against;
    size_t least =
        1 + name_cells + 2 * (SHARE_CELLS + 1) + 4 * (CELLS + 1) + 21;
    bool means = t->width >= least + 2 * (CELLS + 2);
    struct buf line, scratch;

    if (!a)
        return;
    buf_init(&line);
    buf_init(&scratch);
    buf_printf(&line, "against %s: ", a->name);
    page_plural(&line, a->n_rows, "row");
    buf_printf(&line, ", %zu of %zu columns drift, ", a->n_drifting,
               a->n_tested);
    page_plural(&line, a->n_overlap, "row");
    buf_puts(&line, " in common");
    profile_looked_text(t->p, &line);
    buf_puts(t->out, "\n ");
    page_wrapped(t, page_clean(line.data, line.len, &scratch),
                 t->width > 3 ? t->width - 3 : 1, 2);
    t->out->failed |= line.failed || scratch.failed;
    buf_fini(&line);
    buf_fini(&scratch);
    if (t->width >= least)
        put_head(t, name_cells, means);
    for (size_t i = 0; i < a->n_pairs; i++)
        if (t->width >= least)
            put_pair(t, &a->pair[i], name_cells, means);
        else
            put_narrow(t, &a->pair[i], name_cells);
}

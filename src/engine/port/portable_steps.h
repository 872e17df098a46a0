/* engine/port/portable_steps.h -- columns between the steps of a preparation,
 * for portable_steps*.c alone.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_PORTABLE_STEPS_H
#define LATHE_ENGINE_PORT_PORTABLE_STEPS_H

#include "engine/port/portable_of.h"
#include "engine/prepare_step.h"
#include "frame/dict.h"

struct known {
    const char *name; /* NULL: it is gone */
    bool text;
    const char *const *level; /* of a text */
    size_t n_levels;
    bool open;        /* any text: its levels are made up */
    const char *fill; /* of an open one: what a missing one became; or NULL */
    uint32_t node, column; /* node UINT32_MAX: the input `column` */
};

struct stepping {
    struct portable *p;
    struct graph *g;
    const struct prepare *from;
    struct known *known;
    size_t n, cap;
    const bool *said; /* of the derived columns: is it a node? */
    struct error *err;
};

/* A column by its name, or NULL; steps_need() wants one of the type. */
struct known *steps_find(struct stepping *s, const char *name);
bool steps_need(struct stepping *s, const char *name, bool text,
                struct known **out) MUST_USE;
/* Add or replace a number. */
bool steps_put_number(struct stepping *s, const char *name, uint32_t node,
                      uint32_t column) MUST_USE;
/* A column as a node of width 1. */
bool
steps_node(struct stepping *s, const struct known *k, uint32_t *id) MUST_USE;

/* The order that is written, "S|M|L", as a list; *n of them, caller frees the
 * list. */
const char **
steps_written_order(struct stepping *s, struct str order, size_t *n);
/* 0, 1 ... n - 1, and `rest` behind them; caller frees. */
double *steps_places(size_t n, double rest, struct error *err);
/* The numbers of a text's levels: value[place of the level in list], value[n]
 * for those that are not in it; c for what is NaN. */
bool
steps_map(struct stepping *s, const struct known *k, const char *const *list,
          size_t n, const double *value, double c, uint32_t *id) MUST_USE;

/* Is a column of that name any text, as the first step that takes it apart
 * counts its n-grams?  Texts to compare by. */
bool steps_is_open(const struct prepare *from, const char *name);
bool steps_add_texts(struct dict *all, struct error *err) MUST_USE;
/* A derived column, of those before it. */
bool steps_take_derived(struct stepping *s, size_t i) MUST_USE;
/* Can nodes say it?  said: which of those before it they do. */
bool portable_can_say(const struct prepare *from, const bool *said, size_t i,
                      bool *can, struct error *err) MUST_USE;
/* The column that a name stands for: a derived one before `before`, counted
 * from n_inputs on, or an input; n_inputs + n_derived where there is none. */
size_t
portable_source_of(const struct prepare *from, const char *name, size_t before);
/* Does an expression look at a column of that name?  Texts that it compares one
 * with. */
bool steps_reads(const struct expr *e, const char *name);
bool steps_add_literals(const struct expr *e, const char *name,
                        struct dict *all, struct error *err) MUST_USE;

bool steps_take_date(struct stepping *s, const struct step *step) MUST_USE;
bool steps_take_grams(struct stepping *s, const struct step *step) MUST_USE;
bool steps_take_onehot(struct stepping *s, const struct step *step) MUST_USE;
bool steps_take_ordinal(struct stepping *s, const struct step *step) MUST_USE;
bool steps_take_rare(struct stepping *s, const struct step *step) MUST_USE;
bool steps_take_target(struct stepping *s, const struct step *step) MUST_USE;
#endif

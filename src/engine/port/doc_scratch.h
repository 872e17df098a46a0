/* engine/port/doc_scratch.h -- lists under construction, for doc*.c alone.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_DOC_SCRATCH_H
#define LATHE_ENGINE_PORT_DOC_SCRATCH_H

#include "engine/port/doc.h"

/* Values of all lists that are open, the innermost last. */
struct doc_scratch {
    struct arena *arena;
    struct error *err;
    double *number;
    struct doc *item;
    struct str *key;
    size_t n_numbers, n_items, n_keys;
    size_t cap_numbers, cap_items, cap_keys;
    unsigned depth;
};

void doc_scratch_fini(struct doc_scratch *s);
bool doc_push_number(struct doc_scratch *s, double x);
bool doc_push_item(struct doc_scratch *s, const struct doc *d);
bool doc_push_key(struct doc_scratch *s, struct str key);
/* What was pushed since then becomes a list or an object. */
bool doc_take_numbers(struct doc_scratch *s, size_t since, struct doc *out);
bool doc_take_items(struct doc_scratch *s, size_t since, struct doc *out);
bool doc_take_object(struct doc_scratch *s, size_t since_items,
                     size_t since_keys, struct doc *out);
/* Deeper by one; ERR_LIMIT. */
bool doc_enter(struct doc_scratch *s);
#endif

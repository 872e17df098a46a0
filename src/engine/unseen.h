/* engine/unseen.h -- count the rows whose texts a model has not learnt from.
 *
 * Such a row is no error: it goes where missing values go.  But where there are
 * many, the model is asked about another world than it knows.
 *
 * Threads: one owner.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_UNSEEN_H
#define LATHE_ENGINE_UNSEEN_H

#include "engine/model.h"

struct unseen {
    const struct model *model; /* borrowed */
    size_t n;                  /* inputs */
    uint64_t *rows;            /* by input, owned */
};

bool unseen_init(struct unseen *u, const struct model *m,
                 struct error *err) MUST_USE;
void unseen_fini(struct unseen *u); /* {0} is allowed */
bool
unseen_add(struct unseen *u, const struct frame *f, struct error *err) MUST_USE;
/* Count what passes through a stream, which is taken over, also when it fails;
 * u must outlive the result. */
struct stream *
unseen_stream(struct unseen *u, struct stream *s, struct error *err) MUST_USE;
/* Of an input, "12 rows had levels of city unseen in training"; false where
 * none had. */
bool unseen_say(const struct unseen *u, size_t input, struct buf *out);
/* {"city": 12} */
void unseen_json(const struct unseen *u, struct json_writer *w);
#endif

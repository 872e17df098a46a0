/* frame/synonym.h -- what pandas, SQL, R, scikit-learn and other tools call that
 * which is called otherwise here: functions, methods, commands, options,
 * families of models, their parameters and metrics, so that an error can name
 * what was meant.
 *
 * These words are never accepted: one name for a thing is enough.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_FRAME_SYNONYM_H
#define LATHE_FRAME_SYNONYM_H

#include "base/str.h"

/* That of the n words which means the same ("avg": "mean"), else the one that
 * is spelt most alike, else NULL. */
const char *
synonym_nearest(struct str word, const char *const *words, size_t n);
/* How an expression writes what others write with this word or sign where an
 * operator or a call stands: "like": "x matches 'pattern'".  NULL: none. */
const char *synonym_form(struct str word);
/* The option of training that others have among the parameters of a model:
 * "random_state": "seed".  NULL: none. */
const char *synonym_option(struct str word);
#endif

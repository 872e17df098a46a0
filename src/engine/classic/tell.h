/* engine/classic/tell.h -- how a learner scores, told as events.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_CLASSIC_TELL_H
#define LATHE_ENGINE_CLASSIC_TELL_H

#include "engine/model.h"

/* All metrics on the validation rows, and where `train` the first one on the
 * training rows too, by family->score().  Nothing where nobody listens. */
bool tell_scores(const struct family *family, const void *learner,
                 const struct fit_data *d, const struct train *ctx, bool train,
                 struct error *err) MUST_USE;
#endif

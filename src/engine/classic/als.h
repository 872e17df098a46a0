/* engine/classic/als.h -- recommendation by factors of users and items.
 *
 * A rating is the mean, plus a part of the user, a part of the item and the
 * product of their factors.  Users are solved for with the items held still,
 * then the other way round; each is a small least squares problem, so the loss
 * never rises.  The penalty of a user or item goes with its ratings.
 *
 * implicit: the target counts how often something was done.  Every pair has a
 * preference, 1 where it was done, with the confidence 1 + alpha x count; the
 * answer is the preference.
 *
 * A user that was not seen is average: the item's part alone answers; an item
 * that was not seen likewise.
 *
 * Sources: Zhou et al., "Large-scale parallel collaborative filtering for the
 *          Netflix prize", AAIM 2008; Hu, Koren, Volinsky, "Collaborative
 *          filtering for implicit feedback datasets", ICDM 2008.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_CLASSIC_ALS_H
#define LATHE_ENGINE_CLASSIC_ALS_H

#include "engine/model.h"

extern const struct family als_family;
#endif

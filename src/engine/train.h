/* engine/train.h -- what a fit is given besides data and parameters.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_TRAIN_H
#define LATHE_ENGINE_TRAIN_H

#include "base/pool.h"
#include "base/progress.h"
#include "engine/event.h"

struct train {
    struct pool *pool;         /* NULL: this thread alone */
    struct progress *progress; /* NULL: nobody looks, nobody cancels */
    struct event_sink sink;
    uint64_t seed;
};
#endif

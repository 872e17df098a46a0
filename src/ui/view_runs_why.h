/* ui/view_runs_why.h -- what is explained of a run, for view_runs_why.c and
 * view_runs_why_draw.c alone.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_UI_VIEW_RUNS_WHY_H
#define LATHE_UI_VIEW_RUNS_WHY_H

#include "session/explanation.h"
#include "session/task.h"
#include "ui/tether.h"
#include "ui/view_runs.h"

enum { RUNS_FEATURE_MAX = 160 };

struct runs_why {
    struct view_runs *r;
    struct tether *tether;
    bool on;
    enum explanation_kind by; /* EXPLANATION_SHARES, _GAIN or _SHUFFLE */
    bool chosen; /* for this run; else shares that are dear are left out */
    /* of a run */
    run_id run;
    enum explanation_kind asked; /* as `by` was then */
    struct task *task;
    struct explanation about;
    bool there;
    struct frame *rows; /* NULL: there are none */
    char trouble[ERROR_MESSAGE_MAX];
    struct list list;
    /* of the feature under the cursor */
    struct task *effect_task;
    char wanted[RUNS_FEATURE_MAX]; /* "": none yet */
    struct explanation effect;
    bool effect_there;
    char effect_trouble[ERROR_MESSAGE_MAX];
    struct plot_image image;
    int want_w, want_h;
};

/* A row for each feature, the largest first; borrowed. */
const struct frame *runs_why_features(const struct explanation *e);
#endif

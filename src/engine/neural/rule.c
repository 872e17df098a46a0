/* engine/neural/rule.c -- the parameters that all nets have.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/neural/rule.h"

#include <string.h>

static const char *const schedules[] = {"constant", "cosine", "step",
                                        "one_cycle"};

double
net_pick_float(const struct params *p, const char *name, double otherwise)
{
    return params_is_set(p, name) ? params_float(p, name) : otherwise;
}

size_t
net_pick_int(const struct params *p, const char *name, size_t otherwise)
{
    return params_is_set(p, name) ? (size_t)params_int(p, name) : otherwise;
}

static enum opt_kind
kind_of(const char *word)
{
    return strcmp(word, "sgd") == 0    ? OPT_SGD
           : strcmp(word, "adam") == 0 ? OPT_ADAM
                                       : OPT_ADAMW;
}

static enum opt_schedule
schedule_of(const struct params *p, enum opt_schedule otherwise)
{
    for (unsigned i = 0; params_is_set(p, "schedule") && i < 4; i++)
        if (strcmp(params_text(p, "schedule"), schedules[i]) == 0)
            return (enum opt_schedule)i;
    return otherwise;
}

bool
net_rule(struct net_learning *l, const struct params *p,
         const struct net_usual *usual, struct error *err)
{
    struct opt_rule *r = &l->rule;

    l->epochs = net_pick_int(p, "epochs", usual->epochs);
    l->batch = net_pick_int(p, "batch", usual->batch);
    *r = (struct opt_rule){
        .kind = kind_of(params_text(p, "optimizer")),
        .schedule = schedule_of(p, usual->schedule),
        .rate = net_pick_float(p, "learning_rate", usual->rate),
        .momentum = params_float(p, "momentum"),
        .decay = net_pick_float(p, "weight_decay", usual->decay),
        .clip = params_float(p, "clip"),
        .warm = params_float(p, "warm_up"),
        .every = (double)params_int(p, "step_epochs") / (double)l->epochs,
        .factor = params_float(p, "step_factor")};
    return loss_init(&l->loss, params_text(p, "loss"), l->d->y->problem,
                     l->scale.k, params_float(p, "label_smoothing"), err);
}

void
net_rule_json(const struct net_learning *l, struct json_writer *w)
{
    json_name(w, "learning_rate");
    json_put_double(w, l->rule.rate);
    json_name(w, "weight_decay");
    json_put_double(w, l->rule.decay);
    json_name(w, "schedule");
    json_put_string(w, schedules[l->rule.schedule]);
    json_name(w, "epochs");
    json_put_i64(w, (int64_t)l->epochs);
    json_name(w, "batch");
    json_put_i64(w, (int64_t)l->batch);
    json_name(w, "kept");
    json_put_i64(w, (int64_t)l->kept);
}

/* store/deployment.h -- which endpoints there are: one row each.
 * The process behind one is serve/endpoint.h's.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_STORE_DEPLOYMENT_H
#define LATHE_STORE_DEPLOYMENT_H

#include "store/registry.h"

struct deployment {
    char *name;      /* unique: "churn" */
    char *reference; /* as asked: "churn@production" */
    char *label;     /* what it resolved to: "churn/3" */
    char *host;      /* "127.0.0.1" */
    int64_t port, pid, start_ticks, started_ms;
    double sla_ms; /* 0: none */
    bool wanted;   /* should run; false after a stop */
};
struct deployment_list {
    struct deployment *deployment;
    size_t n;
};

bool deployment_put(struct store *s, const struct deployment *d,
                    struct error *err) MUST_USE;
bool deployment_list(struct store *s, struct deployment_list *out,
                     struct error *err) MUST_USE;
void deployment_list_fini(struct deployment_list *l);
bool deployment_find(struct store *s, const char *name, struct deployment *out,
                     struct error *err) MUST_USE;
void deployment_fini(struct deployment *d);
bool deployment_remove(struct store *s, const char *name,
                       struct error *err) MUST_USE;
#endif

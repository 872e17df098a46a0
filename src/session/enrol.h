/* session/enrol.h -- new versions in the registry, from a run or a file.
 * Blocks: pool jobs and command-line programs only.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SESSION_ENROL_H
#define LATHE_SESSION_ENROL_H

#include "engine/model.h"
#include "session/session.h"
#include "store/registry.h"

/* metrics: a flat JSON object (summary_flat), or NULL: those of the
 * validation rows.  *out: the new version, caller version_fini()s. */
bool enrol_run(struct session *s, const char *name, const char *run,
               const char *metrics, const char *description,
               struct version *out, struct error *err) MUST_USE;
/* A model's file ("churn.lathe") or a model in memory. */
bool enrol_model(struct session *s, const char *name, const struct model *m,
                 const char *run, const char *metrics, const char *description,
                 struct version *out, struct error *err) MUST_USE;
bool enrol_file(struct session *s, const char *name, const char *path,
                const char *metrics, const char *description,
                struct version *out, struct error *err) MUST_USE;
#endif

/* session/enrol.c -- new versions in the registry.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/enrol.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/family.h"
#include "session/summary.h"
#include "store/artifact.h"

bool
enrol_model(struct session *s, const char *name, const struct model *m,
            const char *run, const char *metrics, const char *description,
            struct version *out, struct error *err)
{
    struct store *store = session_store(s, true, err);
    char digest[DIGEST_HEX];
    struct buf file, flat, reference;
    int64_t number;
    bool ok;

    if (!store)
        return false;
    buf_init(&file);
    buf_init(&flat);
    buf_init(&reference);
    if (!metrics) {
        summary_flat_text(model_valid_metrics(m), &flat);
        metrics = flat.data;
    }
    ok = model_save(m, &file, err) &&
         artifact_put(store, file.data, file.len, digest, err) &&
         registry_add(store,
                      &(struct new_version){.model = name,
                                            .digest = digest,
                                            .run = run,
                                            .metrics = metrics,
                                            .description = description,
                                            .family = model_family(m)->name,
                                            .size = (int64_t)file.len},
                      &number, err);
    if (ok) {
        buf_printf(&reference, "%s/%lld", name, (long long)number);
        ok = registry_find(store, reference.data, out, err);
        session_notify(s, TOPIC_REGISTRY);
    }
    buf_fini(&file);
    buf_fini(&flat);
    buf_fini(&reference);
    return ok;
}

bool
enrol_file(struct session *s, const char *name, const char *path,
           const char *metrics, const char *description, struct version *out,
           struct error *err)
{
    struct model *m = model_open(path, family_find, err);
    bool ok =
        m && enrol_model(s, name, m, NULL, metrics, description, out, err);

    model_unref(m);
    return ok;
}

bool
enrol_run(struct session *s, const char *name, const char *id,
          const char *metrics, const char *description, struct version *out,
          struct error *err)
{
    struct store *store = session_store(s, true, err);
    struct model *m = NULL;
    char *path = NULL;
    struct run r;
    bool ok;

    if (!store || !run_find(store, id, &r, err))
        return false;
    if (!r.artifact[0])
        ok = error_set(err, ERR_STATE, "run %s is %s and has no model", r.name,
                       run_state_word(r.state));
    else
        ok = (path = artifact_path(store, r.artifact, err)) &&
             (m = model_open(path, family_find, err)) &&
             enrol_model(s, name, m, r.id, metrics, description, out, err);
    model_unref(m);
    free(path);
    run_fini(&r);
    return ok;
}

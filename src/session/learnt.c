/* session/learnt.c -- has a model learnt from these rows?
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/learnt.h"

#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "session/summary.h"
#include "store/run.h"

enum { SCORES = 3 };

/* The run that it is the artifact of. */
static bool
run_of(struct session *s, const struct model *m, struct run *out)
{
    char digest[DIGEST_HEX];
    struct error err;
    struct store *store = session_store(s, false, &err);
    struct buf file;
    bool ok;

    buf_init(&file);
    if ((ok = store && model_save(m, &file, &err))) {
        digest_bytes(file.data, file.len, digest);
        ok = run_find_artifact(store, digest, LEARNT_TABLE, out, &err);
    }
    buf_fini(&file);
    return ok;
}

/* r: its run, or NULL. */
static void
table_of(const struct model *m, const struct run *r, char out[LEARNT_PRINT])
{
    const char *print = model_fingerprint(m), *tag;
    struct error err;
    struct json *tags = r ? json_parse(str_of(r->tags), &err) : NULL;

    if (tags && json_find(tags, LEARNT_TABLE) &&
        json_get_string(tags, LEARNT_TABLE, &tag, &err) &&
        strlen(tag) < LEARNT_PRINT)
        print = tag;
    strcpy(out, print);
    json_free(tags);
}

void
learnt_table(struct session *s, const struct model *m, char out[LEARNT_PRINT])
{
    struct run r;
    bool known = run_of(s, m, &r);

    table_of(m, known ? &r : NULL, out);
    if (known)
        run_fini(&r);
}

/* "on rows aside: test.auc 0.84 (run first, 1a2b3c4d)", or how to have some. */
static void
put_aside(const struct run *r, struct buf *note)
{
    size_t from;

    buf_puts(note, "      on rows it has not learnt from: ");
    from = note->len;
    if (r)
        summary_aside(r->metrics, SCORES, note);
    if (note->len > from)
        buf_printf(note, " (run %.8s)\n", r->id);
    else
        buf_puts(note, "not known; lathe train --test 0.2 sets some aside\n");
}

size_t
learnt_note(struct session *s, const struct model *m, const char *print,
            size_t n_rows, struct buf *note)
{
    char table[LEARNT_PRINT], all[STR_F64_MAX], some[STR_F64_MAX];
    size_t n = model_train_rows(m);
    struct run r;
    bool known, whole;

    if (n == 0 || n > n_rows)
        return 0;
    known = run_of(s, m, &r);
    table_of(m, known ? &r : NULL, table);
    whole = strcmp(print, model_fingerprint(m)) == 0;
    if (!whole && strcmp(print, table) != 0) {
        n = 0;
    } else {
        str_from_count(n, some);
        str_from_count(n_rows, all);
        buf_printf(note,
                   "\nnote: the model learnt from this very table, %s of its "
                   "%s rows: scores are too good\n",
                   some, all);
        put_aside(known ? &r : NULL, note);
    }
    if (known)
        run_fini(&r);
    return n;
}

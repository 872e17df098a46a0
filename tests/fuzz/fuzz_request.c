/* fuzz_request -- any bytes as a request: what route_answer() says has a
 * status of the table, and JSON that is JSON.
 *
 * Input: method, path, Content-Type, Accept, Inference-Header-Content-Length,
 * each a line (empty: no such header), then the body.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "serve/route.h"
#include "tests/lib/small_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { N_LINES = 5 };

static struct service *
service(void)
{
    static struct service s;
    struct error err;

    if (s.model)
        return &s;
    s.model = small_model(SMALL_BINARY);
    s.form = rows_form_new(s.model, &err);
    assert_non_null(s.form);
    s.name = "churn";
    s.version = "3";
    s.label = "churn/3";
    s.stats = stat_new();
    s.drift = drift_new(s.model, &err);
    assert_non_null(s.drift);
    return &s;
}

static void
check(const struct reply *r)
{
    static const unsigned known[] = {200, 204, 400, 404, 405, 415};
    struct error err;
    struct json *v;
    bool ok = false;

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        ok = ok || r->status == known[i];
    if (!ok || r->json_len > r->body.len)
        abort();
    if (!r->type || strcmp(r->type, "application/json"))
        return;
    v = json_parse((struct str){r->body.data, r->body.len}, &err);
    if (!v)
        abort();
    json_free(v);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char *text = mem_new(len + 1), *line[N_LINES], *at = text;
    struct service *s = service();
    struct request q = {0};
    struct reply r;

    memcpy(text, data, len);
    for (int i = 0; i < N_LINES; i++) {
        char *end = memchr(at, '\n', (size_t)(text + len - at));

        line[i] = at;
        if (!end) {
            free(text);
            return 0;
        }
        *end = '\0';
        at = end + 1;
    }
    q.method = line[0];
    q.path = line[1];
    q.type = *line[2] ? line[2] : NULL;
    q.accept = *line[3] ? line[3] : NULL;
    q.json_len = *line[4] ? line[4] : NULL;
    q.body = (struct str){at, (size_t)(text + len - at)};
    reply_init(&r);
    route_answer(s, &q, &r);
    check(&r);
    route_after(s, &r);
    reply_fini(&r);
    free(text);
    return 0;
}

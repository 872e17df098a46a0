/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/remote.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct remote {
    CURL *curl;
    struct curl_slist *header; /* sent with every call */
    char text[CURL_ERROR_SIZE];
    bool too_large;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
start_curl(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT))
        abort();
}

struct remote *
remote_new(void)
{
    struct remote *r = mem_new(sizeof *r);

    pthread_once(&once, start_curl);
    if (!(r->curl = curl_easy_init()))
        abort();
    return r;
}

void
remote_free(struct remote *r)
{
    if (!r)
        return;
    curl_easy_cleanup(r->curl);
    curl_slist_free_all(r->header);
    free(r);
}

static struct curl_slist *
add_line(struct curl_slist *list, const char *line)
{
    struct curl_slist *l = curl_slist_append(list, line);

    if (!l)
        abort();
    return l;
}

void
remote_header(struct remote *r, const char *line)
{
    if (line) {
        r->header = add_line(r->header, line);
        return;
    }
    curl_slist_free_all(r->header);
    r->header = NULL;
}

struct sink {
    struct remote *remote;
    struct buf *out;
};

static size_t
take(char *p, size_t size, size_t n, void *ctx)
{
    struct sink *s = ctx;

    if (size * n > REMOTE_MAX_ANSWER - s->out->len) {
        s->remote->too_large = true;
        return 0;
    }
    buf_add(s->out, p, size * n);
    return s->out->failed ? 0 : size * n;
}

static struct curl_slist *
call_headers(const struct remote *r, const char *type)
{
    /* Without this curl waits for "100 Continue" before a large body. */
    struct curl_slist *h = add_line(NULL, "Expect:");
    struct buf line;

    buf_init(&line);
    buf_puts(&line, "Content-Type:"); /* alone: no such header */
    if (type)
        buf_printf(&line, " %s", type);
    if (line.failed)
        abort();
    h = add_line(h, line.data);
    buf_fini(&line);
    for (const struct curl_slist *l = r->header; l; l = l->next)
        h = add_line(h, l->data);
    return h;
}

/* The settings that every call has.  The handle keeps its connections when
 * the settings are reset. */
static void
set_common(struct remote *r, const char *url, long timeout_ms)
{
    const char *none = getenv("no_proxy");
    struct buf direct;

    if (!none)
        none = getenv("NO_PROXY");
    buf_init(&direct);
    buf_puts(&direct, "localhost,127.0.0.1,::1");
    if (none && *none)
        buf_printf(&direct, ",%s", none);
    if (direct.failed)
        abort();
    curl_easy_reset(r->curl);
    curl_easy_setopt(r->curl, CURLOPT_URL, url);
    curl_easy_setopt(r->curl, CURLOPT_NOPROXY, direct.data);
    curl_easy_setopt(r->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(r->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(r->curl, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(r->curl, CURLOPT_ERRORBUFFER, r->text);
    buf_fini(&direct);
}

static void
set_method(struct remote *r, const char *method, const void *body, size_t len)
{
    if (!strcmp(method, "HEAD")) {
        curl_easy_setopt(r->curl, CURLOPT_NOBODY, 1L);
        return;
    }
    if (body || !strcmp(method, "POST")) {
        curl_easy_setopt(r->curl, CURLOPT_POST, 1L);
        curl_easy_setopt(r->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
        curl_easy_setopt(r->curl, CURLOPT_POSTFIELDS, body ? body : "");
    }
    curl_easy_setopt(r->curl, CURLOPT_CUSTOMREQUEST, method);
}

static bool
fail(const struct remote *r, CURLcode code, const char *url, struct error *err)
{
    const char *why = r->text[0] ? r->text : curl_easy_strerror(code);

    if (r->too_large)
        return error_set(err, ERR_LIMIT, "%s: answer over %d MiB", url,
                         REMOTE_MAX_ANSWER >> 20);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return error_set(err, ERR_TIMEOUT, "%s: %s", url, why);
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
        return error_set(err, ERR_PARSE, "%s: %s", url, why);
    if (code == CURLE_OUT_OF_MEMORY || code == CURLE_WRITE_ERROR)
        return error_set(err, ERR_NOMEM, "%s: no memory for the answer", url);
    return error_set(err, ERR_IO, "%s: %s", url, why);
}

bool
remote_call(struct remote *r, const struct remote_request *q, struct buf *out,
            long *status, struct error *err)
{
    struct sink sink = {r, out};
    struct curl_slist *headers = call_headers(r, q->type);
    CURLcode code;

    buf_clear(out);
    r->text[0] = 0;
    r->too_large = false;
    set_common(r, q->url, q->timeout_ms);
    set_method(r, q->method, q->body.p, q->body.n);
    curl_easy_setopt(r->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(r->curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(r->curl, CURLOPT_WRITEDATA, &sink);
    code = curl_easy_perform(r->curl);
    curl_easy_setopt(r->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    if (code)
        return fail(r, code, q->url, err);
    curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, status);
    return true;
}

const char *
remote_answer_header(struct remote *r, const char *name)
{
    struct curl_header *h;

    if (curl_easy_header(r->curl, name, 0, CURLH_HEADER, -1, &h))
        return NULL;
    return h->value;
}

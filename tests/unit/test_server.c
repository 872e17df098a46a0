/* Real HTTP over loopback: through libcurl, and by hand where libcurl would
 * not say such a thing.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "serve/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/loop.h"
#include "base/proc.h"
#include "base/remote.h"
#include "serve/predict.h"
#include "tests/lib/small_model.h"

enum { WAIT_MS = 20000 }; /* far beyond anything that works */

static struct model *binary, *multiclass, *regression;

static int
make_models(void **state)
{
    (void)state;
    binary = small_model(SMALL_BINARY);
    multiclass = small_model(SMALL_MULTICLASS);
    regression = small_model(SMALL_REGRESSION);
    return 0;
}

static int
drop_models(void **state)
{
    (void)state;
    model_unref(binary);
    model_unref(multiclass);
    model_unref(regression);
    return 0;
}

static struct server *
start(const struct model *m, struct server_options o)
{
    struct error err;
    struct server *s;

    if (!o.label)
        o.label = "churn/3";
    if (!o.threads)
        o.threads = 2;
    s = server_start(m, &o, &err);
    if (!s)
        fail_msg("server: %s", err.message);
    return s;
}

/* ---- by libcurl ---- */

static long
call(const struct server *s, const char *method, const char *path,
     const char *type, struct str body, struct buf *out)
{
    struct remote *r = remote_new();
    struct error err;
    struct buf url;
    long status = 0;

    buf_init(&url);
    buf_printf(&url, "%s%s", server_url(s), path);
    if (!remote_call(
            r, &(struct remote_request){method, url.data, type, body, WAIT_MS},
            out, &status, &err))
        fail_msg("%s %s: %s", method, path, err.message);
    buf_fini(&url);
    remote_free(r);
    return status;
}

static void
has(const struct buf *b, const char *part)
{
    if (!strstr(b->data, part))
        fail_msg("'%s' does not say '%s'", b->data, part);
}

/* ---- by hand ---- */

static int
dial(const struct server *s)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)server_port(s)),
                            .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    if (connect(fd, (struct sockaddr *)&a, sizeof a))
        fail_msg("connect: %s", strerror(errno));
    return fd;
}

static void
say(int fd, const char *text, size_t n)
{
    while (n) {
        ssize_t k = send(fd, text, n, MSG_NOSIGNAL);

        if (k < 0)
            return; /* the server has had enough: it will be read */
        text += k;
        n -= (size_t)k;
    }
}

/* All until the server closes; false when it does not. */
static bool
hear(int fd, struct buf *out)
{
    char step[4096];

    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ssize_t k;

        if (poll(&p, 1, WAIT_MS) != 1)
            return false;
        k = recv(fd, step, sizeof step, 0);
        if (k <= 0)
            return true;
        buf_add(out, step, (size_t)k);
    }
}

/* One answer with its Content-Length. */
static bool
hear_one(int fd, struct buf *out)
{
    for (;;) {
        const char *end = strstr(out->data, "\r\n\r\n"), *len;
        struct pollfd p = {.fd = fd, .events = POLLIN};
        char c;

        if (end) {
            len = strstr(out->data, "Content-Length: ");
            if (out->len >=
                (size_t)(end + 4 - out->data) + strtoul(len + 16, NULL, 10))
                return true;
        }
        if (poll(&p, 1, WAIT_MS) != 1 || recv(fd, &c, 1, 0) != 1)
            return false;
        buf_add(out, &c, 1);
    }
}

static void
exchange(const struct server *s, const char *text, struct buf *out)
{
    int fd = dial(s);

    buf_clear(out);
    say(fd, text, strlen(text));
    if (!hear(fd, out))
        fail_msg("no end of the answer to: %s", text);
    close(fd);
}

/* ---- what it answers ---- */

#define ROW                                                                \
    "{\"tenure\": 12, \"charges\": 79.5, \"senior\": true, \"contract\": " \
    "\"One year\", \"joined\": \"2020-01-31\"}"
#define ONE "{\"dataframe_records\": [" ROW "]}"
#define TENSORS                                                           \
    "{\"id\": \"x\", \"inputs\": ["                                       \
    "{\"name\": \"tenure\", \"shape\": [1], \"datatype\": \"INT64\", "    \
    "\"data\": [12]}, "                                                   \
    "{\"name\": \"charges\", \"shape\": [1, 1], \"datatype\": \"FP64\", " \
    "\"data\": [[79.5]]}, "                                               \
    "{\"name\": \"senior\", \"shape\": [1], \"datatype\": \"BOOL\", "     \
    "\"data\": [true]}, "                                                 \
    "{\"name\": \"contract\", \"shape\": [1], \"datatype\": \"BYTES\", "  \
    "\"data\": [\"One year\"]}, "                                         \
    "{\"name\": \"joined\", \"shape\": [1], \"datatype\": \"BYTES\", "    \
    "\"data\": [\"2020-01-31\"]}]}"

static const char json[] = "application/json";

static const struct {
    const char *method, *path, *type, *body;
    long status;
    const char *part;
} calls[] = {
    {"GET", "/ping", NULL, NULL, 200, "\n"},
    {"GET", "/health", NULL, NULL, 200, "\n"},
    {"GET", "/version", NULL, NULL, 200, PACKAGE_VERSION},
    {"GET", "/v2", NULL, NULL, 200, "\"extensions\":[\"binary_tensor_data\"]"},
    {"GET", "/v2/health/live", NULL, NULL, 200, "{\"live\":true}"},
    {"GET", "/v2/health/ready", NULL, NULL, 200, "{\"ready\":true}"},
    {"GET", "/v2/models/churn", NULL, NULL, 200, "\"name\":\"contract\""},
    {"GET", "/v2/models/churn/ready", NULL, NULL, 200,
     "{\"name\":\"churn\",\"ready\":true}"},
    {"GET", "/v2/models/churn/versions/3", NULL, NULL, 200,
     "\"versions\":[\"3\"]"},
    {"GET", "/v2/models/churn/versions/3/ready", NULL, NULL, 200, "true"},
    {"GET", "/v2/models/churn/versions/4", NULL, NULL, 404,
     "no version '4' of 'churn' here, this is '3'"},
    {"GET", "/v2/models/Churn", NULL, NULL, 404,
     "no model 'Churn' here, this is 'churn'"},
    {"GET", "/v2/models/churn/reddy", NULL, NULL, 404, "nothing at"},
    {"GET", "/pong", NULL, NULL, 404,
     "nothing at '/pong' (did you mean /ping?)"},
    {"GET", "/", NULL, NULL, 404, "nothing at '/'"},
    {"GET", "/invocations", NULL, NULL, 405, "only POST"},
    {"DELETE", "/ping", NULL, NULL, 405, "only GET"},
    {"POST", "/ping", json, "{}", 405, "only GET"},
    {"POST", "/invocations", json, ONE, 200, "{\"predictions\": [0."},
    {"POST", "/invocations", "application/json; charset=utf-8", ONE, 200,
     "predictions"},
    {"POST", "/invocations", "Application/JSON;charset=\"UTF-8\"", ONE, 200,
     "predictions"},
    {"POST", "/invocations", "application/json; charset=latin-1", ONE, 415,
     "a parameter of Content-Type is 'charset=latin-1'"},
    {"POST", "/invocations", "application/json; format=pandas", ONE, 415,
     "'format=pandas'"},
    {"POST", "/invocations", "text/plain", ONE, 415,
     "Content-Type is 'text/plain', expected application/json or text/csv"},
    {"POST", "/invocations", NULL, ONE, 415, "no Content-Type"},
    {"POST", "/invocations", json, "{", 400, "\"error_code\":\"BAD_REQUEST\""},
    {"POST", "/invocations", json, "[]", 400, "expected an object with one of"},
    {"POST", "/invocations", json,
     "{\"dataframe_records\": [{\"tenure\": \"abc\"}]}", 400,
     "row 1: field 'tenure' is 'abc', expected a number"},
    {"POST", "/invocations", json, "{\"dataframe_records\": []}", 200,
     "{\"predictions\": []}"},
    {"POST", "/invocations", "text/csv",
     "tenure,charges,senior,contract,joined\n12,79.5,true,One "
     "year,2020-01-31\n",
     200, "{\"predictions\": [0."},
    {"POST", "/invocations", "text/csv", "tenure\n12\n", 400,
     "no column 'charges'"},
    {"POST", "/v2/models/churn/infer", json, TENSORS, 200,
     "\"model_version\":\"3\",\"id\":\"x\""},
    {"POST", "/v2/models/churn/versions/3/infer", NULL, TENSORS, 200,
     "\"probability\""},
    {"POST", "/v2/models/churn/infer", "text/csv", TENSORS, 415, "text/csv"},
    {"POST", "/v2/models/churn/infer", json, "{}", 400,
     "{\"error\":\"the body: 'inputs' is missing\"}"},
    {"POST", "/v2/models/other/infer", json, TENSORS, 404, "no model 'other'"},
};

static void
test_every_route_answers_with_its_status_and_a_sentence(void **state)
{
    struct server *s = start(binary, (struct server_options){0});
    struct buf out;

    (void)state;
    buf_init(&out);
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        struct str body = str_of(calls[i].body);
        long got =
            call(s, calls[i].method, calls[i].path, calls[i].type, body, &out);

        if (got != calls[i].status)
            fail_msg("%s %s %s: got %ld, want %ld: %s", calls[i].method,
                     calls[i].path, calls[i].body, got, calls[i].status,
                     out.data);
        has(&out, calls[i].part);
    }
    buf_fini(&out);
    server_stop(s, 5000);
}

static void
test_a_wrong_method_is_told_the_right_ones(void **state)
{
    struct server *s = start(binary, (struct server_options){0});
    struct buf out;

    (void)state;
    buf_init(&out);
    exchange(s,
             "PUT /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
             "Connection: close\r\n\r\n",
             &out);
    has(&out, "HTTP/1.1 405 ");
    has(&out, "Allow: POST, OPTIONS\r\n");
    exchange(s,
             "OPTIONS /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
             "\r\n",
             &out);
    has(&out, "HTTP/1.1 204 ");
    has(&out, "Allow: GET, HEAD, OPTIONS\r\n");
    exchange(s,
             "HEAD /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
             "\r\n",
             &out);
    has(&out, "HTTP/1.1 200 ");
    if (!str_is((struct str){out.data + out.len - 4, 4}, "\r\n\r\n"))
        fail_msg("HEAD has a body: %s", out.data);
    buf_fini(&out);
    server_stop(s, 5000);
}

/* Every number of the answer is the very double that the model gave. */
static void
check_bits(const struct model *m, enum small_kind kind)
{
    static const char *const target[] = {"churn", "plan", "spend"};
    struct server *s = start(m, (struct server_options){0});
    struct frame *f = small_frame(kind, 300, 99), *in;
    struct error err;
    struct prediction want;
    struct buf body, out;
    struct json *root;
    const struct json *v;
    size_t i = 0;

    in = frame_drop(f, &target[kind], 1, &err);
    assert_ok(in != NULL, err);
    buf_init(&body);
    buf_init(&out);
    buf_puts(&body, "{\"dataframe_records\": ");
    frame_json(in, 0, 300, &body);
    buf_putc(&body, '}');
    assert_ok(model_predict(m, in, NULL, &want, &err), err);
    assert_int_equal(call(s, "POST", "/invocations", json,
                          (struct str){body.data, body.len}, &out),
                     200);
    root = json_parse((struct str){out.data, out.len}, &err);
    assert_ok(root != NULL, err);
    v = json_first(json_find(root, "predictions"));
    for (; v; v = json_next(v)) {
        const struct json *x = want.k == 1 ? v : json_first(v);

        for (size_t c = 0; c < want.k; c++, x = json_next(x), i++)
            if (json_number(x) != want.value[i])
                fail_msg("value %zu: got %.17g, want %.17g", i, json_number(x),
                         want.value[i]);
    }
    assert_int_equal(i, want.n * want.k);
    json_free(root);
    prediction_fini(&want);
    buf_fini(&out);
    buf_fini(&body);
    frame_unref(in);
    frame_unref(f);
    server_stop(s, 5000);
}

static void
test_answers_equal_the_prediction_in_process_to_the_last_bit(void **state)
{
    (void)state;
    check_bits(binary, SMALL_BINARY);
    check_bits(multiclass, SMALL_MULTICLASS);
    check_bits(regression, SMALL_REGRESSION);
}

static void
test_csv_is_answered_when_it_is_asked_for(void **state)
{
    struct server *s = start(binary, (struct server_options){0});
    struct remote *r = remote_new();
    struct error err;
    struct buf url, out;
    long status = 0;

    (void)state;
    buf_init(&url);
    buf_init(&out);
    buf_printf(&url, "%s/invocations", server_url(s));
    remote_header(r, "Accept: text/csv");
    assert_ok(remote_call(r,
                          &(struct remote_request){"POST", url.data, json,
                                                   str_of(ONE), WAIT_MS},
                          &out, &status, &err),
              err);
    assert_int_equal(status, 200);
    assert_string_equal(remote_answer_header(r, "Content-Type"),
                        "text/csv; charset=utf-8");
    assert_true(out.len > 3 && out.data[out.len - 1] == '\n' &&
                strtod(out.data, NULL) > 0 && strtod(out.data, NULL) < 1);
    buf_fini(&url);
    buf_fini(&out);
    remote_free(r);
    server_stop(s, 5000);
}

/* ---- limits ---- */

static void
test_a_body_over_the_limit_is_refused_however_it_is_sent(void **state)
{
    struct server *s = start(binary, (struct server_options){.max_body = 1000});
    struct buf out, text;

    (void)state;
    buf_init(&out);
    buf_init(&text);
    buf_puts(&text, "POST /invocations HTTP/1.1\r\nHost: x\r\nConnection: "
                    "close\r\nContent-Type: application/json\r\n"
                    "Content-Length: 200000\r\n\r\n");
    buf_fill(&text, ' ', 200000);
    exchange(s, text.data, &out);
    has(&out, "HTTP/1.1 413 ");
    has(&out, "the body is over the limit of 1000 bytes");

    buf_clear(&text);
    buf_puts(&text, "POST /invocations HTTP/1.1\r\nHost: x\r\nConnection: "
                    "close\r\nContent-Type: application/json\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 100; i++) {
        buf_puts(&text, "400\r\n");
        buf_fill(&text, ' ', 0x400);
        buf_puts(&text, "\r\n");
    }
    buf_puts(&text, "0\r\n\r\n");
    exchange(s, text.data, &out);
    has(&out, "HTTP/1.1 413 ");

    /* Who asks first is spared the sending. */
    exchange(s,
             "POST /invocations HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
             "Content-Type: application/json\r\nExpect: 100-continue\r\n"
             "Content-Length: 200000\r\n\r\n",
             &out);
    has(&out, "HTTP/1.1 413 ");
    buf_fini(&text);
    buf_fini(&out);
    server_stop(s, 5000);
}

static void
test_a_chunked_body_within_the_limit_is_read(void **state)
{
    struct server *s = start(binary, (struct server_options){0});
    struct buf out, text;

    (void)state;
    buf_init(&out);
    buf_init(&text);
    buf_puts(&text, "POST /invocations HTTP/1.1\r\nHost: x\r\nConnection: "
                    "close\r\nContent-Type: application/json\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n");
    for (const char *p = ONE; *p; p++)
        buf_printf(&text, "1\r\n%c\r\n", *p);
    buf_puts(&text, "0\r\n\r\n");
    exchange(s, text.data, &out);
    has(&out, "HTTP/1.1 200 ");
    has(&out, "{\"predictions\": [0.");
    buf_fini(&text);
    buf_fini(&out);
    server_stop(s, 5000);
}

static void
test_malformed_requests_get_a_4xx_and_the_server_lives(void **state)
{
    static const struct {
        const char *text, *status;
    } bad[] = {
        {"POST /invocations HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
         "HTTP/1.1 411 "},
        {"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
         "Content-Length: 4\r\nConnection: close\r\n\r\nabcd",
         " 400 "},
        {"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
         "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n",
         " 400 "},
        {"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n"
         "Connection: close\r\n\r\n",
         " 400 "},
        {"POST /invocations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n"
         "Connection: close\r\n\r\n",
         " 400 "},
        {"POST /invocations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked"
         "\r\nConnection: close\r\n\r\nzz\r\n",
         " 400 "},
        {"GET /ping HTTP/1.1\r\nConnection: close\r\n\r\n", " 400 "},
        {"GET /ping HTTP/9.9\r\nHost: x\r\n\r\n", " 505 "},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", " 505 "},
        {"GET /ping\r\n\r\n", ""},
        {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 what TLS says\r\n\r\n",
         ""},
        {"\r\n\r\n\r\n \r\n\r\n", ""},
    };
    struct server *s =
        start(binary, (struct server_options){.deadline_ms = 400});
    struct buf out;

    (void)state;
    buf_init(&out);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        exchange(s, bad[i].text, &out);
        if (!strstr(out.data, bad[i].status))
            fail_msg("%s: got '%s', want %s", bad[i].text, out.data,
                     bad[i].status);
    }
    assert_int_equal(call(s, "POST", "/invocations", json, STR(ONE), &out),
                     200);
    buf_fini(&out);
    server_stop(s, 5000);
}

static void
test_headers_over_the_limit_are_refused(void **state)
{
    struct server *s = start(binary, (struct server_options){0});
    struct buf out, text;

    (void)state;
    buf_init(&out);
    buf_init(&text);
    buf_puts(&text, "GET /ping HTTP/1.1\r\nHost: x\r\nX-Long: ");
    buf_fill(&text, 'a', 100000);
    buf_puts(&text, "\r\n\r\n");
    exchange(s, text.data, &out);
    if (out.len && !strstr(out.data, " 431 ") && !strstr(out.data, " 413 "))
        fail_msg("got %s", out.data);
    assert_int_equal(call(s, "GET", "/ping", NULL, STR(""), &out), 200);
    buf_fini(&text);
    buf_fini(&out);
    server_stop(s, 5000);
}

/* Two requests in one packet: two answers, in order. */
static void
test_pipelined_requests_are_answered_in_order(void **state)
{
    struct server *s = start(binary, (struct server_options){0});
    struct buf out;

    (void)state;
    buf_init(&out);
    exchange(s,
             "GET /version HTTP/1.1\r\nHost: x\r\n\r\n"
             "GET /pong HTTP/1.1\r\nHost: x\r\n\r\n"
             "GET /v2/health/live HTTP/1.1\r\nHost: x\r\nConnection: close"
             "\r\n\r\n",
             &out);
    assert_non_null(strstr(out.data, PACKAGE_VERSION));
    assert_non_null(strstr(strstr(out.data, PACKAGE_VERSION), " 404 "));
    assert_non_null(strstr(strstr(out.data, " 404 "), "{\"live\":true}"));
    buf_fini(&out);
    server_stop(s, 5000);
}

static void
test_a_client_that_has_closed_its_half_is_answered(void **state)
{
    static const char text[] =
        "POST /invocations HTTP/1.0\r\nContent-Type: application/json\r\n"
        "Content-Length: %zu\r\n\r\n" ONE;
    struct server *s = start(binary, (struct server_options){0});
    struct buf out, req;
    int fd = dial(s);

    (void)state;
    buf_init(&out);
    buf_init(&req);
    buf_printf(&req, text, strlen(ONE));
    say(fd, req.data, req.len);
    shutdown(fd, SHUT_WR);
    assert_true(hear(fd, &out));
    has(&out, " 200 ");
    has(&out, "{\"predictions\": [0.");
    close(fd);
    buf_fini(&req);
    buf_fini(&out);
    server_stop(s, 5000);
}

/* A byte now and then keeps a silence timeout from ever firing. */
static void
drip(const struct server *s, const char *head, const char *want)
{
    int fd = dial(s);
    struct buf out;
    int64_t end = loop_now_ms() + WAIT_MS;
    bool over = false;
    char step[512];

    buf_init(&out);
    say(fd, head, strlen(head));
    while (!over && loop_now_ms() < end) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ssize_t k;

        if (poll(&p, 1, 20) == 0) {
            say(fd, "a", 1);
            continue;
        }
        k = recv(fd, step, sizeof step, 0);
        over = k <= 0;
        if (k > 0)
            buf_add(&out, step, (size_t)k);
    }
    if (!over)
        fail_msg("never cut off: %s", head);
    has(&out, want);
    close(fd);
    buf_fini(&out);
}

static void
test_slow_clients_are_cut_off_however_busily_they_drip(void **state)
{
    struct server *s = start(
        binary, (struct server_options){.deadline_ms = 200, .idle_ms = 200});
    struct buf out;

    (void)state;
    buf_init(&out);
    drip(s, "", "");
    drip(s, "GET /pi", "");
    drip(s, "GET /ping HTTP/1.1\r\nHost: x\r\nX-a: ", "HTTP/1.1 408 ");
    drip(s,
         "POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: "
         "application/json\r\nContent-Length: 100000\r\n\r\n",
         "HTTP/1.1 408 ");
    drip(s, "GET /ping HTTP/1.1\r\nHost: x\r\n\r\nGET /", "HTTP/1.1 200 ");
    assert_int_equal(call(s, "GET", "/lathe/stats", NULL, STR(""), &out), 200);
    has(&out, "\"errors_4xx\":2");
    buf_fini(&out);
    server_stop(s, 5000);
}

/* Two may be open; the third is served when one has gone. */
static void
test_connections_over_the_limit_wait_their_turn(void **state)
{
    static const char ping[] = "GET /ping HTTP/1.1\r\nHost: x\r\n\r\n";
    struct server *s = start(
        binary, (struct server_options){.max_connections = 2, .threads = 1});
    int fd[3];
    struct buf out;
    struct pollfd p = {.events = POLLIN};

    (void)state;
    buf_init(&out);
    for (int i = 0; i < 3; i++) {
        fd[i] = dial(s);
        say(fd[i], ping, strlen(ping));
        if (i < 2) {
            buf_clear(&out);
            assert_true(hear_one(fd[i], &out));
        }
    }
    p.fd = fd[2];
    assert_int_equal(poll(&p, 1, 50), 0);
    close(fd[0]);
    buf_clear(&out);
    assert_true(hear_one(fd[2], &out));
    has(&out, " 200 ");
    close(fd[1]);
    close(fd[2]);
    buf_fini(&out);
    server_stop(s, 5000);
}

/* ---- the end ---- */

/* Requests that have reached the kernel before the stop are all answered:
 * those on open connections, and those on connections that no thread of the
 * server has accepted yet. */
static void
test_stop_answers_what_was_accepted(void **state)
{
    enum { N = 64 };
    struct server *s = start(binary, (struct server_options){0});
    struct buf req, out;
    int fd[N], idle = dial(s);

    (void)state;
    buf_init(&req);
    buf_init(&out);
    buf_printf(&req,
               "POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: "
               "application/json\r\nContent-Length: %zu\r\n\r\n%s",
               strlen(ONE), ONE);
    for (int i = 0; i < N; i++) {
        fd[i] = dial(s);
        say(fd[i], req.data, req.len);
    }
    server_stop(s, 10000);
    for (int i = 0; i < N; i++) {
        buf_clear(&out);
        assert_true(hear(fd[i], &out));
        if (!strstr(out.data, "HTTP/1.1 200 ") ||
            !strstr(out.data, "{\"predictions\": [0."))
            fail_msg("connection %d got '%s'", i, out.data);
        close(fd[i]);
    }
    buf_clear(&out);
    assert_true(hear(idle, &out));
    assert_int_equal(out.len, 0);
    close(idle);
    buf_fini(&req);
    buf_fini(&out);
}

/* A thread that was given more than its limit waited for itself for ever. */
static void
test_stop_ends_where_more_wait_than_may_come_in(void **state)
{
    enum { MANY = 24 };
    int fd[MANY];

    (void)state;
    for (unsigned threads = 1; threads <= 2; threads++) {
        struct server *s =
            start(binary, (struct server_options){.max_connections = 4,
                                                  .threads = threads});

        for (size_t i = 0; i < MANY; i++)
            fd[i] = dial(s);
        alarm(WAIT_MS / 1000);
        server_stop(s, 1000);
        alarm(0);
        for (size_t i = 0; i < MANY; i++)
            close(fd[i]);
    }
}

static void
test_a_stopped_server_leaves_its_port(void **state)
{
    struct server *s = start(binary, (struct server_options){0}), *again;
    unsigned port = server_port(s);
    struct error err;
    struct server_options o = {.port = port};

    (void)state;
    assert_null(server_start(binary, &o, &err));
    assert_int_equal(err.code, ERR_EXISTS);
    server_stop(s, 5000);
    again = start(binary, o);
    assert_int_equal(server_port(again), port);
    server_stop(again, 5000);
}

static void
test_an_impossible_address_is_an_error(void **state)
{
    struct error err;
    struct server_options o = {.host = "192.0.2.1"};

    (void)state;
    assert_null(server_start(binary, &o, &err));
    assert_non_null(strstr(err.message, "192.0.2.1"));
    o = (struct server_options){.port = 70000};
    assert_null(server_start(binary, &o, &err));
    assert_int_equal(err.code, ERR_RANGE);
}

static void
test_names_follow_from_the_label(void **state)
{
    static const struct {
        const char *label, *path;
    } c[] = {{"churn/12", "/v2/models/churn/versions/12"},
             {"my model.lathe", "/v2/models/my-model/versions/1"},
             {"run 1234abcd", "/v2/models/run-1234abcd"}};
    struct buf out;

    (void)state;
    buf_init(&out);
    for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
        struct server *s =
            start(binary, (struct server_options){.label = c[i].label});

        assert_int_equal(call(s, "GET", c[i].path, NULL, STR(""), &out), 200);
        server_stop(s, 5000);
    }
    buf_fini(&out);
}

/* ---- what it counts ---- */

static void
test_metrics_and_stats_tell_what_was_asked(void **state)
{
    struct server *s = start(binary, (struct server_options){.sla_ms = 20});
    struct buf out, body;

    (void)state;
    buf_init(&out);
    buf_init(&body);
    buf_puts(&body, "{\"dataframe_records\": [");
    for (int i = 0; i < 150; i++)
        buf_printf(&body, "%s%s", i ? ", " : "", ROW);
    buf_puts(&body, "]}");
    call(s, "POST", "/invocations", json, (struct str){body.data, body.len},
         &out);
    call(s, "POST", "/invocations", json, STR("{}"), &out);
    call(s, "GET", "/ping", NULL, STR(""), &out);
    /* Rows are counted once the answer has left, or by who asks before. */
    call(s, "GET", "/lathe/stats", NULL, STR(""), &out);
    has(&out, "\"model\":\"churn\",\"version\":\"3\",\"label\":\"churn/3\"");
    has(&out, "\"sla_ms\":20");
    has(&out, "\"requests\":2,\"errors_4xx\":1,\"errors_5xx\":0,\"rows\":150");
    /* A hundred and fifty times the same row: every input has drifted. */
    has(&out, "\"name\":\"tenure\",\"psi\":");
    has(&out, "\"n\":150,\"level\":\"major\"");
    call(s, "GET", "/metrics", NULL, STR(""), &out);
    has(&out, "nv_inference_request_success{model=\"churn\",version=\"3\"} 1");
    has(&out, "nv_inference_count{model=\"churn\",version=\"3\"} 150");
    has(&out, "lathe_drift_score{model=\"churn\",feature=\"contract\",test="
              "\"psi\"} ");
    has(&out, "process_resident_memory_bytes ");
    buf_fini(&body);
    buf_fini(&out);
    server_stop(s, 5000);
}

static void
test_wrk_finds_no_error_under_load(void **state)
{
    const char *argv[] = {"wrk", "-t1", "-c8", "-d1s", "-s", NULL, NULL, NULL};
    struct server *s = start(binary, (struct server_options){0});
    char path[] = "/tmp/lathe-wrk-XXXXXX";
    int fd = mkstemp(path), status = 0;
    struct buf text, url, out;
    struct error err;
    bool ran;

    (void)state;
    buf_init(&text);
    buf_init(&url);
    buf_init(&out);
    assert_true(fd >= 0);
    buf_puts(&text, "wrk.method = 'POST'\nwrk.body = [[" ONE "]]\n"
                    "wrk.headers['Content-Type'] = 'application/json'\n");
    assert_int_equal(write(fd, text.data, text.len), (ssize_t)text.len);
    close(fd);
    buf_printf(&url, "%s/invocations", server_url(s));
    argv[5] = path;
    argv[6] = url.data;
    ran = proc_capture(argv, WAIT_MS, NULL, &out, &status, &err);
    unlink(path);
    if (ran) {
        assert_int_equal(status, 0);
        has(&out, "requests in");
        assert_null(strstr(out.data, "Non-2xx"));
        assert_null(strstr(out.data, "Socket errors"));
    }
    buf_fini(&text);
    buf_fini(&url);
    buf_fini(&out);
    server_stop(s, 5000);
    if (!ran)
        skip();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_every_route_answers_with_its_status_and_a_sentence),
        cmocka_unit_test(test_a_wrong_method_is_told_the_right_ones),
        cmocka_unit_test(
            test_answers_equal_the_prediction_in_process_to_the_last_bit),
        cmocka_unit_test(test_csv_is_answered_when_it_is_asked_for),
        cmocka_unit_test(
            test_a_body_over_the_limit_is_refused_however_it_is_sent),
        cmocka_unit_test(test_a_chunked_body_within_the_limit_is_read),
        cmocka_unit_test(
            test_malformed_requests_get_a_4xx_and_the_server_lives),
        cmocka_unit_test(test_headers_over_the_limit_are_refused),
        cmocka_unit_test(test_pipelined_requests_are_answered_in_order),
        cmocka_unit_test(test_a_client_that_has_closed_its_half_is_answered),
        cmocka_unit_test(
            test_slow_clients_are_cut_off_however_busily_they_drip),
        cmocka_unit_test(test_connections_over_the_limit_wait_their_turn),
        cmocka_unit_test(test_stop_answers_what_was_accepted),
        cmocka_unit_test(test_stop_ends_where_more_wait_than_may_come_in),
        cmocka_unit_test(test_a_stopped_server_leaves_its_port),
        cmocka_unit_test(test_an_impossible_address_is_an_error),
        cmocka_unit_test(test_names_follow_from_the_label),
        cmocka_unit_test(test_metrics_and_stats_tell_what_was_asked),
        cmocka_unit_test(test_wrk_finds_no_error_under_load),
    };

    (void)cmocka_run_group_tests(tests, make_models, drop_models);
    return 0;
}

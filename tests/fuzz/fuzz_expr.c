/* Fuzz target: an expression from outside, read, bound and evaluated over a
 * small table of every type.  With clang:
 *   clang -fsanitize=fuzzer,address,undefined ... tests/fuzz/fuzz_expr.c
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "frame/builder.h"
#include "frame/expr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { N_COLS = 8, N_ROWS = 5 };

/* Our own mistake, not the input's. */
static void
must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static struct frame *
table(void)
{
    static const char *const names[N_COLS] = {"a",    "b",   "c", "city",
                                              "word", "day", "t", "odd name"};
    static const enum col_type types[N_COLS] = {
        COL_INT64, COL_FLOAT64, COL_BOOL,      COL_TEXT,
        COL_TEXT,  COL_DATE,    COL_TIMESTAMP, COL_INT64};
    static const char *const rows[N_ROWS][N_COLS] = {
        {"1", "1.5", "true", "Bern", "", "2024-02-29", "2024-02-29 23:30:00",
         "1"},
        {"-9223372036854775807", "-inf", "false", "Z\xc3\xbcrich", "12",
         "0001-01-01", "1969-12-31 23:59:59", "2"},
        {"9223372036854775807", "nan", "true", "\xff\xfe", "2024-01-01",
         "9999-12-31", "9999-12-31 00:00:00", "3"},
        {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
        {"0", "-0", "false", "Bern", "true", "1970-01-01",
         "1970-01-01 00:00:00", "0"}};
    struct error err;
    struct builder *b = builder_new(N_COLS, names, types, &err);
    struct frame *f;

    must(b, "no builder");
    for (size_t r = 0; r < N_ROWS; r++) {
        for (size_t c = 0; c < N_COLS; c++)
            if (rows[r][c])
                must(builder_parse(b, c, str_of(rows[r][c]), &err), rows[r][c]);
        must(builder_end_row(b, &err), "no row");
    }
    f = builder_finish(b, &err);
    must(f, "no frame");
    return f;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct frame *f;
    struct error err = {0};
    struct expr *e;
    enum col_type type;
    struct column *c;

    if (!f)
        f = table();
    if (!(e = expr_parse((struct str){(const char *)data, len}, &err))) {
        must(err.code != ERR_NONE && err.message[0], "a silent refusal");
        return 0;
    }
    if (expr_check(e, f, &type, &err)) {
        c = expr_eval(e, f, NULL, &err);
        must(c || err.code == ERR_LIMIT || err.code == ERR_NOMEM,
             "checked, and yet not evaluated");
        must(!c || column_type(c) == type, "not the type that was promised");
        must(!c || column_rows(c) == N_ROWS, "not a value a row");
        for (size_t i = 0; c && i < N_ROWS; i++) {
            struct buf b;

            buf_init(&b);
            column_print(c, i, &b);
            buf_fini(&b);
        }
        column_unref(c);
    } else {
        must(err.code != ERR_NONE && err.message[0], "a silent refusal");
    }
    expr_free(e);
    return 0;
}

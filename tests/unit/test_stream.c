/* Batches of rows, one after the other.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "frame/stream.h"

static struct frame *
table(const char *text)
{
    struct csv_table t;
    struct error err;

    if (!csv_parse(str_of(text), "test", NULL, NULL, NULL, &t, &err))
        fail_msg("%s", err.message);
    frame_unref(t.rejects);
    return t.frame;
}

static const char FIVE[] = "id,name\n1,ann\n2,bob\n3,\n4,dan\n5,ann\n";

/* The ids of the rest of a stream, in order, a bar between batches. */
static void
read_ids(struct stream *s, char *out)
{
    struct frame *f;
    struct error err;

    for (out[0] = '\0';; frame_unref(f)) {
        if (!stream_next(s, &f, &err))
            fail_msg("%s", err.message);
        if (!f)
            return;
        if (out[0])
            strcat(out, "|");
        for (size_t i = 0; i < frame_rows(f); i++) {
            char one[2] = {(char)('0' + column_int64s(frame_column(f, 0))[i])};

            strcat(out, one);
        }
    }
}

static void
a_frame_streams_in_slices_and_again(void **state)
{
    struct frame *f = table(FIVE);
    struct error err;
    struct stream *s = stream_of_frame(f, 2, NULL, NULL, &err);
    char ids[64];
    uint64_t n;

    (void)state;
    assert_non_null(s);
    frame_unref(f); /* the stream has its own reference */
    assert_int_equal(stream_cols(s), 2);
    assert_string_equal(stream_name(s, 1), "name");
    assert_int_equal(stream_type(s, 1), COL_TEXT);
    assert_int_equal(stream_find(s, "name"), 1);
    assert_true(stream_rows(s, &n));
    assert_int_equal(n, 5);
    read_ids(s, ids);
    assert_string_equal(ids, "12|34|5");
    read_ids(s, ids);
    assert_string_equal(ids, "");
    assert_true(stream_rewind(s, &err));
    read_ids(s, ids);
    assert_string_equal(ids, "12|34|5");
    stream_close(s);
}

static void
a_stopped_stream_says_so(void **state)
{
    struct frame *f = table(FIVE), *batch;
    struct progress g;
    struct error err;
    struct stream *s;

    (void)state;
    progress_init(&g);
    s = stream_of_frame(f, 2, NULL, &g, &err);
    assert_non_null(s);
    progress_stop(&g);
    assert_false(stream_next(s, &batch, &err));
    assert_int_equal(err.code, ERR_CANCELLED);
    stream_close(s);
    frame_unref(f);
}

static void
every_failing_allocation_is_reported(void **state)
{
    struct frame *f = table(FIVE);
    struct error err;
    bool done = false;

    (void)state;
    for (unsigned long n = 1; !done; n++) {
        struct frame *batch = NULL;
        struct stream *s;

        mem_fault_arm(n, true);
        s = stream_of_frame(f, 2, NULL, NULL, &err);
        done = s && stream_next(s, &batch, &err);
        mem_fault_arm(0, false);
        if (!done)
            assert_int_equal(err.code, ERR_NOMEM);
        frame_unref(batch);
        stream_close(s);
        assert_true(n < 100);
    }
    frame_unref(f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_streams_in_slices_and_again),
        cmocka_unit_test(a_stopped_stream_says_so),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };

    cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}

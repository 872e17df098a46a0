/* tests/lib/close.h -- what every unit test includes, numbers that are close
 * enough, and what ThreadSanitizer cannot run.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_TESTS_CLOSE_H
#define LATHE_TESTS_CLOSE_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/error.h"

/* |got - want| <= tolerance * max(1, |want|); prints both when not. */
#define assert_close(got, want, tolerance)                                    \
    do {                                                                      \
        double close_got = (got), close_want = (want);                        \
        if (!(fabs(close_got - close_want) <=                                 \
              (tolerance)*fmax(1.0, fabs(close_want))))                       \
            fail_msg("%s is %.17g, want %.17g", #got, close_got, close_want); \
    } while (0)

/* A call that must succeed: the message says why it did not. */
#define assert_ok(call, err)                          \
    do {                                              \
        if (!(call))                                  \
            fail_msg("%s: %s", #call, (err).message); \
    } while (0)

/* It keeps signals back until a call that waits: Lua that only computes never
 * sees the timer's.  Nor can it follow threads that start after a fork(). */
#ifdef __SANITIZE_THREAD__
#define SKIP_UNDER_TSAN() skip()
#else
#define SKIP_UNDER_TSAN() (void)0
#endif
#endif

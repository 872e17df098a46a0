/* Files without a name, for what does not fit in memory.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/spill.h"

static char folder[] = "/tmp/lathe-spill-test.XXXXXX";

static int
make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? setenv("LATHE_SPILL", folder, 1) : -1;
}

static int
remove_folder(void **state)
{
    (void)state;
    return rmdir(folder); /* fails when something was left in it */
}

static void
what_is_appended_is_read_back(void **state)
{
    char got[8] = "";
    struct error err;
    int fd = spill_open(&err);

    (void)state;
    assert_true(fd >= 0);
    assert_true(spill_append(fd, "one ", 4, &err));
    assert_true(spill_append(fd, "two", 3, &err));
    assert_true(spill_read(fd, 0, got, 7, &err));
    assert_string_equal(got, "one two");
    assert_true(spill_read(fd, 4, got, 3, &err));
    assert_memory_equal(got, "two", 3);
    assert_false(spill_read(fd, 4, got, 4, &err));
    assert_int_equal(err.code, ERR_IO);
    close(fd);
}

static void
the_folder_never_shows_them(void **state)
{
    struct error err;
    int fd = spill_open(&err), n = 0;
    DIR *d = opendir(folder);

    (void)state;
    assert_true(fd >= 0);
    while (readdir(d))
        n++;
    assert_int_equal(n, 2); /* . and .. */
    closedir(d);
    close(fd);
}

static void
a_full_disk_names_the_remedy(void **state)
{
    struct error err;
    int fd = open("/dev/full", O_WRONLY);

    (void)state;
    assert_true(fd >= 0);
    assert_false(spill_append(fd, "x", 1, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.message, "No space left on device"));
    assert_non_null(strstr(err.message, "LATHE_SPILL"));
    close(fd);
}

static void
a_folder_that_is_not_there_is_named(void **state)
{
    struct error err;

    (void)state;
    setenv("LATHE_SPILL", "/nowhere/at all", 1);
    assert_int_equal(spill_open(&err), -1);
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.message, "/nowhere/at all"));
    setenv("LATHE_SPILL", folder, 1);
}

static void
failing_calls_are_reported(void **state)
{
    struct error err;
    int fd;

    (void)state;
    mem_fault_arm(1, true);
    assert_int_equal(spill_open(&err), -1);
    mem_fault_arm(0, false);
    fd = spill_open(&err);
    assert_true(fd >= 0);
    mem_fault_arm(1, true);
    assert_false(spill_append(fd, "x", 1, &err));
    mem_fault_arm(0, false);
    close(fd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_appended_is_read_back),
        cmocka_unit_test(the_folder_never_shows_them),
        cmocka_unit_test(a_full_disk_names_the_remedy),
        cmocka_unit_test(a_folder_that_is_not_there_is_named),
        cmocka_unit_test(failing_calls_are_reported),
    };

    cmocka_run_group_tests(tests, make_folder, remove_folder);
    return 0;
}

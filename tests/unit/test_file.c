/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/torn.h"
#include "tests/lib/close.h"

static char dir[] = "/tmp/lathe-file.XXXXXX";

static int
enter_folder(void **state)
{
    (void)state;
    return mkdtemp(dir) ? chdir(dir) : -1;
}

static int
leave_folder(void **state)
{
    static const char *const names[] = {"a", "b", "old", "d/e/f", "d/e", "d"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        remove(names[i]);
    return chdir("/") || rmdir(dir);
}

static size_t
files_here(void)
{
    DIR *d = opendir(".");
    size_t n = 0;

    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static unsigned
mode_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 0777;
}

/* As open(2) and every editor that saves. */
static void
test_a_file_gets_the_mode_of_the_umask_and_keeps_its_own(void **state)
{
    mode_t mask = umask(027);
    struct error err;

    (void)state;
    assert_ok(file_replace("mode", "a", 1, 0666, &err), err);
    assert_int_equal(mode_of("mode"), 0640);
    assert_int_equal(chmod("mode", 0604), 0);
    assert_ok(file_replace("mode", "b", 1, 0666, &err), err);
    assert_int_equal(mode_of("mode"), 0604);
    assert_ok(file_replace("mode", "c", 1, 0600, &err), err);
    assert_int_equal(mode_of("mode"), 0600);
    assert_int_equal(unlink("mode"), 0);
    umask(mask);
}

static void
test_a_replaced_file_is_whole_or_as_it_was_at_every_fault(void **state)
{
    struct error err;
    struct buf b;
    size_t before;
    unsigned long n;

    (void)state;
    buf_init(&b);
    assert_ok(file_replace("old", "old text", 8, 0644, &err), err);
    before = files_here();
    for (n = 1;; n++) {
        bool ok;

        mem_fault_arm(n, false);
        ok = file_replace("old", "new", 3, 0644, &err);
        mem_fault_arm(0, false);
        buf_clear(&b);
        assert_ok(file_read("old", 100, &b, &err), err);
        assert_true(strcmp(b.data, "old text") == 0 ||
                    strcmp(b.data, "new") == 0);
        assert_int_equal(files_here(), before);
        if (ok)
            break;
    }
    assert_true(n > 3);
    assert_string_equal(b.data, "new");
    buf_fini(&b);
}

static void
test_a_mapped_file_shows_its_bytes_and_a_folder_is_refused(void **state)
{
    struct file_map m;
    struct error err;

    (void)state;
    assert_ok(file_replace("a", "abc", 3, 0600, &err), err);
    assert_ok(file_map_open(&m, "a", NULL, &err), err);
    assert_int_equal(m.len, 3);
    assert_memory_equal(m.data, "abc", 3);
    file_map_close(&m);
    assert_false(file_map_open(&m, "/", NULL, &err));
    assert_string_equal(err.message, "/: is a folder, expected a file");
    assert_false(file_map_open(&m, "absent", NULL, &err));
    assert_int_equal(err.code, ERR_NOTFOUND);
    assert_ok(file_replace("a", "", 0, 0600, &err), err);
    assert_ok(file_map_open(&m, "a", NULL, &err), err);
    assert_int_equal(m.len, 0);
    file_map_close(&m);
}

static void
test_a_pipe_that_keeps_silent_is_given_up_when_stopped(void **state)
{
    struct progress p;
    struct file_map m;
    struct error err;

    (void)state;
    progress_init(&p);
    assert_int_equal(mkfifo("pipe", 0600), 0);
    int fd = open("pipe", O_RDWR); /* a writer that does not write */
    assert_true(fd >= 0);
    progress_stop(&p);
    assert_false(file_map_open(&m, "pipe", &p, &err));
    assert_int_equal(err.code, ERR_CANCELLED);
    assert_string_equal(err.message, "pipe: cancelled");
    close(fd);
    unlink("pipe");
}

static void
test_a_file_larger_than_the_limit_is_refused(void **state)
{
    struct buf b;
    struct error err;

    (void)state;
    buf_init(&b);
    assert_ok(file_replace("b", "12345", 5, 0600, &err), err);
    assert_false(file_read("b", 4, &b, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    buf_clear(&b);
    assert_ok(file_read("b", 5, &b, &err), err);
    buf_fini(&b);
}

static void
test_folders_are_made_down_the_path(void **state)
{
    struct error err;
    struct stat st;

    (void)state;
    assert_ok(file_make_dirs("d/e", 0755, &err), err);
    assert_ok(file_make_dirs("d/e", 0755, &err), err);
    assert_int_equal(stat("d/e", &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    assert_ok(file_append("d/e/f", "x", 1, &err), err);
    assert_false(file_make_dirs("d/e/f/g", 0755, &err));
}

/* python3-xxhash / xxhsum -H2 of "abc": XXH3 128 bits. */
static void
test_the_hash_is_xxh3_of_128_bits(void **state)
{
    char hex[33];

    (void)state;
    file_hash("abc", 3, hex);
    assert_string_equal(hex, "06b05ab6733a618578af5f94892f3950");
}

static void
test_a_file_in_pieces_is_there_only_once_committed(void **state)
{
    struct error err;
    struct file_out o;
    struct buf b;

    (void)state;
    assert_ok(file_out_open(&o, "pieces", &err), err);
    assert_ok(file_out_write(&o, "one ", 4, &err), err);
    file_out_drop(&o);
    assert_false(file_exists("pieces"));
    assert_ok(file_out_open(&o, "pieces", &err), err);
    assert_ok(file_out_write(&o, "one ", 4, &err), err);
    assert_ok(file_out_write(&o, "two", 3, &err), err);
    assert_false(file_exists("pieces"));
    assert_ok(file_out_commit(&o, 0600, &err), err);
    buf_init(&b);
    assert_ok(file_read("pieces", 100, &b, &err), err);
    assert_string_equal(b.data, "one two");
    buf_fini(&b);
    unlink("pieces");
}

/* What was made of it does not appear. */
static void
a_file_written_while_a_mapping_is_torn_does_not_appear(void **state)
{
    struct file_map m;
    struct file_out o;
    struct error err;
    unsigned mark;

    (void)state;
    assert_ok(file_replace("cut", "0123456789", 10, 0600, &err), err);
    assert_ok(file_map_open(&m, "cut", NULL, &err), err);
    assert_ok(file_out_open(&o, "made", &err), err);
    assert_int_equal(truncate("cut", 9), 0);
    assert_ok(file_out_write(&o, m.data, m.len, &err), err);
    assert_false(file_out_commit(&o, 0600, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_false(file_exists("made"));
    /* Known by now: other work may go on, but no one may keep it. */
    mark = torn_mark();
    assert_ok(torn_check(mark, false, &err), err);
    assert_false(torn_check(mark, true, &err));
    file_map_close(&m);
    assert_ok(torn_check(mark, true, &err), err);
    /* Replaced, it is another file. */
    assert_ok(file_map_open(&m, "cut", NULL, &err), err);
    assert_ok(file_replace("cut", "0", 1, 0600, &err), err);
    assert_ok(torn_check(mark, true, &err), err);
    file_map_close(&m);
    assert_int_equal(unlink("cut"), 0);
}

/* Killed before anything is written, amid it, and with all of it there. */
static void
a_kill_in_the_middle_of_a_write_leaves_nothing_behind(void **state)
{
    struct error err;
    struct file_out o;
    size_t before;

    (void)state;
    assert_ok(file_replace("killed", "as it was", 9, 0600, &err), err);
    before = files_here();
    assert_ok(file_out_open(&o, "killed", &err), err);
    if (o.temporary) {
        file_out_drop(&o);
        unlink("killed");
        skip();
    }
    file_out_drop(&o);
    for (int pieces = 0; pieces < 3; pieces++) {
        pid_t child = fork();
        int status;

        if (child == 0) {
            if (!file_out_open(&o, "killed", &err))
                _exit(1);
            for (int i = 0; i < pieces; i++)
                if (!file_out_write(&o, "new", 3, &err))
                    _exit(1);
            raise(SIGKILL);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        assert_int_equal(files_here(), before);
    }
    assert_int_equal(unlink("killed"), 0);
}

/* A link cannot replace, but what it goes through is renamed at once. */
static void
a_committed_file_replaces_a_file_and_a_link_and_not_a_folder(void **state)
{
    struct error err;
    struct stat st;
    size_t before;

    (void)state;
    before = files_here();
    assert_int_equal(symlink("nowhere", "link"), 0);
    assert_ok(file_replace("link", "a", 1, 0600, &err), err);
    assert_int_equal(lstat("link", &st), 0);
    assert_true(S_ISREG(st.st_mode));
    assert_int_equal(st.st_nlink, 1);
    assert_int_equal(unlink("link"), 0);
    assert_int_equal(mkdir("folder", 0700), 0);
    assert_false(file_replace("folder", "a", 1, 0600, &err));
    assert_int_equal(rmdir("folder"), 0);
    assert_false(file_replace("none/a", "a", 1, 0600, &err));
    assert_int_equal(files_here(), before);
}

/* /dev/stdout, /dev/full: what is there must stay what it is. */
static void
a_pipe_is_written_to_and_not_replaced(void **state)
{
    struct error err;
    struct stat st;
    char got[4] = "";
    int fd;

    (void)state;
    assert_int_equal(mkfifo("a", 0600), 0);
    fd = open("a", O_RDWR | O_NONBLOCK); /* so that nobody waits */
    assert_true(fd >= 0);
    assert_ok(file_replace("a", "abc", 3, 0644, &err), err);
    assert_int_equal(read(fd, got, 3), 3);
    assert_string_equal(got, "abc");
    assert_int_equal(stat("a", &st), 0);
    assert_true(S_ISFIFO(st.st_mode));
    close(fd);
    remove("a");
}

static void
a_file_that_becomes_shorter_is_read_as_zeros_and_told(void **state)
{
    enum { LEN = 1 << 20, LEFT = 5000 };
    struct file_map m, other;
    struct error err;
    unsigned mark;
    struct buf b;

    (void)state;
    buf_init(&b);
    buf_fill(&b, 'x', LEN);
    assert_ok(file_replace("a", b.data, b.len, 0600, &err), err);
    mark = torn_mark();
    assert_ok(file_map_open(&m, "a", NULL, &err), err);
    assert_ok(torn_check(mark, true, &err), err);
    assert_ok(file_map_whole(&m, &err), err);
    assert_int_equal(truncate("a", LEFT), 0);
    assert_int_equal(m.data[LEFT - 1], 'x');
    assert_int_equal(m.data[LEN - 1], 0);
    assert_null(memchr(m.data + LEFT, 'x', LEN - LEFT));
    assert_false(file_map_whole(&m, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_string_equal(err.message, "it became shorter while it was read: "
                                     "1048576 bytes, now 5000");
    assert_false(torn_check(mark, false, &err));
    assert_string_equal(err.message,
                        "a: it became shorter while it was in use, so nothing "
                        "made of it counts; read it again");
    /* Longer again: what was read is still not what it was. */
    assert_int_equal(truncate("a", LEN), 0);
    assert_false(file_map_whole(&m, &err));
    assert_ok(file_map_open(&other, "a", NULL, &err), err);
    assert_ok(file_map_whole(&other, &err), err);
    file_map_close(&m);
    file_map_close(&other);
    buf_fini(&b);
}

/* A map of memory has no file: descriptor 0 is somebody else's. */
static void
closing_a_map_of_memory_closes_no_descriptor(void **state)
{
    struct file_map m;
    struct file_hold *h;
    struct error err;
    char *data = mem_try_text("abc", 3, &err);

    (void)state;
    assert_true(fcntl(0, F_GETFD) >= 0 || open("/dev/null", O_RDONLY) == 0);
    assert_true(file_map_memory(&m, data, 3, &err));
    assert_non_null(h = file_hold_new(&m, &err));
    file_hold_unref(h);
    assert_true(fcntl(0, F_GETFD) >= 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pipe_is_written_to_and_not_replaced),
        cmocka_unit_test(closing_a_map_of_memory_closes_no_descriptor),
        cmocka_unit_test(a_kill_in_the_middle_of_a_write_leaves_nothing_behind),
        cmocka_unit_test(
            a_committed_file_replaces_a_file_and_a_link_and_not_a_folder),
        cmocka_unit_test(a_file_that_becomes_shorter_is_read_as_zeros_and_told),
        cmocka_unit_test(
            test_a_file_gets_the_mode_of_the_umask_and_keeps_its_own),
        cmocka_unit_test(
            test_a_replaced_file_is_whole_or_as_it_was_at_every_fault),
        cmocka_unit_test(
            test_a_mapped_file_shows_its_bytes_and_a_folder_is_refused),
        cmocka_unit_test(
            test_a_pipe_that_keeps_silent_is_given_up_when_stopped),
        cmocka_unit_test(test_a_file_larger_than_the_limit_is_refused),
        cmocka_unit_test(test_folders_are_made_down_the_path),
        cmocka_unit_test(test_the_hash_is_xxh3_of_128_bits),
        cmocka_unit_test(test_a_file_in_pieces_is_there_only_once_committed),
        cmocka_unit_test(
            a_file_written_while_a_mapping_is_torn_does_not_appear),
    };

    (void)cmocka_run_group_tests(tests, enter_folder, leave_folder);
    return 0;
}

/* tests/unit/test_attach_wire.c
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "ui/attach_wire.h"

static char packet[WIRE_PACKET_MAX + 1];

static void
pair(int fd[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fd),
                     0);
}

static void
test_fields_and_descriptors_arrive(void **state)
{
    int fd[2], sent[2] = {0, 1}, got[2];
    const char *f[4];
    struct buf b;
    ssize_t len;

    (void)state;
    pair(fd);
    buf_init(&b);
    buf_putc(&b, 'H');
    wire_field(&b, "one");
    wire_field(&b, NULL);
    wire_field(&b, "three");
    assert_true(wire_send(fd[0], &b, sent));
    len = wire_receive(fd[1], packet, got);
    assert_int_equal(len, b.len);
    assert_true(got[0] >= 0 && got[1] >= 0);
    assert_int_equal(wire_split(packet + 1, (size_t)len - 1, f, 4), 3);
    assert_string_equal(f[0], "one");
    assert_string_equal(f[1], "");
    assert_string_equal(f[2], "three");
    wire_close(got, 2);
    wire_close(fd, 2);
    buf_fini(&b);
}

static void
test_descriptors_nobody_wants_are_closed(void **state)
{
    int fd[2], sent[2];
    struct buf b = {.data = "W", .len = 1};
    int probe;

    (void)state;
    pair(fd);
    sent[0] = sent[1] = fd[0];
    probe = open("/dev/null", O_RDONLY);
    close(probe);
    assert_true(wire_send(fd[0], &b, sent));
    assert_int_equal(wire_receive(fd[1], packet, NULL), 1);
    int again = open("/dev/null", O_RDONLY);

    assert_int_equal(again, probe);
    close(again);
    wire_close(fd, 2);
}

/* The kernel reports a reset when a socket is closed with something unread,
 * before it hands out what was sent on it earlier. */
static void
test_last_words_are_heard_though_ours_were_not(void **state)
{
    int fd[2];
    struct buf b = {.data = "q0", .len = 2};

    (void)state;
    pair(fd);
    assert_true(wire_letter(fd[0], 'W'));
    assert_true(wire_send(fd[1], &b, NULL));
    close(fd[1]);
    assert_int_equal(wire_receive(fd[0], packet, NULL), 2);
    assert_string_equal(packet, "q0");
    assert_int_equal(wire_receive(fd[0], packet, NULL), 0);
    close(fd[0]);
}

static void
test_nothing_there_is_not_the_end(void **state)
{
    int fd[2];

    (void)state;
    pair(fd);
    assert_int_equal(wire_receive(fd[0], packet, NULL), -1);
    assert_true(wire_same_user(fd[0]));
    wire_close(fd, 2);
}

static void
test_folder_of_sockets_must_be_private(void **state)
{
    char dir[] = "/tmp/lathe-wire.XXXXXX", inner[64], path[WIRE_PATH_MAX];
    char other[WIRE_PATH_MAX];
    struct error err;
    struct stat st;

    (void)state;
    assert_non_null(mkdtemp(dir));
    setenv("XDG_RUNTIME_DIR", dir, 1);
    snprintf(inner, sizeof inner, "%s/lathe", dir);
    assert_true(wire_path(dir, path, &err));
    assert_int_equal(stat(inner, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(strncmp(path, inner, strlen(inner)), 0);
    /* One that others may write to is not used. */
    assert_int_equal(chmod(inner, 0777), 0);
    assert_true(wire_path(dir, other, &err));
    assert_int_not_equal(strncmp(other, inner, strlen(inner)), 0);
    assert_false(wire_path("/no/such/project", other, &err));
    rmdir(inner);
    rmdir(dir);
}

static void
test_nobody_listens_behind_a_stale_socket(void **state)
{
    char dir[] = "/tmp/lathe-wire.XXXXXX", path[64];
    struct error err;
    int fd;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/s.sock", dir);
    fd = wire_listen(path, &err);
    assert_true(fd >= 0);
    int client = wire_connect(path);

    assert_true(client >= 0);
    close(client);
    close(fd);
    assert_int_equal(wire_connect(path), -1);
    fd = wire_listen(path, &err);
    assert_true(fd >= 0);
    close(fd);
    unlink(path);
    rmdir(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields_and_descriptors_arrive),
        cmocka_unit_test(test_descriptors_nobody_wants_are_closed),
        cmocka_unit_test(test_last_words_are_heard_though_ours_were_not),
        cmocka_unit_test(test_nothing_there_is_not_the_end),
        cmocka_unit_test(test_folder_of_sockets_must_be_private),
        cmocka_unit_test(test_nobody_listens_behind_a_stale_socket),
    };

    (void)cmocka_run_group_tests(tests, NULL, NULL);
    return 0;
}

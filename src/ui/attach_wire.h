/* ui/attach_wire.h -- what client and workbench say to each other; for
 * attach.c and attach_client.c alone.
 *
 * Packets (SOCK_SEQPACKET), a letter and NUL-ended fields:
 *
 *   client to workbench                   workbench to client
 *   H  hello, with the two descriptors    q  status, text: the terminal is
 *   W  the size changed                      yours again
 *   Z  please suspend                     z  left: stop yourself
 *   C  continued                          r  cwd, argv: run this on it
 *   R  status of a program that was run
 *   D  please detach
 *   A  ask: "describe", "detach"          a  the answer
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_UI_ATTACH_WIRE_H
#define LATHE_UI_ATTACH_WIRE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/un.h>

#include "base/buf.h"
#include "base/error.h"

enum {
    WIRE_PACKET_MAX = 65536,
    WIRE_HELLO_FIELDS = 9,
    WIRE_MAX_FILES = 64,
    WIRE_MAX_ARGV = 64,
    WIRE_PATH_MAX = sizeof((struct sockaddr_un *)0)->sun_path
};

/* Add a NUL-ended field; NULL is "". */
void wire_field(struct buf *b, const char *s);
/* Cut a packet's fields, at most max; returns how many there are. */
size_t wire_split(const char *p, size_t len, const char **fields, size_t max);
/* Send a packet, with two descriptors when fds is not NULL. */
bool wire_send(int fd, const struct buf *b, const int *fds);
bool wire_letter(int fd, char letter);
/* Receive into p, WIRE_PACKET_MAX + 1 bytes, made to end in NUL.  Returns 0
 * when the other side is gone, -1 when nothing is there.  Descriptors that
 * came go to fds (-1: none), or are closed. */
ssize_t wire_receive(int fd, char *p, int fds[2]);
void wire_close(const int *fds, size_t n);
bool wire_same_user(int fd); /* SO_PEERCRED */

/* The folder of sockets, checked; the socket of a project. */
bool wire_folder(char dir[PATH_MAX], struct error *err) MUST_USE;
bool wire_path(const char *project, char path[WIRE_PATH_MAX],
               struct error *err) MUST_USE;
int wire_connect(const char *path); /* -1: nobody there, or another user */
int wire_listen(const char *path, struct error *err); /* -1 with err */

/* What attach_client.c makes and attach.c serves.  One of the descriptors is
 * -1; path "" when it does not listen. */
struct attach_server;
struct attach_server *
attach_server_new(int listen_fd, int client_fd, const char *path);
#endif

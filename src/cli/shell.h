/* cli/shell.h -- a command of the table on the shell.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_CLI_SHELL_H
#define LATHE_CLI_SHELL_H

#include <stdio.h>

#include "session/command.h"

enum { STATUS_DONE = 0, STATUS_FAILED = 1, STATUS_USAGE = 2, STATUS_GATE = 3 };

/* "lathe: MESSAGE" on standard error; the exit status for it. */
int shell_error(const struct error *err);
/* Parse, run with a progress line on a terminal, print; the exit status. */
int shell_run(struct session *s, const struct command *c, int argc,
              const char *const *argv);

/* Warnings that were left behind *last, on standard error: rejected rows and the
 * like.  *last is the newest then; all zeros: nothing was told so far. */
void shell_warnings(struct session *s, struct message *last);

/* False when standard output cannot be written; that was said. */
bool shell_flush(void);
/* What came from data or from a script: on a terminal, control characters but
 * line ends and tabs become blanks, lest they drive it. */
void shell_put(FILE *to, const char *p, size_t n);
/* The same in a style, such as "\033[1m", where there is colour. */
void shell_put_styled(FILE *to, const char *style, const char *p, size_t n);

/* Cells of standard output: the terminal's, else COLUMNS, else plenty. */
size_t shell_width(void);
bool shell_utf8(void);
/* Colour on this descriptor?  A terminal, and no NO_COLOR. */
bool shell_color(int fd);

/* One line on standard error that is drawn over itself; nothing unless that
 * is a terminal.  Drawn only while something takes longer than a blink. */
struct task_view;
void shell_progress(const struct task_view *v);
void shell_progress_clear(void);
#endif

/* ui/tether.h -- how a task finds the view that started it, if it still lives.
 *
 * A view has one tether and cuts it when it closes.  A task holds it and asks
 * tether_end() in done(): NULL says that the view is gone.  Main thread.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_UI_TETHER_H
#define LATHE_UI_TETHER_H

struct tether;

struct tether *tether_new(void *end);
/* The owner closes: the end is NULL from now on, and its hold is dropped. */
void tether_cut(struct tether *t);
struct tether *tether_hold(struct tether *t);
/* Drop a hold and return the end, or NULL. */
void *tether_end(struct tether *t);
#endif

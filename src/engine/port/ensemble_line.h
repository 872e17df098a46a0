/* engine/port/ensemble_line.h -- the lines of an ensemble, for ensemble*.c alone.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_ENSEMBLE_LINE_H
#define LATHE_ENGINE_PORT_ENSEMBLE_LINE_H

#include "engine/port/ensemble.h"

/* Room for the lines of `cap` values, from the first line on. */
bool ensemble_room_for_lines(struct ensemble *e, size_t cap,
                             struct error *err) MUST_USE;
/* The value added last ends where the terms do. */
void ensemble_end_line(struct ensemble *e);
void ensemble_lines_free(struct ensemble *e);
/* Of what was loaded: does everything stay within bounds? */
bool ensemble_lines_are_sound(const struct ensemble *e);
#endif

/* engine/port/pmml_known.h -- is all of a PMML document understood?
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_PMML_KNOWN_H
#define LATHE_ENGINE_PORT_PMML_KNOWN_H

#include "base/error.h"
#include "base/progress.h"
#include "engine/port/xml.h"

/* ERR_TYPE names the first element, attribute or value that changes answers
 * and that pmml_in.c does not read. */
bool pmml_known(const struct xml *root, const struct progress *stop,
                struct error *err) MUST_USE;
/* Is a derived field *with where that field is missing, else the field; or 1
 * where it is missing, else 0: *with is NaN then? */
bool
pmml_fills(const struct xml *derived, const char *field, double *with) MUST_USE;
#endif

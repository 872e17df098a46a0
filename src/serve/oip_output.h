/* serve/oip_output.h -- the outputs that a model has in the Open Inference
 * Protocol. Private to oip*.c.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_SERVE_OIP_OUTPUT_H
#define LATHE_SERVE_OIP_OUTPUT_H

#include "serve/oip.h"

enum oip_kind { OIP_PROBABILITY, OIP_PREDICTION, OIP_SET, OIP_MORE };

struct oip_output {
    char name[32];
    enum oip_kind kind;
    size_t more; /* of OIP_MORE: which of model_more() */
    const char *type;
    size_t width; /* numbers of a row */
};

/* At most OIP_MAX_OUTPUTS. */
size_t oip_outputs(const struct model *m);
void oip_output(const struct model *m, size_t i, struct oip_output *out);
#endif

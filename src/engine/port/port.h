/* engine/port/port.h -- models from other programs, and to them.
 *
 * What is written is read again and compared on made-up rows (port/probe.h)
 * before it is handed out: nothing that disagrees leaves lathe.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATHE_ENGINE_PORT_PORT_H
#define LATHE_ENGINE_PORT_PORT_H

#include "engine/model.h"

enum port_format { PORT_C, PORT_LIGHTGBM, PORT_ONNX, PORT_PMML, PORT_XGBOOST };
enum { PORT_N_FORMATS = PORT_XGBOOST + 1 };

/* "onnx", "ONNX" */
const char *port_format_name(enum port_format f);
const char *port_format_title(enum port_format f);

struct port_export {
    enum port_format format;
    int onnx_ml; /* PORT_ONNX: operators of ai.onnx.ml 3 (0 is that) or 5 */
    const char *name; /* PORT_C: what names begin with; NULL: "model" */
};
struct port_report {
    size_t n_rows;     /* compared */
    double worst;      /* difference, relative where values are large */
    const char *check; /* how: "read again", "compiled", "no C compiler" */
    struct buf notes;  /* lines: what the reader of the file must know */
};

/* Append the file to out.  `r` is filled in, released by port_report_fini()
 * also on failure.  ERR_TYPE: the format cannot say it, and what could.
 * ERR_STATE: it came back different. */
bool port_write(const struct model *m, const struct port_export *o,
                struct pool *pool, struct buf *out, struct port_report *r,
                struct error *err) MUST_USE;
/* The same into a file, which appears whole or not at all; *len: its bytes. */
bool port_save(const struct model *m, const struct port_export *o,
               const char *path, struct pool *pool, size_t *len,
               struct port_report *r, struct error *err) MUST_USE;
void port_report_fini(struct port_report *r);

/* What a file does not say, or says otherwise. */
struct port_import {
    const char *target;          /* its name; NULL: the file's, or "target" */
    const char *const *classes;  /* names, NULL-ended; NULL: the file's, whose
                                    order they may not change */
    const char *const *columns;  /* names of all inputs, NULL-ended; or NULL */
    const char *activation;      /* safetensors: "relu" (NULL), "tanh",
                                   "sigmoid"; between layers */
    const struct progress *stop; /* NULL: nobody stops it */
};
/* By what the bytes look like: LightGBM's text, XGBoost's JSON or UBJSON,
 * ONNX, PMML as lathe writes it, safetensors with the layers of a network.
 * ERR_PARSE, ERR_TYPE, ERR_LIMIT, ERR_NOMEM, ERR_CANCELLED. */
struct model *port_read(struct str bytes, const struct port_import *o,
                        struct error *err) MUST_USE;
#endif

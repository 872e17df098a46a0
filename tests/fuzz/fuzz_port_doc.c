/* tests/fuzz/fuzz_port_doc.c -- foreign bytes as JSON, UBJSON, XML and protocol
 * buffers, as readers of models take them.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdint.h>

#include "base/buf.h"
#include "engine/port/doc.h"
#include "engine/port/onnx_proto.h"
#include "engine/port/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct str bytes = {(const char *)data, len};
    struct onnx_model m;
    const struct xml *x;
    struct error err;
    struct arena a;
    struct doc d;
    struct buf b;

    arena_init(&a);
    buf_init(&b);
    if (doc_parse_json(bytes, &a, &d, &err))
        (void)doc_find(&d, "learner");
    if (doc_parse_ubjson(bytes, &a, &d, &err))
        (void)doc_find(&d, "learner");
    for (x = xml_parse(bytes, &a, &err); x; x = x->first)
        for (const struct xml_attribute *k = x->attribute; k; k = k->next)
            xml_put(&b, k->value);
    if (onnx_parse(bytes, &a, &m, &err) && m.n_nodes)
        (void)onnx_int(&m.node[0], "axis", 1);
    buf_fini(&b);
    arena_fini(&a);
    return 0;
}

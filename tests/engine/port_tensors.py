# A network of two layers and a batch norm as safetensors, in three widths of numbers, rows for
# it, and what it answers by plain loops: net_KIND.safetensors, net.csv, want_KIND.
# SPDX-License-Identifier: GPL-3.0-or-later
import json
import math
import random
import struct

rng = random.Random(4)


def f32(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def f16(x):
    return struct.unpack("<e", struct.pack("<e", x))[0]


def bf16(x):
    return struct.unpack("<f", struct.pack("<I", struct.unpack("<I", struct.pack("<f", x))[0] & 0xFFFF0000))[0]


kinds = {"f32": ("F32", f32, lambda x: struct.pack("<f", x)), "f16": ("F16", f16, lambda x: struct.pack("<e", x)),
         "bf16": ("BF16", bf16, lambda x: struct.pack("<f", x)[2:])}
plain = {"0.weight": (5, 3), "0.bias": (5,), "1.weight": (5,), "1.bias": (5,), "1.running_mean": (5,),
         "1.running_var": (5,), "10.weight": (3, 5), "10.bias": (3,)}
numbers = {}
for name, shape in plain.items():
    n = math.prod(shape)
    numbers[name] = [0.5 + rng.random() if "var" in name or name == "1.weight" else rng.gauss(0, 1) for _ in range(n)]
rows = [[f32(rng.gauss(0, 1)) for _ in range(3)] for _ in range(300)]
with open("net.csv", "w") as f:
    f.write("u,v,w\n")
    for r in rows:
        f.write(",".join(repr(x) for x in r) + "\n")


def dense(x, w, b):
    n = len(x)
    return [sum(w[j * n + i] * x[i] for i in range(n)) + b[j] for j in range(len(b))]


for kind, (dtype, rounded, pack) in kinds.items():
    head, data = {"__metadata__": {"format": "pt"}}, b""
    # The order of the file is not that of the layers.
    for name in sorted(plain):
        raw = b"".join(pack(x) for x in numbers[name])
        head[name] = {"dtype": dtype, "shape": list(plain[name]), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    head["1.num_batches_tracked"] = {"dtype": "I64", "shape": [], "data_offsets": [len(data), len(data) + 8]}
    data += struct.pack("<q", 7)
    text = json.dumps(head).encode()
    open("net_%s.safetensors" % kind, "wb").write(struct.pack("<Q", len(text)) + text + data)
    w = {name: [rounded(x) for x in v] for name, v in numbers.items()}
    with open("want_%s" % kind, "w") as f:
        for x in rows:
            h = dense(x, w["0.weight"], w["0.bias"])
            h = [(v - m) / math.sqrt(s + 1e-5) * g + b for v, m, s, g, b in
                 zip(h, w["1.running_mean"], w["1.running_var"], w["1.weight"], w["1.bias"])]
            o = dense([math.tanh(v) for v in h], w["10.weight"], w["10.bias"])
            e = [math.exp(v - max(o)) for v in o]
            f.write(",".join(repr(v / sum(e)) for v in e) + "\n")

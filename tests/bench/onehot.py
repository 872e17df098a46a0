#!/usr/bin/env python3
"""Boosted trees on one-hot columns, with and without shared memory.

    make tests/bench/bench_gbdt && ../tests/bench/onehot.py [ROWS] [COLUMNS]

From the build folder.  COLUMNS are the levels of ten texts, of which the target
is a sum; one line tells seconds, memory in MiB and the hash of the model of each
way, which must be the same.
SPDX-License-Identifier: GPL-3.0-or-later
"""
import json
import struct
import subprocess
import sys
import tempfile

import numpy

TEXTS = 10


def write(path, rows, columns, seed):
    """A table of bench_gbdt."""
    draw = numpy.random.default_rng(seed)
    levels = columns // TEXTS
    effect = numpy.random.default_rng(7).normal(size=TEXTS * levels)
    target = draw.normal(size=rows)
    x = numpy.zeros((TEXTS * levels, rows))
    for text in range(TEXTS):
        at = text * levels + draw.integers(0, levels, rows)
        x[at, numpy.arange(rows)] = 1
        target += effect[at]
    with open(path, "wb") as out:
        out.write(struct.pack("<3Q", rows, len(x), 0))
        out.write(numpy.zeros(len(x), dtype="<u8").tobytes())
        out.write(x.astype("<f8").tobytes())
        out.write(target.astype("<f8").tobytes())


def main():
    """Both ways, side by side."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 100000
    columns = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    with tempfile.TemporaryDirectory() as folder:
        train, test, out = (f"{folder}/{name}" for name in ("train", "test", "out"))
        write(train, rows, columns, 1)
        write(test, 1000, columns, 2)
        told = {}
        for bundle in ("true", "false"):
            told[bundle] = json.loads(subprocess.check_output(
                ["./tests/bench/bench_gbdt", "-t", "2", train, "-", test, out,
                 "trees=100", "leaves=31", f"bundle={bundle}"]))
            print(f"one-hot {rows} x {columns} bundle={bundle}", told[bundle],
                  flush=True)
        assert told["true"]["hash"] == told["false"]["hash"], "other models"


main()

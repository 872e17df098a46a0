#!/usr/bin/python3
# tests/bench/gbdt_seed.py -- the small fit that others wait for.
#
#   make tests/bench/bench_gbdt && ../tests/bench/gbdt_seed.py [BUILD]
#
# 20,000 x 20 numbers, two classes: scikit-learn's GradientBoostingClassifier
# of 200 trees at rate 0.05, which tries every cut, and ours with as many
# leaves (8 a tree, 255 bins, 2 threads), judged on 20,000 more rows.
#
# Exit status 3 when ours takes over half a second or its AUC is lower.
# Needs Debian's python3-sklearn.
# SPDX-License-Identifier: GPL-3.0-or-later
import json
import os
import subprocess
import sys
import tempfile
import time

import numpy as np
from sklearn.datasets import make_classification
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import roc_auc_score

ROWS, COLS = 20000, 20


def write(path, x, y):
    with open(path, "wb") as f:
        np.array([x.shape[0], x.shape[1], 2], np.uint64).tofile(f)
        np.zeros(x.shape[1], np.uint64).tofile(f)
        np.ascontiguousarray(x.T).tofile(f)
        y.astype(np.float64).tofile(f)


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else "."
    x, y = make_classification(
        2 * ROWS, COLS, n_informative=10, n_redundant=4,
        n_clusters_per_class=4, class_sep=0.8, flip_y=0.03, random_state=0)
    with tempfile.TemporaryDirectory() as folder:
        train, test, out = (folder + "/" + n for n in ("train", "test", "out"))
        write(train, x[:ROWS], y[:ROWS])
        write(test, x[ROWS:], y[ROWS:])
        told = json.loads(subprocess.run(
            [build + "/tests/bench/bench_gbdt", "-t", "2", train, "-", test,
             out, "trees=200", "learning_rate=0.05", "leaves=8",
             "row_share=1", "col_share=1"],
            check=True, capture_output=True, text=True).stdout)
        ours = roc_auc_score(y[ROWS:], np.fromfile(out))
    start = time.perf_counter()
    peer = GradientBoostingClassifier(
        n_estimators=200, learning_rate=0.05, random_state=0)
    peer.fit(x[:ROWS], y[:ROWS])
    took = time.perf_counter() - start
    theirs = roc_auc_score(y[ROWS:], peer.predict_proba(x[ROWS:])[:, 1])
    print("lathe %.3f s, AUC %.4f, %.0f KB; scikit-learn %.1f s, AUC %.4f; "
          "%.0f times as fast" % (told["fit_s"], ours, told["bytes"] / 1000,
                                  took, theirs, took / told["fit_s"]))
    sys.exit(0 if told["fit_s"] <= 0.5 and ours >= theirs else 3)


main()

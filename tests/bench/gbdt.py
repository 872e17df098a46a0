#!/usr/bin/python3
# tests/bench/gbdt.py -- boosted trees against XGBoost, side by side.
#
#   make tests/bench/bench_gbdt && ../tests/bench/gbdt.py [BUILD] [TABLES]
#
# TABLES made tables (3) of 100,000 x 20 numbers to learn from and 20,000 to
# judge by; 200 trees of depth 6 at rate 0.05, 255 bins (XGBoost: 256), 2
# threads.  The programs take turns, so that both meet the same neighbours, and
# the best of three turns counts; making bins is part of the time.  Exit status
# 3 when XGBoost is faster, or its mean AUC higher by more than two standard
# errors (3 tables say little, 14 take some minutes), or when 1, 2 and 7
# threads, or a processor without FMA and AVX2, give other bytes.
# Needs Debian's python3-sklearn and python3-xgboost.
# SPDX-License-Identifier: GPL-3.0-or-later
import json
import os
import subprocess
import sys
import tempfile
import time

import numpy as np
import xgboost
from sklearn.datasets import make_classification
from sklearn.metrics import roc_auc_score

ROWS, TEST_ROWS, COLS, TREES, THREADS, TURNS = 100000, 20000, 20, 200, 2, 3
SETTINGS = ["trees=%d" % TREES, "max_depth=6", "learning_rate=0.05",
            "min_rows=1", "min_hessian=1", "l2=1", "max_delta=0",
            "row_share=1", "col_share=1", "bins=255"]
MASK = "glibc.cpu.hwcaps=-FMA,-FMA4,-AVX2,-AVX2_Usable"


def write(path, x, y):
    with open(path, "wb") as f:
        np.array([x.shape[0], x.shape[1], 2], np.uint64).tofile(f)
        np.zeros(x.shape[1], np.uint64).tofile(f)
        np.ascontiguousarray(x.T).tofile(f)
        y.astype(np.float64).tofile(f)


def lathe(program, folder, threads=THREADS, tunables=None):
    env = dict(os.environ)
    if tunables:
        env["GLIBC_TUNABLES"] = tunables
    out = subprocess.run(
        [program, "-t", str(threads), folder + "/train", "-",
         folder + "/test", folder + "/out"] + SETTINGS,
        env=env, check=True, capture_output=True, text=True)
    return json.loads(out.stdout), np.fromfile(folder + "/out")


def peer(train, test):
    start = time.perf_counter()
    data = xgboost.DMatrix(*train, nthread=THREADS)
    model = xgboost.train(
        {"objective": "binary:logistic", "tree_method": "hist",
         "max_depth": 6, "max_bin": 256, "eta": 0.05, "nthread": THREADS},
        data, TREES)
    took = time.perf_counter() - start
    return took, model.predict(xgboost.DMatrix(test[0]))


def compare(program, folder, seed):
    x, y = make_classification(
        ROWS + TEST_ROWS, COLS, n_informative=10, n_redundant=4,
        n_clusters_per_class=4, class_sep=0.8, flip_y=0.03,
        random_state=seed)
    train, test = (x[:ROWS], y[:ROWS]), (x[ROWS:], y[ROWS:])
    write(folder + "/train", *train)
    write(folder + "/test", *test)
    ours, theirs = [], []
    for _ in range(TURNS):
        told, scores = lathe(program, folder)
        ours.append(told["fit_s"])
        took, peer_scores = peer(train, test)
        theirs.append(took)
    row = {"lathe_s": min(ours), "xgboost_s": min(theirs),
           "lathe_auc": roc_auc_score(test[1], scores),
           "xgboost_auc": roc_auc_score(test[1], peer_scores),
           "score_us": told["score_s"] * 1e6 / TEST_ROWS,
           "row_us": told["row_us"], "kbytes": told["bytes"] / 1000}
    print("table %d: " % seed +
          "  ".join("%s %.4f" % (k, v) for k, v in row.items()), flush=True)
    return row


def same_bytes(program, folder):
    hashes = {lathe(program, folder, t)[0]["hash"] for t in (1, 2, 7)}
    hashes.add(lathe(program, folder, 2, MASK)[0]["hash"])
    return len(hashes) == 1


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else "."
    tables = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    program = os.path.join(build, "tests/bench/bench_gbdt")
    with tempfile.TemporaryDirectory() as folder:
        rows = [compare(program, folder, seed) for seed in range(tables)]
        same = same_bytes(program, folder)
    mean = {k: np.mean([r[k] for r in rows]) for k in rows[0]}
    ratio = mean["lathe_s"] / mean["xgboost_s"]
    gain = np.array([r["lathe_auc"] - r["xgboost_auc"] for r in rows])
    spread = gain.std(ddof=1) / np.sqrt(tables) if tables > 1 else 0.001
    print("time %.2f of XGBoost's, AUC %+.5f (standard error %.5f), bytes %s" %
          (ratio, gain.mean(), spread, "equal" if same else "DIFFER"))
    good = ratio <= 1 and same and gain.mean() >= -2 * spread
    sys.exit(0 if good else 3)


if __name__ == "__main__":
    main()

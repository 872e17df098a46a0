#!/usr/bin/python3
# tests/bench/gbdt.py -- boosted trees against XGBoost, side by side.
#
#   make tests/bench/bench_gbdt && ../tests/bench/gbdt.py [BUILD] [TABLES]
#
# TABLES made tables (9) of 100,000 x 20 numbers to learn from and 20,000 to
# judge by; 200 trees of depth 6 at rate 0.05, 255 bins (XGBoost: 256), 2
# threads.  The programs take turns, so that both meet the same neighbours, and
# the best time of each counts, for the tables are alike in all but their
# values; making bins is part of the time.
#
# Two tests of what is learnt.  Where values have 250 levels both programs see
# the same bins, and the first 100 trees must say the same of every row they
# learnt from, to 1e-6: the same splits and the same leaves.  (Where no row fell
# the cut is a matter of taste.)  On real numbers the first split that falls the
# other way, by bins or by the last bit of a gain, changes all trees after it:
# moving XGBoost's own base score by 0.0005 moves its AUC by 0.0005 either way,
# so a table proves nothing and the mean over tables counts.
#
# Exit status 3 when XGBoost is faster, or its mean AUC higher by more than two
# standard errors, or when the first trees differ, or when 1, 2 and 7 threads,
# or a processor without FMA and AVX2, give other bytes.
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

ROWS, TEST_ROWS, COLS, TREES, THREADS = 100000, 20000, 20, 200, 2
LEVELS, FIRST = 250, 100
SETTINGS = ["max_depth=6", "learning_rate=0.05",
            "min_rows=1", "min_hessian=1", "l2=1", "max_delta=0",
            "row_share=1", "col_share=1", "bins=255"]
MASK = "glibc.cpu.hwcaps=-FMA,-FMA4,-AVX2,-AVX2_Usable"


def write(path, x, y):
    with open(path, "wb") as f:
        np.array([x.shape[0], x.shape[1], 2], np.uint64).tofile(f)
        np.zeros(x.shape[1], np.uint64).tofile(f)
        np.ascontiguousarray(x.T).tofile(f)
        y.astype(np.float64).tofile(f)


def lathe(program, folder, trees=TREES, threads=THREADS, tunables=None):
    env = dict(os.environ)
    if tunables:
        env["GLIBC_TUNABLES"] = tunables
    out = subprocess.run(
        [program, "-t", str(threads), folder + "/train", "-",
         folder + "/test", folder + "/out", "trees=%d" % trees] + SETTINGS,
        env=env, check=True, capture_output=True, text=True)
    return json.loads(out.stdout), np.fromfile(folder + "/out")


def peer(train, test, trees=TREES, base=0.5):
    start = time.perf_counter()
    data = xgboost.DMatrix(*train, nthread=THREADS)
    model = xgboost.train(
        {"objective": "binary:logistic", "tree_method": "hist",
         "max_depth": 6, "max_bin": 256, "eta": 0.05, "nthread": THREADS,
         "base_score": base},
        data, trees)
    took = time.perf_counter() - start
    return took, model.predict(xgboost.DMatrix(test[0]))


def make_table(folder, seed, levels=None):
    x, y = make_classification(
        ROWS + TEST_ROWS, COLS, n_informative=10, n_redundant=4,
        n_clusters_per_class=4, class_sep=0.8, flip_y=0.03,
        random_state=seed)
    if levels:
        share = np.arange(1, levels) / levels
        x = np.stack([np.searchsorted(np.quantile(c, share), c) for c in x.T],
                     axis=1).astype(np.float64)
    train, test = (x[:ROWS], y[:ROWS]), (x[ROWS:], y[ROWS:])
    write(folder + "/train", *train)
    write(folder + "/test", *test)
    return train, test


def compare(program, folder, seed):
    train, test = make_table(folder, seed)
    told, scores = lathe(program, folder)
    took, peer_scores = peer(train, test)
    row = {"lathe_s": told["fit_s"], "xgboost_s": took,
           "lathe_auc": roc_auc_score(test[1], scores),
           "xgboost_auc": roc_auc_score(test[1], peer_scores),
           "score_us": told["score_s"] * 1e6 / TEST_ROWS,
           "row_us": told["row_us"], "kbytes": told["bytes"] / 1000}
    print("table %d: " % seed +
          "  ".join("%s %.4f" % (k, v) for k, v in row.items()), flush=True)
    return row


def first_trees(program, folder):
    """How far apart a row learnt from is, at most, after the first trees."""
    train, _ = make_table(folder, 4, LEVELS)
    write(folder + "/test", *train)
    _, scores = lathe(program, folder, FIRST)
    _, peer_scores = peer(train, train, FIRST, float(train[1].mean()))
    return abs(scores - peer_scores).max()


def same_bytes(program, folder):
    hashes = {lathe(program, folder, threads=t)[0]["hash"] for t in (1, 2, 7)}
    hashes.add(lathe(program, folder, tunables=MASK)[0]["hash"])
    return len(hashes) == 1


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else "."
    tables = int(sys.argv[2]) if len(sys.argv) > 2 else 9
    program = os.path.join(build, "tests/bench/bench_gbdt")
    with tempfile.TemporaryDirectory() as folder:
        rows = [compare(program, folder, seed) for seed in range(tables)]
        same = same_bytes(program, folder)
        apart = first_trees(program, folder)
    best = {k: min(r[k] for r in rows) for k in ("lathe_s", "xgboost_s")}
    ratio = best["lathe_s"] / best["xgboost_s"]
    gain = np.array([r["lathe_auc"] - r["xgboost_auc"] for r in rows])
    spread = gain.std(ddof=1) / np.sqrt(tables) if tables > 1 else 0.001
    print("time %.2f of XGBoost's, AUC %+.5f (standard error %.5f), the first "
          "%d trees %.0e apart, bytes %s" %
          (ratio, gain.mean(), spread, FIRST, apart,
           "equal" if same else "DIFFER"))
    good = (ratio <= 1 and same and apart < 1e-6 and
            gain.mean() >= -2 * spread)
    sys.exit(0 if good else 3)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# tests/bench/gbdt_large.py -- boosted trees on a large table beside the peers.
#
#   make tests/bench/bench_gbdt tests/bench/make_tables &&
#       ../tests/bench/gbdt_large.py FOLDER [LEAVES [RUNS [PEER...]]]
#
# from the folder of the build.  FOLDER: where higgs.csv is, or is made when it
# is not: 1 million rows of 28 numbers, of which the first 800,000 are learnt
# from.  500 trees of LEAVES (255) leaves grown best first at rate 0.1, 255
# bins, 2 threads; making bins is part of the time.  The programs take turns,
# RUNS (1) times, each in a process of its own; the median counts.  PEER:
# xgboost, sklearn, lightgbm (those that can be imported).
#
# Prints seconds to fit, the test AUC, MiB of memory above the table at most, and
# rows scored a second; last, ours over the fastest peer's.
# Needs Debian's python3-pandas, python3-sklearn and python3-xgboost.
# SPDX-License-Identifier: GPL-3.0-or-later
import json
import os
import resource
import statistics
import subprocess
import sys
import time

import numpy as np

TRAIN, TREES, THREADS = 800000, 500, 2
PEERS = ["xgboost", "sklearn", "lightgbm"]


def write(path, x, y):
    with open(path, "wb") as f:
        np.array([x.shape[0], x.shape[1], 2], np.uint64).tofile(f)
        np.zeros(x.shape[1], np.uint64).tofile(f)
        np.ascontiguousarray(x.T).tofile(f)
        y.astype(np.float64).tofile(f)


def read(path):
    rows, cols, _ = np.fromfile(path, np.uint64, 3).astype(int)
    values = np.fromfile(path, np.float64, offset=8 * (3 + cols))
    return (np.ascontiguousarray(values[:rows * cols].reshape(cols, rows).T),
            values[rows * cols:])


def make_tables(folder):
    table = folder + "/higgs.csv"
    if not os.path.exists(table):
        with open(table + ".part", "wb") as f:
            subprocess.run(["tests/bench/make_tables", "higgs"], stdout=f,
                           check=True)
        os.rename(table + ".part", table)
    if not os.path.exists(folder + "/higgs.test"):
        import pandas
        values = pandas.read_csv(table)
        y = values.pop("target").to_numpy()
        x = values.to_numpy(np.float64)
        write(folder + "/higgs.train", x[:TRAIN], y[:TRAIN])
        write(folder + "/higgs.test", x[TRAIN:], y[TRAIN:])


def run_lathe(folder, leaves):
    out = folder + "/higgs.scores"
    child = subprocess.Popen(
        ["tests/bench/bench_gbdt", "-t", str(THREADS), folder + "/higgs.train",
         "-", folder + "/higgs.test", out, "trees=%d" % TREES,
         "leaves=%d" % leaves, "learning_rate=0.1", "bins=255"],
        stdout=subprocess.PIPE, text=True)
    told = json.loads(child.stdout.read())
    if child.wait():
        sys.exit("%s failed" % child.args[0])
    scores = np.fromfile(out)
    return told["fit_s"], told["fit_kib"] / 1024, len(scores) / told["score_s"], scores


def fit_peer(name, x, y, leaves):
    """A model as a function of rows, and the seconds it took."""
    start = time.perf_counter()
    if name == "xgboost":
        import xgboost
        data = xgboost.DMatrix(x, y, nthread=THREADS)
        model = xgboost.train(
            {"objective": "binary:logistic", "tree_method": "hist",
             "grow_policy": "lossguide", "max_leaves": leaves, "max_depth": 0,
             "max_bin": 255, "eta": 0.1, "nthread": THREADS}, data, TREES)
        took = time.perf_counter() - start
        return took, lambda t: model.inplace_predict(t)
    if name == "lightgbm":
        import lightgbm
        model = lightgbm.train(
            {"objective": "binary", "num_leaves": leaves, "max_bin": 255,
             "learning_rate": 0.1, "num_threads": THREADS, "verbose": -1},
            lightgbm.Dataset(x, y), TREES)
        return time.perf_counter() - start, model.predict
    from sklearn.ensemble import HistGradientBoostingClassifier
    model = HistGradientBoostingClassifier(
        max_iter=TREES, max_leaf_nodes=leaves, learning_rate=0.1,
        early_stopping=False)
    model.fit(x, y)
    return (time.perf_counter() - start,
            lambda t: model.predict_proba(t)[:, 1])


def be_peer(name, folder, leaves):
    x, y = read(folder + "/higgs.train")
    test, _ = read(folder + "/higgs.test")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    took, predict = fit_peer(name, x, y, leaves)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    start = time.perf_counter()
    scores = predict(test)
    rate = len(test) / (time.perf_counter() - start)
    scores.astype(np.float64).tofile(folder + "/higgs.scores")
    print(json.dumps([took, peak / 1024, rate]))


def run_peer(name, folder, leaves):
    out = subprocess.run(
        [sys.executable, __file__, "--peer", name, folder, str(leaves)],
        check=True, stdout=subprocess.PIPE, text=True,
        env=dict(os.environ, OMP_NUM_THREADS=str(THREADS)))
    return (*json.loads(out.stdout), np.fromfile(folder + "/higgs.scores"))


def can_import(name):
    return subprocess.run([sys.executable, "-c", "import " + name],
                          stderr=subprocess.DEVNULL).returncode == 0


def main():
    folder = sys.argv[1]
    leaves = int(sys.argv[2]) if len(sys.argv) > 2 else 255
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    peers = sys.argv[4:] or [p for p in PEERS if can_import(p)]
    make_tables(folder)
    size = os.path.getsize(folder + "/higgs.train") / (1 << 20)
    _, truth = read(folder + "/higgs.test")
    rows = {name: [] for name in ["lathe"] + peers}
    for _ in range(runs):
        for name in rows:
            rows[name].append(run_lathe(folder, leaves) if name == "lathe"
                              else run_peer(name, folder, leaves))
    from sklearn.metrics import roc_auc_score
    print("%-10s %8s %8s %8s %10s" % ("", "fit s", "AUC", "MB", "rows/s"))
    fit = {}
    for name, told in rows.items():
        fit[name] = statistics.median(t[0] for t in told)
        peak = max(t[1] for t in told) - (size if name == "lathe" else 0)
        print("%-10s %8.2f %8.5f %8.0f %10.0f" %
              (name, fit[name], roc_auc_score(truth, told[-1][3]), peak,
               statistics.median(t[2] for t in told)))
    if peers:
        print("%.2f of the fastest peer's time" %
              (fit["lathe"] / min(fit[p] for p in peers)))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peer"]:
        be_peer(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        main()

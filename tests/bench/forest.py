#!/usr/bin/python3
# tests/bench/forest.py -- random forests and extra trees beside scikit-learn.
#
#   make lathe && ../tests/bench/forest.py [BUILD] [DATA] [REPEATS]
#
# DATA holds wa_churn.csv, credit_data.csv, ames.csv, diamonds.csv, digits.csv.
# 200 trees each, 2 threads, all else by each program's own defaults, on REPEATS
# (3) splits of 4 to 1, in turns.  Time is that of learning: of lathe's whole
# process less that of one with a single tree of two leaves, which reads and
# codes the same rows; so it includes scoring the test rows and writing the
# model into the store, which scikit-learn's does not.
# Exit status 3 when lathe is slower or, on the mean over splits, worse by more
# than a standard error.
# Needs Debian's python3-pandas and python3-sklearn.
# SPDX-License-Identifier: GPL-3.0-or-later
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np
import pandas as pd
from sklearn import ensemble
from sklearn.metrics import (accuracy_score, mean_squared_error,
                             roc_auc_score)
from sklearn.model_selection import train_test_split

warnings.filterwarnings("ignore")
TABLES = [("wa_churn.csv", "churn", "auc"), ("credit_data.csv", "Status", "auc"),
          ("ames.csv", "Sale_Price", "rmse"), ("digits.csv", "target", "accuracy"),
          ("diamonds.csv", "price", "rmse")]
TREES, THREADS = 200, 2


def lathe(build, folder, target, model, *settings):
    command = [build + "/lathe", "train", "train.csv", "--target", target,
               "--model", model, "--test", "test.csv", "--json"]
    for s in settings:
        command += ["--set", s]
    start = time.perf_counter()
    told = json.loads(subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True,
        env=dict(os.environ, LATHE_THREADS=str(THREADS))).stdout)
    took = time.perf_counter() - start
    return took, told["test"]["metrics"]


def value(v):
    return v["value"] if isinstance(v, dict) else v


def encode(table, target):
    x = table.drop(columns=target)
    for c in x.columns:
        if x[c].dtype == object or x[c].dtype == bool:
            x[c] = x[c].astype("category").cat.codes.where(x[c].notna(), -1)
    return x.fillna(-999)


def peer(model, metric, x, y, train, test):
    kind = ("RandomForest" if model == "forest" else "ExtraTrees") + \
        ("Regressor" if metric == "rmse" else "Classifier")
    m = getattr(ensemble, kind)(n_estimators=TREES, n_jobs=THREADS,
                                random_state=0)
    start = time.perf_counter()
    m.fit(x.iloc[train], y[train])
    took = time.perf_counter() - start
    if metric == "rmse":
        return took, mean_squared_error(y[test], m.predict(x.iloc[test]),
                                        squared=False)
    if metric == "auc":
        return took, roc_auc_score(y[test],
                                   m.predict_proba(x.iloc[test])[:, 1])
    return took, accuracy_score(y[test], m.predict(x.iloc[test]))


def compare(build, folder, table, target, metric, model, repeats):
    y = table[target]
    y = (y.astype("category").cat.codes if metric != "rmse" else y).to_numpy()
    x = encode(table, target)
    rows = []
    for seed in range(repeats):
        train, test = train_test_split(
            np.arange(len(y)), test_size=0.2, random_state=seed,
            stratify=y if metric != "rmse" else None)
        table.iloc[train].to_csv(folder + "/train.csv", index=False)
        table.iloc[test].to_csv(folder + "/test.csv", index=False)
        idle, _ = lathe(build, folder, target, model, "trees=1", "leaves=2")
        took, told = lathe(build, folder, target, model, "trees=%d" % TREES)
        rows.append((took - idle, value(told[metric])) +
                    peer(model, metric, x, y, train, test))
    took, score, peer_took, peer_score = np.mean(rows, axis=0)
    gain = np.array([r[1] - r[3] for r in rows]) * (
        -1 if metric == "rmse" else 1)
    spread = gain.std(ddof=1) / np.sqrt(repeats) if repeats > 1 else 0
    print("%-16s %-12s lathe %8.2f s, scikit-learn %8.2f s, %5.1f times; %s "
          "%.5f and %.5f" % (target, model, took, peer_took, peer_took / took,
                             metric, score, peer_score), flush=True)
    return took <= peer_took and gain.mean() >= -spread


def main():
    build = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else ".")
    data = sys.argv[2] if len(sys.argv) > 2 else "."
    repeats = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    good = True
    with tempfile.TemporaryDirectory() as folder:
        for name, target, metric in TABLES:
            table = pd.read_csv(os.path.join(data, name))
            for model in "forest", "extra_trees":
                good &= compare(build, folder, table, target, metric, model,
                                repeats)
    sys.exit(0 if good else 3)


if __name__ == "__main__":
    main()

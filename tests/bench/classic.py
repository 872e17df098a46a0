#!/usr/bin/python3
# tests/bench/classic.py -- the classic families beside scikit-learn.
#
#   make tests/bench/bench_classic && ../tests/bench/classic.py [BUILD [FAMILY...]]
#
# The same numbers, parameters and 2 threads; the programs take turns, the best
# of three counts.  Processor time of all threads is compared, since neighbours
# change the other.  Exit status 3 when lathe is slower by more than a tenth in
# fitting and scoring together.
# Needs Debian's python3-sklearn; for ets python3-statsmodels, or it is left
# out.
# SPDX-License-Identifier: GPL-3.0-or-later
import os
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "2")
import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import (ElasticNetCV, LassoCV, Ridge, SGDClassifier,
                                  SGDRegressor)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

try:
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel
except ImportError:
    ETSModel = None

BUILD = sys.argv[1] if len(sys.argv) > 1 else "."
ONLY = sys.argv[2:]  # families; none: all


def numbers(n, p, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p)) @ (
        np.eye(p) + 0.3 * rng.normal(size=(p, p)) / np.sqrt(p))
    y = x @ (rng.normal(size=p) * (rng.random(p) < 0.3)) + rng.normal(size=n)
    return (x - x.mean(0)) / x.std(0), y


def write(path, x, y, classes):
    with open(path, "wb") as f:
        np.array([x.shape[0], x.shape[1], classes], np.uint64).tofile(f)
        np.ascontiguousarray(x.T).tofile(f)
        y.astype(np.float64).tofile(f)


def lathe(family, path, settings):
    out = subprocess.run([BUILD + "/tests/bench/bench_classic", "-t", "2",
                          family, path] + settings,
                         check=True, capture_output=True, text=True).stdout
    v = [float(w) for w in out.split()]
    return v[2], v[3]


def peer(make, x, y, answer):
    m, t = make(), time.process_time()
    m.fit(x) if y is None else m.fit(x, y)
    fit = time.process_time() - t
    t = time.process_time()
    getattr(m, answer)(x)
    return fit, time.process_time() - t


class Ets:
    """A level, a trend and a season of twelve, all additive."""

    def fit(self, x, y):
        self.fitted = ETSModel(y, error="add", trend="add", seasonal="add",
                               seasonal_periods=12).fit(disp=0)

    def forecast(self, x):
        return self.fitted.forecast(len(x))


def season(n):
    rng, t = np.random.default_rng(2), np.arange(n)
    return 50 + 0.02 * t + 10 * np.sin(2 * np.pi * t / 12) + rng.normal(size=n)


WORK = [
    ("ets", 500, 1, 0, ["period=12", "error=additive", "trend=additive",
                         "season=additive", "damped=no"], Ets, "forecast"),
    ("kmeans", 100000, 20, 1, ["k=30", "starts=2"],
     lambda: KMeans(30, n_init=2, random_state=1), "predict"),
    ("knn", 100000, 6, 2, [],
     lambda: KNeighborsClassifier(5, n_jobs=2), "predict_proba"),
    ("knn", 10000, 30, 2, [],
     lambda: KNeighborsClassifier(5, n_jobs=2), "predict_proba"),
    ("naive_bayes", 300000, 20, 2, [], GaussianNB, "predict_proba"),
    ("pca", 200000, 30, 1, ["components=10"],
     lambda: PCA(10, svd_solver="full"), "transform"),
    ("pca", 3000, 600, 1, ["components=10"],
     lambda: PCA(10, random_state=1), "transform"),
    ("pca", 5000, 1000, 1, ["components=10"],
     lambda: PCA(10, random_state=1), "transform"),
    ("isolation_forest", 50000, 20, 1, [],
     lambda: IsolationForest(n_jobs=2), "score_samples"),
    ("ridge", 200000, 30, 0, ["lambda=0.001"],
     lambda: Ridge(200.0), "predict"),
    ("lasso", 200000, 30, 0, [], lambda: LassoCV(cv=5), "predict"),
    ("lasso", 2000, 400, 0, [], lambda: LassoCV(cv=5), "predict"),
    ("elastic_net", 200000, 30, 0, ["reach=0.001"],
     lambda: ElasticNetCV(cv=5), "predict"),
    ("sgd", 500000, 28, 0, ["lambda=0.0001"],
     lambda: SGDRegressor(alpha=0.0001, average=True, random_state=1),
     "predict"),
    ("sgd", 500000, 28, 2, ["lambda=0.0001"],
     lambda: SGDClassifier("log_loss", alpha=0.0001, average=True,
                           random_state=1), "predict_proba"),
]


def main():
    slow = 0
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/table"
        for family, n, p, classes, settings, make, answer in WORK:
            if ONLY and family not in ONLY:
                continue
            if family == "ets" and not ETSModel:
                continue
            x, y = numbers(n, p)
            if family == "ets":
                y = season(n)
            if classes == 2:
                y = (y > np.median(y)).astype(float)
            write(path, x, y, classes)
            ours, theirs = [], []
            for _ in range(3):
                ours.append(lathe(family, path, settings))
                theirs.append(peer(make, x, None if classes == 1 else y,
                                   answer))
            a, b = np.min(ours, 0), np.min(theirs, 0)
            share = a.sum() / b.sum()
            slow += share > 1.1
            print("%-17s %7d x %-4d  lathe %7.3f + %6.3f s   the other "
                  "%7.3f + %6.3f s   %5.2f x" % (family, n, p, a[0], a[1],
                                                 b[0], b[1], share),
                  flush=True)
    return 3 if slow else 0


sys.exit(main())

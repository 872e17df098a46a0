#!/usr/bin/python3
# tests/bench/als.py -- factors of users and items beside the same written here.
#
#   make tests/bench/bench_classic && ../tests/bench/als.py [BUILD]
#
# scikit-learn has no such family, so the other is alternating least squares in
# numpy, user by user and item by item: the same penalties, factors and turns.
# The programs take turns with 2 threads, the best of three counts; processor
# time of all threads is compared.  Exit status 3 when lathe is slower, 4 when
# its loss rises in a turn or ends more than a hundredth above the other's.
# Needs Debian's python3-numpy.
# SPDX-License-Identifier: GPL-3.0-or-later
import os
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")  # matrices are small
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
import numpy as np

BUILD = sys.argv[1] if len(sys.argv) > 1 else "."
FACTORS, TURNS, LAMBDA, ALPHA = 32, 8, 0.05, 1.0


def ratings(users, items, n, counts):
    rng = np.random.default_rng(1)
    pair = np.unique(np.stack([rng.integers(0, users, n),
                               (items * rng.random(n) ** 2).astype(int)], 1),
                     axis=0)
    u, v = rng.normal(size=(users, 8)), rng.normal(size=(items, 8))
    r = (u[pair[:, 0]] * v[pair[:, 1]]).sum(1) / np.sqrt(8)
    if counts:
        return pair, np.floor(np.exp(r))
    return pair, 3.5 + r + 0.3 * rng.normal(size=len(pair))


def write(path, pair, r):
    with open(path, "wb") as f:
        np.array([len(r), 2, 0], np.uint64).tofile(f)
        np.ascontiguousarray(pair.T.astype(np.float64)).tofile(f)
        r.astype(np.float64).tofile(f)


def lathe(path, settings):
    done = subprocess.run([BUILD + "/tests/bench/bench_classic", "-e", "-t",
                           "2", "als", path] + settings,
                          check=True, capture_output=True, text=True)
    loss = [float(line.split()[2]) for line in done.stderr.splitlines()
            if line.startswith("train.loss ")]
    return float(done.stdout.split()[2]), loss


def by(own, other, r, n):
    """Of each of n: the others and the ratings."""
    order = np.argsort(own, kind="stable")
    end = np.cumsum(np.bincount(own, minlength=n))
    return [(other[order[a:b]], r[order[a:b]])
            for a, b in zip(np.r_[0, end[:-1]], end)]


def explicit_side(lists, own, other, mean):
    """A factor of 1 stands for what each adds by itself."""
    for i, (at, r) in enumerate(lists):
        if len(at):
            z = np.c_[other[at, :FACTORS], np.ones(len(at))]
            a = z.T @ z + LAMBDA * len(at) * np.eye(FACTORS + 1)
            own[i] = np.linalg.solve(a, z.T @ (r - mean - other[at, FACTORS]))


def explicit_loss(pair, r, u, v, mean):
    a, b = u[pair[:, 0]], v[pair[:, 1]]
    e = r - mean - a[:, FACTORS] - b[:, FACTORS] - (
        a[:, :FACTORS] * b[:, :FACTORS]).sum(1)
    return (e ** 2 + LAMBDA * ((a ** 2).sum(1) + (b ** 2).sum(1))).sum()


def implicit_side(lists, own, other):
    shared = other.T @ other + LAMBDA * np.eye(FACTORS)
    for i, (at, r) in enumerate(lists):
        v = other[at]
        own[i] = np.linalg.solve(shared + (v.T * (ALPHA * r)) @ v,
                                 v.T @ ((1 + ALPHA * r) * (r > 0)))


def implicit_loss(pair, r, u, v):
    x = (u[pair[:, 0]] * v[pair[:, 1]]).sum(1)
    return (((u.T @ u) * (v.T @ v)).sum()
            + LAMBDA * ((u ** 2).sum() + (v ** 2).sum())
            + ((1 + ALPHA * r) * ((r > 0) - x) ** 2 - x ** 2).sum())


def numpy_als(pair, r, users, items, implicit):
    t, rng = time.process_time(), np.random.default_rng(2)
    width = FACTORS + (not implicit)
    u, v = np.zeros((users, width)), np.zeros((items, width))
    v[:, :FACTORS] = rng.normal(size=(items, FACTORS)) / np.sqrt(FACTORS) / 10
    mean = r.mean()
    of_user = by(pair[:, 0], pair[:, 1], r, users)
    of_item = by(pair[:, 1], pair[:, 0], r, items)
    for _ in range(TURNS):
        if implicit:
            implicit_side(of_user, u, v)
            implicit_side(of_item, v, u)
            loss = implicit_loss(pair, r, u, v)
        else:
            explicit_side(of_user, u, v, mean)
            explicit_side(of_item, v, u, mean)
            loss = explicit_loss(pair, r, u, v, mean)
    return time.process_time() - t, loss


def main():
    status = 0
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/ratings"
        for users, items, n, implicit in ((6000, 2000, 300000, False),
                                          (6000, 2000, 300000, True),
                                          (2000, 8000, 300000, False)):
            pair, r = ratings(users, items, n, implicit)
            write(path, pair, r)
            settings = ["factors=%d" % FACTORS, "max_iter=%d" % TURNS,
                        "lambda=%g" % LAMBDA, "alpha=%g" % ALPHA,
                        "tolerance=0", "implicit=%s" % str(implicit).lower()]
            ours, theirs = [], []
            for _ in range(3):
                ours.append(lathe(path, settings))
                theirs.append(numpy_als(pair, r, users, items, implicit))
            a, b = min(t for t, _ in ours), min(t for t, _ in theirs)
            loss, other = ours[0][1], theirs[0][1]
            falls = len(loss) == TURNS and all(np.diff(loss) <= 0)
            print("%s %7d ratings of %d x %d  lathe %7.3f s, loss %.6g%s   "
                  "numpy %7.3f s, loss %.6g   %5.2f x"
                  % ("implicit" if implicit else "explicit", len(r), users,
                     items, a, loss[-1], "" if falls else " RISES", b, other,
                     a / b), flush=True)
            if a > b:
                status = max(status, 3)
            if not falls or loss[-1] > 1.01 * other:
                status = 4
    return status


sys.exit(main())

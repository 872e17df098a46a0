# tests/engine/explain.py -- explanations beside XGBoost and scikit-learn.
#
# A line for each test: exit status and name.  Run by explain.sh.
# SPDX-License-Identifier: GPL-3.0-or-later
import os
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import xgboost
from sklearn.inspection import _partial_dependence as peer

sys.path.insert(0, os.path.join(os.environ["LATHE_SOURCE"], "tests", "lib"))
import artifact  # noqa: E402

warnings.filterwarnings("ignore")
LATHE = os.path.join(os.environ["LATHE_BUILD"], "lathe")
COLS, ROWS, SEEN = 8, 3000, 150


def told(name, good):
    print("%d %s" % (not good, name), flush=True)


def lathe(*words):
    return subprocess.run([LATHE] + list(words), check=True,
                          capture_output=True, text=True).stdout


def make_table(classes):
    draw = np.random.default_rng(classes)
    x = draw.normal(size=(ROWS, COLS)).astype(np.float32)
    s = x[:, 0] * x[:, 1] + x[:, 2] - np.abs(x[:, 3]) + \
        0.3 * draw.normal(size=ROWS)
    x[draw.random(x.shape) < 0.05] = np.nan
    table = pd.DataFrame(x, columns=["x%d" % i for i in range(COLS)])
    table["y"] = s if classes == 0 else \
        np.digitize(s, [0] if classes == 2 else [-1, 0.5])
    if classes:
        table["y"] = "c" + table["y"].astype(str)
    table.to_csv("train.csv", index=False)
    table.drop(columns="y").iloc[:SEEN].to_csv("rows.csv", index=False)
    return table


def train(*more):
    lathe("train", "train.csv", "--target", "y", "--patience", "0", "--out",
          "m.lathe", "--set", "trees=25", *more)


def beside_xgboost(classes, name):
    table = make_table(classes)
    train()
    text, base = artifact.xgboost_json("m.lathe", COLS)
    with open("m.json", "w") as f:
        f.write(text)
    model = xgboost.Booster(model_file="m.json")
    x = table.drop(columns="y").to_numpy(np.float32)[:SEEN]
    data = xgboost.DMatrix(x)
    k = len(base)

    want = model.predict(data, pred_contribs=True).reshape(
        SEEN, k, COLS + 1).astype(float)
    want[..., -1] += base
    lathe("explain", "m.lathe", "rows.csv", "--out", "phi.csv")
    got = pd.read_csv("phi.csv")
    got = got[got.columns[-COLS - 1:]].to_numpy().reshape(want.shape)
    told("shares of a %s model are XGBoost's" % name,
         np.abs(got - want).max() < 2e-6 * max(1, np.abs(want).max()))

    want = model.predict(data, pred_interactions=True).reshape(
        SEEN, k, COLS + 1, COLS + 1)[:, :, :-1, :-1]
    lathe("explain", "m.lathe", "rows.csv", "--interactions", "--out",
          "pairs.csv")
    got = pd.read_csv("pairs.csv")
    got = got[got.columns[-COLS:]].to_numpy().reshape(want.shape)
    told("pairs of a %s model are XGBoost's" % name,
         np.abs(got - want).max() < 1e-5 * max(1, np.abs(want).max()))


def beside_sklearn():
    table = make_table(2)
    train()
    lathe("explain", "m.lathe", "train.csv", "--pdp", "x2", "--points", "6",
          "--out", "pdp.csv")
    lathe("explain", "m.lathe", "train.csv", "--ice", "x2", "--points", "6",
          "--rows", "3000", "--out", "ice.csv")
    got = pd.read_csv("pdp.csv")
    full = table["x2"].dropna()
    try:
        grid, _ = peer._grid_from_X(full.to_frame(), (0.05, 0.95), 6)
    except TypeError:  # of a later scikit-learn
        grid, _ = peer._grid_from_X(full.to_frame(), (0.05, 0.95), [False], 6)
    grid = np.asarray(grid)[:, 0]
    told("partial dependence is on scikit-learn's grid",
         np.allclose(got["x2"], grid, rtol=1e-6))
    ice = pd.read_csv("ice.csv")["prediction"].to_numpy().reshape(ROWS, 6)
    good = True
    for i, value in enumerate(got["x2"]):
        table.assign(x2=value).to_csv("set.csv", index=False)
        lathe("predict", "m.lathe", "set.csv", "--out", "p.csv")
        p = pd.read_csv("p.csv")["probability"].to_numpy()
        good &= np.isclose(p.mean(), got["mean"][i], rtol=1e-12)
        good &= np.array_equal(p, ice[:, i])
    told("and is the mean of the answers with the column set", good)


def beside_brute_force():
    """Against background rows, all subsets of four features."""
    draw = np.random.default_rng(5)
    x = draw.normal(size=(400, 4)).round(3)
    table = pd.DataFrame(x, columns=list("abcd"))
    table["y"] = x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2])
    table.to_csv("train.csv", index=False)
    train("--set", "min_rows=3")
    rows, back = x[:5], x[100:112]
    mixed = np.concatenate([
        np.where([bool(s >> j & 1) for j in range(4)], r, back)
        for r in rows for s in range(16)])
    pd.DataFrame(mixed, columns=list("abcd")).to_csv("mixed.csv", index=False)
    lathe("predict", "m.lathe", "mixed.csv", "--out", "p.csv")
    f = pd.read_csv("p.csv")["prediction"].to_numpy().reshape(5, 16, 12).mean(2)
    weight = [1 / 4, 1 / 12, 1 / 12, 1 / 4]
    want = np.array([[sum(weight[bin(s).count("1")] * (v[s | 1 << j] - v[s])
                          for s in range(16) if not s >> j & 1)
                      for j in range(4)] + [v[0]] for v in f])
    pd.DataFrame(rows, columns=list("abcd")).to_csv("rows.csv", index=False)
    pd.DataFrame(back, columns=list("abcd")).to_csv("back.csv", index=False)
    for way in "background", "kernel":
        lathe("explain", "m.lathe", "rows.csv", "--background", "back.csv",
              "--way", way, "--out", "phi.csv")
        got = pd.read_csv("phi.csv").to_numpy()
        told("shares by %s are those of all subsets" % way,
             np.abs(got - want).max() < 1e-9)


def main():
    beside_xgboost(2, "binary")
    beside_xgboost(3, "multiclass")
    beside_xgboost(0, "regression")
    beside_sklearn()
    beside_brute_force()


main()

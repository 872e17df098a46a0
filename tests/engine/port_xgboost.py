# Models beside XGBoost: it loads what lathe wrote, and lathe what it trained; both answer
# 10,000 rows with missing values alike.  Prints "0 NAME" for what holds, "1 NAME" for what
# does not.  Run by port.sh: port_xgboost.py LATHE
# SPDX-License-Identifier: GPL-3.0-or-later
import csv
import json
import math
import os
import subprocess
import sys

import numpy as np
import xgboost as xgb

lathe = sys.argv[1]
xgb.set_config(verbosity=0)
rng = np.random.default_rng(5)
N, COLORS = 10000, ["red", "green", "blue", "grey", "black", "white", "pink"]


def run(*args):
    r = subprocess.run([lathe, *args], capture_output=True, text=True)
    if r.returncode:
        print("#", " ".join(args), r.stderr.strip(), file=sys.stderr)
    return r


def told(ok, name, detail=""):
    print(int(not ok), name, flush=True)
    if not ok:
        print("#", name, detail, file=sys.stderr)


def worst(a, b):
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.shape != b.shape:
        return math.inf
    return float(np.max(np.abs(a - b) / np.maximum(1, np.abs(a))))


# Numbers that are 32-bit floats, a tenth missing; one of few values, where thresholds are hit.
X = rng.normal(size=(N, 4)).astype(np.float32)
X[:, 1] = np.round(X[:, 1] * 4) / 4
X[:, 3] = X[:, 3] * 1000
X[rng.random(X.shape) < 0.1] = np.nan
color = rng.integers(0, len(COLORS), N).astype(float)
color[rng.random(N) < 0.05] = np.nan
full = np.column_stack([X, color])
score = np.nan_to_num(X[:, 0]) + np.nan_to_num(X[:, 1]) * np.isin(color, [1, 3, 6]) + rng.normal(size=N) / 2
target = {"binary": (score > 0).astype(int), "multi": np.digitize(score, [-0.7, 0.7]),
          "number": score * 50 + 1000, "count": rng.poisson(np.exp(np.clip(score, -2, 2)))}
names = ["a", "b", "c", "d"]


def write(path, y, colors, n=N):
    """The first rows as CSV: colours as words, as codes, or not at all."""
    with open(path, "w", newline="") as f:
        w = csv.writer(f)
        w.writerow(names + (["color"] if colors else []) + ["y"])
        for i in range(n):
            row = ["" if np.isnan(v) else repr(float(v)) for v in X[i]]
            if colors:
                c = color[i]
                row.append("" if np.isnan(c) else COLORS[int(c)] if colors == "words" else int(c))
            w.writerow(row + [y[i]])


def answers(model, rows):
    r = run("predict", model, rows)
    table = list(csv.reader(r.stdout.splitlines()))
    head, table = table[0], table[1:]
    keep = [i for i, h in enumerate(head) if h == "probability" or h.startswith("p_")] or [0]
    return np.array([[float(row[i]) for i in keep] for row in table])


# ---- what lathe wrote ----

def ours(name, y, classes, *options):
    write("rows.csv", y, "words")
    run("train", "rows.csv", "--target", "y", "--seed", "3", "--set", "trees=40", "--out", "m.lathe", *options)
    r = run("export", "m.lathe", "--xgboost", "m.json", "--json")
    if r.returncode:
        return told(False, name, r.stderr)
    booster = xgb.Booster({"nthread": 1})
    booster.load_model("m.json")
    schema = json.loads(booster.attr("lathe"))
    levels = schema["inputs"][-1]["levels"]
    code = {i: levels.index(c) for i, c in enumerate(COLORS)}
    Z = np.column_stack([X, [np.nan if np.isnan(c) else code[int(c)] for c in color]])
    d = xgb.DMatrix(Z, feature_names=names + ["color"], feature_types=["q"] * 4 + ["c"], enable_categorical=True)
    p = booster.predict(d)
    w = worst(answers("m.lathe", "rows.csv"), p.reshape(N, -1))
    told(w < 1e-6, name, w)
    gains = booster.get_score(importance_type="total_gain")
    told(len(gains) >= 3 and all(v > 0 for v in gains.values()), name + ", with the gains of its columns", gains)


ours("XGBoost answers a classifier of lathe's alike", np.array(["no", "yes"])[target["binary"]], 2)
ours("XGBoost answers one of three classes alike", np.array(["low", "mid", "top"])[target["multi"]], 3)
ours("XGBoost answers a regression of lathe's alike", target["number"], 0)
few = ["--set", "leaves=60"]
ours("XGBoost answers a forest of two classes alike", np.array(["no", "yes"])[target["binary"]], 2,
     "--model", "forest", *few)
ours("XGBoost answers a forest of three classes alike", np.array(["low", "mid", "top"])[target["multi"]], 3,
     "--model", "forest", *few)
ours("XGBoost answers extra trees of numbers alike", target["number"], 0, "--model", "extra_trees", *few)

# ---- what XGBoost trained ----


def theirs(name, y, params, rounds=10, n=3000, kind="json", colors=None, cats=None, base=None, **more):
    Z, y = (full if colors else X)[:n], y[:n]
    types = ["q"] * 4 + (["c"] if colors else [])
    d = xgb.DMatrix(Z, y, feature_names=names + (["color"] if colors else []), feature_types=types,
                    enable_categorical=True)
    b = xgb.train({"tree_method": "hist", "seed": 1, "nthread": 1, **params}, d, rounds)
    path = "theirs." + kind
    b.save_model(path)
    if base is not None:
        # 3.x writes a list.
        text = open(path).read().replace('"base_score":"5E-1"', '"base_score":"[%s]"' % base)
        text = text.replace('"base_score":"%s"' % base, '"base_score":"[%s]"' % base)
        open(path, "w").write(text)
    if b"NaN" in open(path, "rb").read():
        print("# holds a bare NaN", file=sys.stderr)
    write("theirs.csv", y, colors and "codes", n)
    r = run("import", path, "--target", "y", "--out", "theirs.lathe")
    if r.returncode:
        return told(False, name, r.stderr)
    p = b.predict(d).reshape(n, -1)
    got = answers("theirs.lathe", "theirs.csv")
    told(worst(p, got) < more.get("within", 1e-6), name, (worst(p, got), p[:3], got[:3]))


B = {"objective": "binary:logistic"}
theirs("a binary model of XGBoost, as JSON", target["binary"], B)
theirs("the same as UBJSON", target["binary"], B, kind="ubj")
theirs("with a base_score that is not 0.5", target["binary"], {**B, "base_score": 0.2})
theirs("with base_score as a list", target["binary"], B, base="5E-1")
theirs("three classes, as JSON", target["multi"], {"objective": "multi:softprob", "num_class": 3})
theirs("three classes, as UBJSON", target["multi"], {"objective": "multi:softprob", "num_class": 3}, kind="ubj")
theirs("a regression", target["number"], {"objective": "reg:squarederror"}, rounds=40)
theirs("counts, whose base_score is a mean", target["count"],
       {"objective": "count:poisson", "base_score": 1.7})
theirs("categories in sets", target["binary"], {**B, "max_cat_to_onehot": 1}, colors=True)
theirs("categories one by one", target["binary"], {**B, "max_cat_to_onehot": 100}, colors=True)
theirs("categories, as UBJSON", target["binary"], {**B, "max_cat_to_onehot": 1}, colors=True, kind="ubj")
theirs("DART, whose trees have weights", target["binary"],
       {**B, "booster": "dart", "rate_drop": 0.3, "one_drop": 1})
theirs("a forest of parallel trees", target["number"],
       {"objective": "reg:squarederror", "num_parallel_tree": 4, "subsample": 0.7, "colsample_bynode": 0.7}, rounds=3)
theirs("hinge, which answers 0 or 1", target["binary"], {"objective": "binary:hinge"})
theirs("a linear booster", target["binary"], {**B, "booster": "gblinear", "tree_method": "auto"})
theirs("pruned trees, which have deleted nodes", target["binary"],
       {**B, "gamma": 5, "tree_method": "exact", "max_depth": 8})

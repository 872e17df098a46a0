# tests/engine/port_shares.py -- shares of an exported model, as others tell them.
#
# port_shares.py NAME: of LightGBM or XGBoost.  A line for each test: exit status and
# name.  Run by explain.sh.
# SPDX-License-Identifier: GPL-3.0-or-later
import os
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")
LATHE = os.path.join(os.environ["LATHE_BUILD"], "lathe")
COLS, ROWS, SEEN = 6, 2000, 100
PEER = sys.argv[1]


def told(name, good):
    print("%d %s" % (not good, name), flush=True)


def lathe(*words):
    subprocess.run([LATHE] + list(words), check=True, capture_output=True)


def make_table(classes):
    draw = np.random.default_rng(classes)
    x = draw.normal(size=(ROWS, COLS)).astype(np.float32)
    s = x[:, 0] * x[:, 1] + x[:, 2] - np.abs(x[:, 3])
    x[draw.random(x.shape) < 0.05] = np.nan
    table = pd.DataFrame(x, columns=["x%d" % i for i in range(COLS)])
    table["y"] = s if classes == 0 else np.digitize(s, [0] if classes == 2 else [-1, 0.5])
    if classes:
        table["y"] = "c" + table["y"].astype(str)
    table.to_csv("train.csv", index=False)
    table.drop(columns="y").iloc[:SEEN].to_csv("rows.csv", index=False)
    return x[:SEEN]


def of_lightgbm(x, classes):
    import lightgbm
    lathe("export", "m.lathe", "--lightgbm", "m.other")
    model = lightgbm.Booster(model_file="m.other", params={"verbose": -1})
    shares = model.predict(x.astype(np.float64), pred_contrib=True)
    return shares.reshape(SEEN * max(1, classes if classes > 2 else 1), COLS + 1)


def of_xgboost(x, classes):
    import xgboost
    lathe("export", "m.lathe", "--xgboost", "m.other")
    model = xgboost.Booster()
    with open("m.other", "rb") as f:
        model.load_model(bytearray(f.read()))
    names = model.feature_names
    shares = model.predict(xgboost.DMatrix(x, feature_names=names), pred_contribs=True)
    return shares.reshape(SEEN * (classes if classes > 2 else 1), COLS + 1)


def shares_of(model):
    lathe("explain", model, "rows.csv", "--out", "phi.csv")
    table = pd.read_csv("phi.csv")
    return table[[c for c in table if c.startswith("x") or c == "base"]].to_numpy()


for classes, name in (2, "two classes"), (3, "three classes"), (0, "numbers"):
    x = make_table(classes)
    lathe("train", "train.csv", "--target", "y", "--set", "trees=30", "--patience", "0",
          "--out", "m.lathe")
    want = (of_lightgbm if PEER == "LightGBM" else of_xgboost)(x, classes)
    told("shares of %s are those that %s tells of the file" % (name, PEER),
         np.abs(shares_of("m.lathe") - want).max() < 1e-5)
    lathe("import", "m.other", "--out", "back.lathe")
    told("and those of the file when it is read back",
         np.abs(shares_of("back.lathe") - want).max() < 1e-5)

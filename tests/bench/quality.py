#!/usr/bin/python3
# tests/bench/quality.py -- other programs on the folds that quality.c drew.
#
#   quality.py TABLE.csv TARGET FOLDS.csv
#   quality.py --rank < LINES       of several tables, one after the other
#
# Needs Debian's python3-pandas, python3-sklearn and python3-xgboost; LightGBM
# takes part where python finds it.  Each with its own defaults; texts are
# one-hot for the linear ones and ordinal categories for the trees, and the
# forest has its missing values filled, since it takes none.
# SPDX-License-Identifier: GPL-3.0-or-later
import sys
import time
import warnings

import numpy as np
import pandas as pd
import xgboost
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import (HistGradientBoostingClassifier,
                              HistGradientBoostingRegressor,
                              RandomForestClassifier, RandomForestRegressor)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import (accuracy_score, mean_squared_error,
                             roc_auc_score)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (OneHotEncoder, OrdinalEncoder,
                                   StandardScaler)

try:
    import lightgbm
except ImportError:
    lightgbm = None

warnings.filterwarnings("ignore")


def dense(model):
    number = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    return make_pipeline(make_column_transformer(
        (number, make_column_selector(dtype_include="number")),
        (OneHotEncoder(handle_unknown="ignore"),
         make_column_selector(dtype_include=object))), model)


def ordinal(*steps):
    return make_pipeline(make_column_transformer(
        (OrdinalEncoder(handle_unknown="use_encoded_value",
                        unknown_value=np.nan),
         make_column_selector(dtype_include=object)),
        remainder="passthrough"), *steps)


def candidates(classes):
    fill = SimpleImputer(strategy="median")
    if classes:
        all = {
            "sklearn logistic": lambda: dense(
                LogisticRegression(max_iter=2000)),
            "sklearn hgb": lambda: ordinal(
                HistGradientBoostingClassifier(random_state=0)),
            "sklearn forest": lambda: ordinal(
                fill, RandomForestClassifier(random_state=0, n_jobs=2)),
            "xgboost": lambda: ordinal(
                xgboost.XGBClassifier(tree_method="hist", n_jobs=2)),
        }
    else:
        all = {
            "sklearn ridge": lambda: dense(Ridge()),
            "sklearn hgb": lambda: ordinal(
                HistGradientBoostingRegressor(random_state=0)),
            "sklearn forest": lambda: ordinal(
                fill, RandomForestRegressor(random_state=0, n_jobs=2)),
            "xgboost": lambda: ordinal(
                xgboost.XGBRegressor(tree_method="hist", n_jobs=2)),
        }
    if lightgbm:
        kind = lightgbm.LGBMClassifier if classes else lightgbm.LGBMRegressor
        all["lightgbm"] = lambda: ordinal(kind(n_jobs=2, verbose=-1))
    return all


def score(make, x, y, folds, metric):
    each = []
    for seed in range(folds.shape[1]):
        parts = []
        for k in range(folds[:, seed].max() + 1):
            test = folds[:, seed] == k
            model = make().fit(x[~test], y[~test])
            if metric == "auc":
                parts.append(roc_auc_score(
                    y[test], model.predict_proba(x[test])[:, 1]))
            elif metric == "accuracy":
                parts.append(accuracy_score(y[test], model.predict(x[test])))
            else:
                parts.append(mean_squared_error(
                    y[test], model.predict(x[test]), squared=False))
        each.append(np.mean(parts))
    return each


def compare():
    table = pd.read_csv(sys.argv[1])
    y = table.pop(sys.argv[2])
    folds = np.loadtxt(sys.argv[3], delimiter=",", dtype=int)
    classes = y.dtype == object or y.nunique() <= 20
    metric = ("rmse" if not classes else
              "auc" if y.nunique() == 2 else "accuracy")
    y = (y.astype("category").cat.codes if classes else y).to_numpy()
    for name, make in candidates(classes).items():
        start = time.monotonic()
        each = score(make, table, y, folds, metric)
        print("%-30s %-8s %10.5f  %s  %6.1f s" % (
            name, metric, np.mean(each),
            " ".join("%10.5f" % v for v in each),
            time.monotonic() - start), flush=True)


# A table begins where a name comes again: the first line of each is ours.
def rank():
    tables = []
    for line in sys.stdin:
        name, rest = line[:30].strip(), line[30:].split()
        linear = name.replace("ridge", "linear").replace("logistic", "linear")
        if not tables or linear in tables[-1][1]:
            tables.append((rest[0], {}))
        tables[-1][1][linear] = float(rest[1])
    places, behind = {}, {}
    for metric, scores in tables:
        sign = 1 if metric == "rmse" else -1
        order = sorted(scores, key=lambda n: sign * scores[n])
        best = scores[order[0]]
        for i, name in enumerate(order):
            places.setdefault(name, []).append(i + 1)
            behind.setdefault(name, []).append(
                100 * abs(scores[name] - best) / best)
    print("%-30s mean rank   at most behind the best" % "")
    for name in sorted(places, key=lambda n: np.mean(places[n])):
        print("%-30s %9.1f   %.2f %%" % (
            name, np.mean(places[name]), max(behind[name])))


rank() if sys.argv[1:] == ["--rank"] else compare()

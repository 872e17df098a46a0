#!/usr/bin/python3
# tests/bench/quality.py -- other programs on the folds that quality.c drew.
#
#   quality.py TABLE.csv TARGET FOLDS.csv
#
# Needs Debian's python3-pandas, python3-sklearn and python3-xgboost.  Each
# with its own defaults; texts are one-hot for the linear ones and ordinal
# categories for the trees.
# SPDX-License-Identifier: GPL-3.0-or-later
import sys
import time
import warnings

import numpy as np
import pandas as pd
import xgboost
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import (HistGradientBoostingClassifier,
                              HistGradientBoostingRegressor)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import mean_squared_error, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (OneHotEncoder, OrdinalEncoder,
                                   StandardScaler)

warnings.filterwarnings("ignore")


def dense(model):
    number = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    return make_pipeline(make_column_transformer(
        (number, make_column_selector(dtype_include="number")),
        (OneHotEncoder(handle_unknown="ignore"),
         make_column_selector(dtype_include=object))), model)


def ordinal(model):
    return make_pipeline(make_column_transformer(
        (OrdinalEncoder(handle_unknown="use_encoded_value",
                        unknown_value=np.nan),
         make_column_selector(dtype_include=object)),
        remainder="passthrough"), model)


def early_hgb(**more):
    return HistGradientBoostingClassifier(
        learning_rate=0.05, max_iter=1000, early_stopping=True,
        validation_fraction=0.2, n_iter_no_change=50, random_state=0, **more)


def candidates(classes):
    if classes:
        return {
            "sklearn logistic": lambda: dense(
                LogisticRegression(max_iter=2000)),
            "sklearn hgb": lambda: ordinal(
                HistGradientBoostingClassifier(random_state=0)),
            "sklearn hgb early stopping": lambda: ordinal(early_hgb()),
            "xgboost": lambda: ordinal(
                xgboost.XGBClassifier(tree_method="hist", n_jobs=2)),
        }
    return {
        "sklearn ridge": lambda: dense(Ridge()),
        "sklearn hgb": lambda: ordinal(
            HistGradientBoostingRegressor(random_state=0)),
        "xgboost": lambda: ordinal(
            xgboost.XGBRegressor(tree_method="hist", n_jobs=2)),
    }


def score(make, x, y, folds, classes):
    each = []
    for seed in range(folds.shape[1]):
        parts = []
        for k in range(folds[:, seed].max() + 1):
            test = folds[:, seed] == k
            model = make().fit(x[~test], y[~test])
            if not classes:
                parts.append(mean_squared_error(
                    y[test], model.predict(x[test]), squared=False))
                continue
            p = model.predict_proba(x[test])
            if p.shape[1] == 2:
                parts.append(roc_auc_score(y[test], p[:, 1]))
            else:
                parts.append(roc_auc_score(y[test], p, multi_class="ovr",
                                           average="weighted"))
        each.append(np.mean(parts))
    return each


def main():
    table = pd.read_csv(sys.argv[1])
    y = table.pop(sys.argv[2])
    folds = np.loadtxt(sys.argv[3], delimiter=",", dtype=int)
    classes = y.dtype == object or y.nunique() <= 20
    y = (y.astype("category").cat.codes if classes else y).to_numpy()
    for name, make in candidates(classes).items():
        start = time.monotonic()
        each = score(make, table, y, folds, classes)
        print("%-30s %-6s %10.5f  %s  %6.1f s" % (
            name, "auc" if classes else "rmse", np.mean(each),
            " ".join("%10.5f" % v for v in each),
            time.monotonic() - start), flush=True)


main()

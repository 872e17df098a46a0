# Answer the rows of a CSV file by a LightGBM text, by its documented rules and nothing of
# lathe's: port_lightgbm.py MODEL.txt ROWS.csv prints one line a row.  Texts are the numbers
# of their levels, in the order of the line lathe={...}.  With a third word LightGBM itself
# answers.
# SPDX-License-Identifier: GPL-3.0-or-later
import csv
import json
import math
import sys

text = open(sys.argv[1], encoding="utf-8").read()
head, rest = text.split("\n\n", 1)
keys = dict(line.split("=", 1) for line in head.split("\n") if "=" in line)
sizes = [int(n) for n in keys["tree_sizes"].split()]
assert len(rest.split("end of trees")[0].encode()) == sum(sizes), "tree_sizes do not add up"
blocks, at, raw = [], 0, rest.encode()
for n in sizes:
    block = raw[at:at + n].decode()
    at += n
    assert block.startswith("Tree=%d\n" % len(blocks)) and block.endswith("\n\n\n")
    blocks.append({k: v for k, v in (line.split("=", 1) for line in block.split("\n") if "=" in line)})


def numbers(block, key, kind=float):
    return [kind(v) for v in block.get(key, "").split()]


trees = []
for b in blocks:
    trees.append({"feature": numbers(b, "split_feature", int), "threshold": numbers(b, "threshold"),
                  "kind": numbers(b, "decision_type", int), "left": numbers(b, "left_child", int),
                  "right": numbers(b, "right_child", int), "leaf": numbers(b, "leaf_value"),
                  "bound": numbers(b, "cat_boundaries", int), "word": numbers(b, "cat_threshold", int),
                  "const": numbers(b, "leaf_const"), "line": []})
    if b["is_linear"] == "1":
        column, term = numbers(b, "leaf_features", int), numbers(b, "leaf_coeff")
        for n in numbers(b, "num_features", int):
            trees[-1]["line"].append(list(zip(column[:n], term[:n])))
            column, term = column[n:], term[n:]
        assert not column and not term and len(trees[-1]["line"]) == len(trees[-1]["leaf"])


def goes_left(t, i, v):
    kind = t["kind"][i]
    if kind & 1:
        if math.isnan(v) or v < 0:
            return False
        k, v = int(t["threshold"][i]), int(v)
        first, end = t["bound"][k], t["bound"][k + 1]
        return v // 32 < end - first and t["word"][first + v // 32] >> v % 32 & 1
    missing = kind >> 2 & 3
    if math.isnan(v) and missing != 2:
        v = 0.0
    if (missing == 1 and abs(v) <= 1e-35) or (missing == 2 and math.isnan(v)):
        return bool(kind & 2)
    return v <= t["threshold"][i]


def leaf(t, row):
    i = 0 if t["feature"] else ~0
    while i >= 0:
        i = t["left" if goes_left(t, i, row[t["feature"][i]]) else "right"][i]
    if not t["line"] or any(math.isnan(row[c]) for c, _ in t["line"][~i]):
        return t["leaf"][~i]
    return t["const"][~i] + sum(w * row[c] for c, w in t["line"][~i])


rows = []
schema = json.loads(keys["lathe"])["inputs"]
k, objective = int(keys["num_class"]), keys.get("objective", "none").split()[0]
for r in csv.DictReader(open(sys.argv[2], encoding="utf-8")):
    row = []
    for c in schema:
        v = r[c["name"]]
        if "levels" in c:
            row.append(float(c["levels"].index(v)) if v in c["levels"] else math.nan)
        else:
            row.append({"": math.nan, "true": 1.0, "false": 0.0}.get(v) if v in ("", "true", "false") else float(v))
    rows.append(row)
    if len(sys.argv) > 3:
        continue
    score = [0.0] * k
    for i, t in enumerate(trees):
        score[i % k] += leaf(t, row)
    if objective == "binary":
        score = [1 / (1 + math.exp(-score[0]))]
    elif objective == "multiclass":
        e = [math.exp(s - max(score)) for s in score]
        score = [x / sum(e) for x in e]
    print(",".join(repr(s) for s in score))
if len(sys.argv) > 3:
    import lightgbm
    answers = lightgbm.Booster(model_file=sys.argv[1]).predict(rows)
    print("\n".join(",".join(repr(float(v)) for v in (a if k > 1 else [a])) for a in answers))

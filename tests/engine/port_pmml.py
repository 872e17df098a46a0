# Answer the rows of a CSV file by a PMML file, by the rules of PMML 4.4 and nothing of lathe's:
# port_pmml.py MODEL.xml ROWS.csv prints one line a row.
# SPDX-License-Identifier: GPL-3.0-or-later
import csv
import math
import re
import sys
import xml.etree.ElementTree as ET

NS = "{http://www.dmg.org/PMML-4_4}"
root = ET.parse(sys.argv[1]).getroot()
fields = {f.get("name"): f for f in root.find(NS + "DataDictionary")}
model = next(m for m in root if m.tag in (NS + "MiningModel", NS + "RegressionModel", NS + "ClusteringModel"))
target = next((f.get("name") for f in model.find(NS + "MiningSchema") if f.get("usageType") == "target"), None)


def value(field, text):
    """None where it is missing, or a category that is not known."""
    if field.get("optype") == "categorical":
        return text if text in [v.get("value") for v in field] else None
    return None if text == "" else {"true": 1.0, "false": 0.0}.get(text) if text in ("true", "false") else float(text)


def holds(node, row):
    """True, False, or None where it is not known."""
    p = node[0]
    if p.tag == NS + "True":
        return True
    v = row[p.get("field")]
    if v is None:
        return None
    if p.tag == NS + "SimpleSetPredicate":
        a = p.find(NS + "Array")
        words = re.findall(r'"((?:[^"\\]|\\.)*)"', a.text or "") if a.get("type") == "string" else a.text.split()
        words = [re.sub(r"\\(.)", r"\1", w) for w in words]
        return (v in words) == (p.get("booleanOperator") == "isIn")
    t, op = float(p.get("value")), p.get("operator")
    return {"lessThan": v < t, "lessOrEqual": v <= t, "greaterThan": v > t, "greaterOrEqual": v >= t,
            "equal": v == t, "notEqual": v != t}[op]


def tree(node, row):
    while True:
        children = node.findall(NS + "Node")
        if not children:
            return float(node.get("score"))
        known = [holds(c, row) for c in children]
        if None in known:
            node = next(c for c in children if c.get("id") == node.get("defaultChild"))
        else:
            node = children[known.index(True)]


def formula(x, row):
    if x.tag == NS + "Constant":
        return float(x.text)
    if x.tag == NS + "FieldRef":
        return row[x.get("field")]
    if x.tag == NS + "NormDiscrete":
        v = row[x.get("field")]
        return float(x.get("mapMissingTo")) if v is None else float(v == x.get("value"))
    word = x.get("function")
    if word == "if":
        return formula(x[1] if formula(x[0], row) else x[2], row)
    args = [formula(a, row) for a in x]
    return {"isMissing": lambda: args[0] is None, "min": lambda: min(args), "max": lambda: max(args),
            "sum": lambda: sum(args)}[word]()


def derived(m, row):
    for f in m.iterfind(NS + "LocalTransformations/" + NS + "DerivedField"):
        row[f.get("name")] = formula(f[0], row)


def regression(m, row):
    scores = {}
    for t in m.findall(NS + "RegressionTable"):
        s = float(t.get("intercept"))
        for p in t:
            if p.tag == NS + "NumericPredictor":
                s += float(p.get("coefficient")) * row[p.get("name")]
            elif row[p.get("name")] == p.get("value"):
                s += float(p.get("coefficient"))
        scores[t.get("targetCategory")] = s
    kind = m.get("normalizationMethod")
    if kind == "none":
        return list(scores.values())
    if kind == "exp":
        return [math.exp(s) for s in scores.values()]
    if kind == "logit":
        return [1 / (1 + math.exp(-next(iter(scores.values()))))]
    classes = [v.get("value") for v in fields[target]]
    if kind == "simplemax":
        return [scores[c] / sum(scores.values()) for c in classes]
    e = [math.exp(scores[c]) for c in classes]
    return [x / sum(e) for x in e]


def clusters(m, row):
    """The id of the nearest, and the distance: euclidean, by the weights of the fields."""
    measure = m.find(NS + "ComparisonMeasure")
    assert measure.get("kind") == "distance" and measure[0].tag == NS + "euclidean"
    fields = [(row[f.get("field")], float(f.get("fieldWeight", "1"))) for f in m.findall(NS + "ClusteringField")]
    found = []
    for c in m.findall(NS + "Cluster"):
        centre = [float(v) for v in c.find(NS + "Array").text.split()]
        assert len(centre) == len(fields) == int(c.find(NS + "Array").get("n"))
        found.append((math.sqrt(sum(w * (x - y) ** 2 for (x, w), y in zip(fields, centre))), int(c.get("id"))))
    assert len(found) == int(m.get("numberOfClusters"))
    return [min(found)[1], min(found)[0]]


def answer(row):
    if model.tag == NS + "ClusteringModel":
        derived(model, row)
        return clusters(model, row)
    if model.tag == NS + "RegressionModel":
        derived(model, row)
        return regression(model, row)
    for s in model.find(NS + "Segmentation"):
        m = s.find(NS + "MiningModel")
        if m is None:
            m = s.find(NS + "RegressionModel")
            derived(m, row)
            return regression(m, row)
        out = m.find(NS + "Output/" + NS + "OutputField").get("name")
        row[out] = sum(tree(t.find(NS + "TreeModel/" + NS + "Node"), row) for t in m.find(NS + "Segmentation"))


for r in list(csv.DictReader(open(sys.argv[2], encoding="utf-8"))):
    row = {n: value(f, r[n]) for n, f in fields.items() if n != target}
    print(",".join(repr(x) for x in answer(row)))

# ONNX models that lathe did not write, made with the onnx package, and rows for them: NAME.onnx,
# NAME.columns (what port.mjs needs) and rows.csv.  Run by port.sh in an empty folder.
# SPDX-License-Identifier: GPL-3.0-or-later
import json
import random

import numpy as np
from onnx import TensorProto as T, helper as h, numpy_helper as nh, save

rng = random.Random(6)
np.random.seed(6)
ML, N = "ai.onnx.ml", 400
columns = ["a", "b", "c", "d"]
with open("rows.csv", "w") as f:
    f.write("a,b,c,d,shade\n")
    for _ in range(N):
        v = ["" if rng.random() < 0.1 else repr(float(np.float32(round(rng.gauss(0, 2) * 4) / 4))) for _ in columns]
        f.write(",".join(v) + "," + rng.choice(["dark", "light", "never seen", ""]) + "\n")


pixels = ["p%d" % i for i in range(72)]
with open("pictures.csv", "w") as f:
    f.write(",".join(pixels) + "\n")
    for _ in range(N):
        f.write(",".join(repr(float(np.float32(rng.gauss(0, 1)))) for _ in pixels) + "\n")


def write(name, nodes, out, width, inputs=None, constants=(), names=columns):
    outs = [h.make_tensor_value_info(out, T.FLOAT, ["n", width])]
    if any("label" in n.output for n in nodes):
        kind = T.STRING if any(a.name == "classlabels_strings" for n in nodes for a in n.attribute) else T.INT64
        outs.insert(0, h.make_tensor_value_info("label", kind, ["n"]))
    inputs = inputs or [h.make_tensor_value_info("features", T.FLOAT, ["n", len(names)])]
    g = h.make_graph(nodes, name, inputs, outs, list(constants))
    m = h.make_model(g, opset_imports=[h.make_opsetid("", 15), h.make_opsetid(ML, 3)], ir_version=8)
    save(m, name + ".onnx")
    json.dump(names, open(name + ".columns", "w"))


def normal(*shape):
    return np.random.normal(size=shape).astype(np.float32)


# A network behind its preparation.
write("net", [
    h.make_node("Imputer", ["features"], ["filled"], domain=ML, imputed_value_floats=[0.5, -1, 0, 2],
                replaced_value_float=float("nan")),
    h.make_node("Scaler", ["filled"], ["scaled"], domain=ML, offset=[0.1, 0.2, 0.3, 0.4], scale=[1, 0.5, 2, 0.25]),
    h.make_node("Gemm", ["scaled", "w1", "b1"], ["h1"], transB=1),
    h.make_node("Relu", ["h1"], ["r1"]),
    h.make_node("BatchNormalization", ["r1", "g", "s", "m", "v"], ["n1"]),
    h.make_node("MatMul", ["n1", "w2"], ["h2"]),
    h.make_node("Add", ["h2", "b2"], ["h3"]),
    h.make_node("LeakyRelu", ["h3"], ["r3"], alpha=0.1),
    h.make_node("Gemm", ["r3", "w3", "b3"], ["h4"]),
    h.make_node("Softmax", ["h4"], ["probabilities"], axis=1)], "probabilities", 3,
    constants=[nh.from_array(a, n) for n, a in {
        "w1": normal(8, 4), "b1": normal(8), "g": 1 + normal(8) / 4, "s": normal(8), "m": normal(8),
        "v": np.abs(normal(8)) + 0.5, "w2": normal(8, 5), "b2": normal(5), "w3": normal(5, 3), "b3": normal(3)}.items()])

# Remainders have the sign of what is divided; halves are rounded to even.
write("rests", [
    h.make_node("Imputer", ["features"], ["filled"], domain=ML, imputed_value_floats=[0.5, -1, 0, 2],
                replaced_value_float=float("nan")),
    h.make_node("Mod", ["filled", "by"], ["rest"], fmod=1),
    h.make_node("Round", ["filled"], ["whole"]),
    h.make_node("Concat", ["rest", "whole"], ["all"], axis=1),
    h.make_node("MatMul", ["all", "w"], ["prediction"])], "prediction", 1,
    constants=[nh.from_array(np.array([[3, -1.5, 1.25, 2]], np.float32), "by"),
               nh.from_array(np.array([[1], [3], [7], [13], [0.5], [19], [23], [29]], np.float32), "w")])

# Every question, each with its way for the missing; means of two trees.
modes = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"]
node = {k: [] for k in ("treeids", "nodeids", "featureids", "modes", "values", "truenodeids", "falsenodeids",
                        "missing_value_tracks_true")}
leaf = {k: [] for k in ("treeids", "nodeids", "ids", "weights")}


def put(tree, i, mode, feature=0, value=0.0, yes=0, no=0, missing=0, weight=None):
    for k, v in zip(node, (tree, i, feature, mode, value, yes, no, missing)):
        node[k].append(v)
    if weight is not None:
        for k, v in zip(leaf, (tree, i, 0, weight)):
            leaf[k].append(v)


for tree in range(2):
    for i, mode in enumerate(modes):  # a chain; leaf 10 + i where the answer is yes
        put(tree, i, mode, i % 4, (0.25 if tree else -0.5) if i < 4 else 0.75, 10 + i,
            i + 1 if i < 5 else 20, (i + tree) % 2)
    for i in list(range(10, 16)) + [20]:
        put(tree, i, "LEAF", weight=rng.gauss(0, 1))
write("modes", [h.make_node(
    "TreeEnsembleRegressor", ["features"], ["prediction"], domain=ML, n_targets=1, aggregate_function="AVERAGE",
    base_values=[0.5], post_transform="NONE", **{"nodes_" + k: v for k, v in node.items()},
    **{"target_" + k: v for k, v in leaf.items()})], "prediction", 1)

# A forest as scikit-learn's converter has it: leaves with a value for each class.
node, leaf = {k: [] for k in node}, {k: [] for k in leaf}
for tree in range(5):
    for i in range(7):
        if i < 3:
            put(tree, i, "BRANCH_LEQ", rng.randrange(4), float(np.float32(rng.gauss(0, 1))), 2 * i + 1, 2 * i + 2,
                rng.randrange(2))
        else:
            put(tree, i, "LEAF")
            p = np.random.dirichlet([1, 1, 1])
            for c in range(3):
                for k, v in zip(leaf, (tree, i, c, float(p[c] / 5))):
                    leaf[k].append(v)
write("forest", [h.make_node(
    "TreeEnsembleClassifier", ["features"], ["label", "probabilities"], domain=ML, post_transform="NONE",
    classlabels_int64s=[3, 5, 8], **{"nodes_" + k: v for k, v in node.items()},
    **{"class_" + k: v for k, v in leaf.items()})], "probabilities", 3)

# Words beside numbers, two classes.
write("words", [
    h.make_node("OneHotEncoder", ["shade"], ["hot"], domain=ML, cats_strings=["light", "dark"], zeros=1),
    h.make_node("Reshape", ["hot", "shape"], ["flat"]),
    h.make_node("Imputer", ["a"], ["filled"], domain=ML, imputed_value_floats=[1.5],
                replaced_value_float=float("nan")),
    h.make_node("Concat", ["filled", "flat"], ["all"], axis=1),
    h.make_node("LinearClassifier", ["all"], ["label", "probabilities"], domain=ML, post_transform="LOGISTIC",
                coefficients=[-1, 2, -0.5, 1, -2, 0.5], intercepts=[0.25, -0.25], classlabels_strings=["no", "yes"],
                multi_class=0)], "probabilities", 2,
    inputs=[h.make_tensor_value_info("a", T.FLOAT, ["n", 1]), h.make_tensor_value_info("shade", T.STRING, ["n", 1])],
    constants=[nh.from_array(np.array([-1, 2], np.int64), "shape")])

# Images: 2 channels of 6 x 6, all kinds of edges, two ways that meet, a vector for a number.
write("pictures", [
    h.make_node("Reshape", ["features", "image"], ["x"]),
    h.make_node("Conv", ["x", "k1", "c1"], ["h1"], pads=[1, 0, 2, 1], strides=[2, 2]),
    h.make_node("BatchNormalization", ["h1", "g", "s", "m", "v"], ["n1"]),
    h.make_node("Elu", ["n1"], ["r1"]),
    h.make_node("Conv", ["r1", "k2"], ["h2"], auto_pad="SAME_UPPER", kernel_shape=[2, 2]),
    h.make_node("Mul", ["h2", "channels"], ["m2"]),
    h.make_node("Add", ["m2", "r1"], ["a2"]),
    h.make_node("Clip", ["a2", "low", "high"], ["r2"]),
    h.make_node("MaxPool", ["r2"], ["x3"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
    h.make_node("AveragePool", ["r2"], ["y3"], kernel_shape=[2, 2]),
    h.make_node("Transpose", ["y3"], ["t3"], perm=[0, 2, 3, 1]),
    h.make_node("Flatten", ["t3"], ["f3"], axis=1),
    h.make_node("GlobalAveragePool", ["x3"], ["p4"]),
    h.make_node("Flatten", ["p4"], ["f4"], axis=1),
    h.make_node("Gather", ["features", "first"], ["one"], axis=1),
    h.make_node("Binarizer", ["one"], ["bit"], domain=ML, threshold=0.25),
    h.make_node("Cast", ["bit"], ["row"], to=T.INT64),
    h.make_node("Gather", ["rows", "row"], ["vector"], axis=0),
    h.make_node("Reshape", ["vector", "flat"], ["f5"]),
    h.make_node("Concat", ["f3", "f4", "f5"], ["all"], axis=1),
    h.make_node("Gemm", ["all", "w", "b"], ["sums"]),
    h.make_node("Softmax", ["sums"], ["probabilities"], axis=1)], "probabilities", 3, names=pixels,
    constants=[nh.from_array(a, n) for n, a in {
        "image": np.array([-1, 2, 6, 6], np.int64), "k1": normal(4, 2, 3, 3), "c1": normal(4), "g": 1 + normal(4) / 4,
        "s": normal(4), "m": normal(4), "v": np.abs(normal(4)) + 0.5, "k2": normal(4, 4, 2, 2) / 2,
        "channels": normal(4, 1, 1), "low": np.float32(-1.5), "high": np.float32(2), "first": np.array([0], np.int64),
        "rows": normal(2, 3), "flat": np.array([-1, 3], np.int64), "w": normal(31, 3) / 3, "b": normal(3)}.items()])

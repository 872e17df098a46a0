# tests/lib/artifact.py -- boosted trees of a lathe model file, for XGBoost.
#
# Written from the layout that src/engine/trees/tree.h states; no category
# splits.  Thresholds are rounded up to 32 bits, which changes nothing for rows
# whose values are 32-bit numbers.
# SPDX-License-Identifier: GPL-3.0-or-later
import json

import numpy as np

TYPES = {"U8": "u1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "U64": "<u8",
         "F32": "<f4", "F64": "<f8"}


def tensors(path):
    data = open(path, "rb").read()
    n = int.from_bytes(data[:8], "little")
    head = json.loads(data[8:8 + n])
    out = {}
    for name, t in head.items():
        if name != "__metadata__":
            a, b = (8 + n + v for v in t["data_offsets"])
            out[name] = np.frombuffer(data[a:b], TYPES[t["dtype"]])
    return out


def covers(code):
    out, value, shift = [], 0, 0
    for byte in code.tolist():
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            out.append(value)
            value, shift = 0, 0
    return out


def tree(t, cover, i, first_node, first_leaf, n):
    """Nodes and leaves in one list, from the top down: XGBoost takes a right
    child to stand behind its left one."""
    order, parent, rows = [0 if n else ~0], [2147483647], {}
    left, right = [], []
    for k in reversed(range(n)):
        rows[k] = 0.0
        for side in "left", "right":
            child = int(t["tree." + side][first_node + k])
            rows[k] += rows[child] if child >= 0 else \
                float(cover[first_leaf + ~child])
    for at, child in enumerate(order):  # which grows
        left.append(len(order) if child >= 0 else -1)
        right.append(len(order) + 1 if child >= 0 else -1)
        if child >= 0:
            for side in "left", "right":
                order.append(int(t["tree." + side][first_node + child]))
                parent.append(at)
    out = {"left_children": left, "right_children": right, "parents": parent,
           "split_indices": [], "split_conditions": [], "default_left": [],
           "sum_hessian": []}
    for child in order:
        inner, node = child >= 0, first_node + child
        cut = t["tree.threshold"][node] if inner else \
            t["tree.value"][first_leaf + ~child]
        near = np.float32(cut)
        if inner and near < cut:
            near = np.nextafter(near, np.float32(np.inf))
        out["split_conditions"].append(float(near))
        out["split_indices"].append(
            int(t["tree.feature"][node]) if inner else 0)
        out["default_left"].append(
            bool(t["tree.flags"][node] & 1) if inner else False)
        out["sum_hessian"].append(
            rows[child] if inner else float(cover[first_leaf + ~child]))
    for k in ("categories", "categories_nodes", "categories_segments",
              "categories_sizes"):
        out[k] = []
    out["base_weights"] = out["loss_changes"] = [0.0] * len(order)
    out["split_type"] = [0] * len(order)
    out["id"] = i
    out["tree_param"] = {"num_nodes": str(len(order)), "num_deleted": "0",
                         "size_leaf_vector": "0", "num_feature": "0"}
    return out


def xgboost_json(path, n_features):
    """The text of an XGBoost model whose margins are the file's; outputs
    beyond one are classes."""
    t = tensors(path)
    cover = covers(t["tree.cover"])
    node, leaf, base = t["tree.node_start"], t["tree.leaf_start"], t["tree.base"]
    trees = [tree(t, cover, i, int(node[i]), int(leaf[i]),
                  int(node[i + 1] - node[i])) for i in range(len(node) - 1)]
    k = len(base)
    for v in trees:
        v["tree_param"]["num_feature"] = str(n_features)
    objective = {"name": "reg:squarederror",
                 "reg_loss_param": {"scale_pos_weight": "1"}} if k == 1 else \
        {"name": "multi:softprob",
         "softmax_multiclass_param": {"num_class": str(k)}}
    return json.dumps({"learner": {
        "attributes": {}, "feature_names": [], "feature_types": [],
        "gradient_booster": {"name": "gbtree", "model": {
            "gbtree_model_param": {"num_trees": str(len(trees)),
                                   "num_parallel_tree": "1",
                                   "size_leaf_vector": "0"},
            "tree_info": [i % k for i in range(len(trees))],
            "trees": trees}},
        "learner_model_param": {
            "base_score": "0", "num_class": str(k if k > 1 else 0),
            "num_feature": str(n_features), "num_target": "1"},
        "objective": objective}, "version": [1, 7, 4]}), base

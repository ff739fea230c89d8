#!/usr/bin/env python3
"""What `winnow eval` measures, by scikit-learn and plain numpy: FOLDER/figures.json.

    evaluate_reference.py FOLDER

images.npy, texts.npy          unit rows; image_ids.npy, text_ids.npy: equal things share a number
x.npy, y.npy, folds.npy        rows, classes, and the fold of each row; strength.npy: the probe's C
scores.npy, positives.npy      a score a pair, and whether it is a mismatch
"""

import json
import sys
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, average_precision_score, f1_score, roc_auc_score
from sklearn.neighbors import KNeighborsClassifier


def ranks(queries, query_ids, candidates, candidate_ids):
    """One query and one candidate an id; by definition, one query at a time."""
    query_rows = [np.flatnonzero(query_ids == i)[0] for i in dict.fromkeys(query_ids)]
    candidate_rows = [np.flatnonzero(candidate_ids == i)[0] for i in dict.fromkeys(candidate_ids)]
    result = []
    for row in query_rows:
        right = set(candidate_ids[query_ids == query_ids[row]])
        scores = candidates[candidate_rows] @ queries[row]
        is_right = np.array([candidate_ids[r] in right for r in candidate_rows])
        result.append(1 + int((scores[~is_right] >= scores[is_right].max()).sum()))
    return result


def figures(ranks):
    ranks = np.array(ranks)
    recall = {f"recall_at_{k}": float((ranks <= k).mean()) for k in (1, 5, 10)}
    return {**recall, "median_rank": float(np.median(ranks)), "ranks": ranks.tolist()}


def classified(model, x, y, folds):
    predicted = np.empty_like(y)
    for fold in np.unique(folds):
        predicted[folds == fold] = model.fit(x[folds != fold], y[folds != fold]).predict(x[folds == fold])
    return {
        "accuracy": accuracy_score(y, predicted), "macro_f1": f1_score(y, predicted, average="macro"),
        "predicted": predicted.tolist()}


def main(folder):
    def load(name):
        return np.load(Path(folder) / f"{name}.npy")

    images, texts, image_ids, text_ids = map(load, ("images", "texts", "image_ids", "text_ids"))
    x, y, folds = map(load, ("x", "y", "folds"))
    probe = LogisticRegression(C=float(load("strength")[0]), tol=1e-8, max_iter=10_000)
    neighbours = KNeighborsClassifier(n_neighbors=7, metric="cosine")
    (Path(folder) / "figures.json").write_text(json.dumps({
        "image_to_text": figures(ranks(images, image_ids, texts, text_ids)),
        "text_to_image": figures(ranks(texts, text_ids, images, image_ids)),
        "linear_probe": classified(probe, x, y, folds),
        "nearest_neighbours": classified(neighbours, x, y, folds),
        "auroc": roc_auc_score(load("positives"), load("scores")),
        "average_precision": average_precision_score(load("positives"), load("scores")),
    }))


main(sys.argv[1])

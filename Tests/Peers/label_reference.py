#!/usr/bin/env python3
"""What cleanlab 2.9 says of random and real problems: FOLDER/NAME.npz, inputs and results.

    label_reference.py FOLDER [--goldens]

numpy's default sort isn't stable, so which of equal examples (and of equal remainders of a rounding) cleanlab picks
depends on the processor. Here it sorts stably. Columns that begin with `default|` are what it picks without that.
--goldens makes the few small problems that are committed.
"""

import argparse
import contextlib
import io
import itertools
import warnings
from pathlib import Path

import numpy as np

import cleanlab
from cleanlab import count, filter, rank
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

assert cleanlab.__version__.startswith("2.9"), cleanlab.__version__
warnings.filterwarnings("ignore")

FILTERS = [
    "prune_by_noise_rate", "prune_by_class", "both", "confident_learning", "predicted_neq_given",
    "low_normalized_margin", "low_self_confidence"]
PRUNING = FILTERS[:3]
RANKS = ["self_confidence", "normalized_margin", "confidence_weighted_entropy"]


@contextlib.contextmanager
def stable_sort():
    default = np.argsort
    np.argsort = lambda a, axis=-1, kind="stable", **more: default(a, axis=axis, kind=kind, **more)
    try:
        yield
    finally:
        np.argsort = default


def flagged(labels, probs, by, fraction, least, rank_by, adjusted, removed=None):
    return filter.find_label_issues(
        labels, probs, filter_by=by, frac_noise=fraction, min_examples_per_class=least, num_to_remove_per_class=removed,
        return_indices_ranked_by=rank_by, rank_by_kwargs={"adjust_pred_probs": adjusted}, n_jobs=1)


def options():
    for by in FILTERS:
        yield by, 1.0, 1, "self_confidence", False
    for by, (fraction, least) in itertools.product(PRUNING, [(0.5, 1), (0.3, 4), (1.0, 0), (1.0, 10)]):
        yield by, fraction, least, "self_confidence", False
    yield "prune_by_noise_rate", 1.0, 1, "normalized_margin", False
    yield "both", 1.0, 1, "confidence_weighted_entropy", False
    yield "confident_learning", 1.0, 1, "self_confidence", True
    yield "prune_by_class", 1.0, 1, "normalized_margin", True


def results(labels, probs, others):
    classes = probs.shape[1]
    with stable_sort():
        confident = count.compute_confident_joint(labels, probs, calibrate=False)
        calibrated = count.calibrate_confident_joint(confident, labels)
        it = {
            "thresholds": count.get_confident_thresholds(labels, probs),
            "confident_joint": confident.astype(np.int64),
            "calibrated_joint": calibrated.astype(np.int64),
            "joint": count.estimate_joint(labels, probs),
        }
        for method, converge in [("cnt", False), ("cnt", True), ("marginal", False), ("marginal_ps", False), ("eqn", False)]:
            try:
                prior, noise, inverse = count.estimate_latent(
                    calibrated, labels, py_method=method, converge_latent_estimates=converge)
            except np.linalg.LinAlgError:
                continue
            # Where the matrix has hardly an inverse, no two ways to solve it agree.
            if method == "eqn" and np.linalg.cond(calibrated / calibrated.sum(axis=0).clip(1e-100)) > 1e4:
                continue
            name = f"{method}|{int(converge)}"
            it |= {f"prior|{name}": prior, f"noise|{name}": noise, f"inverse|{name}": inverse}
        for method, adjusted in itertools.product(RANKS, [False, True]):
            if not (adjusted and method == "confidence_weighted_entropy"):
                it[f"quality|{method}|{int(adjusted)}"] = rank._compute_label_quality_scores(
                    labels, probs, method=method, adjust_pred_probs=adjusted)
        for choice in options():
            try:
                it[name_of("issues", choice)] = flagged(labels, probs, *choice).astype(np.int64)
            except ValueError as error:  # it wants two classes among the labels
                assert "at least 2 classes" in str(error), error
        if len(set(labels)) > 1:
            it["issue_count"] = np.array([count.num_label_issues(labels, probs, estimation_method="off_diagonal_calibrated")])
            removed = np.bincount(labels, minlength=classes) // 4
            it["removed"] = removed.astype(np.int64)
            for by in PRUNING:
                it[f"removing|{by}"] = flagged(labels, probs, by, 1.0, 1, "self_confidence", False, removed).astype(np.int64)
            it |= ensemble(labels, [probs, *others])
    if len(set(labels)) > 1:
        for by in FILTERS:
            it[f"default|{by}"] = flagged(labels, probs, by, 1.0, 1, "self_confidence", False).astype(np.int64)
    return it


def name_of(kind, choice):
    return "|".join([kind, *(str(int(c)) if isinstance(c, bool) else str(c) for c in choice)])


def ensemble(labels, models):
    it = {}
    weights = np.arange(1.0, len(models) + 1)
    for method, adjusted in itertools.product(RANKS, [False, True]):
        if adjusted and method == "confidence_weighted_entropy":
            continue
        for weighting in ["uniform", "accuracy", "log_loss_search", "custom"]:
            if weighting == "accuracy" and not any((m.argmax(1) == labels).any() for m in models):
                continue
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    scores = rank.get_label_quality_ensemble_scores(
                        labels, models, method=method, adjust_pred_probs=adjusted, weight_ensemble_members_by=weighting,
                        custom_weights=weights if weighting == "custom" else None)
            except ValueError as error:
                # scikit-learn's log loss wants every class and sums of at most 1; a temperature of 200 may underflow.
                known = ["different number of classes", "greater than 1", "contains NaN"]
                assert weighting == "log_loss_search" and any(text in str(error) for text in known), error
                continue
            it[f"ensemble|{method}|{int(adjusted)}|{weighting}"] = scores
    return it


def problem(seed, classes, rows, kind):
    """Labels with noise, and probabilities that know the truth about as well as a model does."""
    random = np.random.default_rng(seed)
    share = {
        "rare": 1 / np.arange(1, classes + 1) ** 1.5,
        "empty": (random.random(classes) < 0.6) + np.eye(classes)[0],
    }.get(kind, np.ones(classes))
    truth = random.choice(classes, size=rows, p=share / share.sum())
    wrong = random.random(rows) < random.uniform(0, 0.4)
    labels = np.where(wrong, random.choice(classes, size=rows, p=share / share.sum()), truth)

    def predictions():
        logits = random.normal(size=(rows, classes)) + random.uniform(1, 6) * np.eye(classes)[truth]
        probs = np.exp(logits)
        probs /= probs.sum(axis=1, keepdims=True)
        if kind == "ties":
            probs = np.round(probs * 8) / 8
        elif kind == "one-hot":
            probs = np.eye(classes)[probs.argmax(axis=1)]
        elif kind == "constant":
            probs = np.full((rows, classes), 1 / classes)
        elif kind == "repeated":
            probs = probs[random.integers(0, 1 + rows // 5, size=rows)]
        return np.ascontiguousarray(probs)

    return labels.astype(np.int64), predictions(), [predictions(), predictions()]


def real(data, noise, seed):
    random = np.random.default_rng(seed)
    labels = data.target.copy()
    wrong = random.random(len(labels)) < noise
    labels[wrong] = random.integers(0, labels.max() + 1, size=wrong.sum())

    def model(strength):
        pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=2000))
        return cross_val_predict(pipeline, data.data, labels, cv=5, method="predict_proba")

    return labels.astype(np.int64), model(0.01), [model(0.1), model(1.0)]


KINDS = ["plain", "rare", "empty", "ties", "one-hot", "repeated", "constant"]


def problems(goldens):
    if goldens:
        for seed, (classes, rows, kind) in enumerate(
            [(2, 30, "plain"), (3, 40, "ties"), (5, 40, "empty"), (4, 40, "rare"), (3, 1, "plain")]):
            yield f"{kind}-{classes}-{rows}", problem(seed, classes, rows, kind)
        return
    yield "digits", real(load_digits(), 0.15, 0)
    yield "breast-cancer", real(load_breast_cancer(), 0.1, 1)
    random = np.random.default_rng(2026)
    for seed in range(200):
        classes = int(random.choice([2, 2, 3, 4, 5, 8, 12, 20, 50, 100, 200]))
        rows = int(random.choice([1, 2, 3, 10, 50, 200, 600, 1500]))
        kind = KINDS[seed % len(KINDS)]
        yield f"{seed:03}-{kind}-{classes}-{rows}", problem(seed, classes, rows, kind)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--goldens", action="store_true")
    given = arguments.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    save = np.savez_compressed if given.goldens else np.savez
    for name, (labels, probs, others) in problems(given.goldens):
        inputs = {"labels": labels, "probs": probs, **{f"probs{i + 2}": p for i, p in enumerate(others)}}
        columns = {**inputs, **results(labels, probs, others)}
        save(given.folder / f"{name}.npz", **{key: np.ascontiguousarray(it) for key, it in columns.items()})


main()

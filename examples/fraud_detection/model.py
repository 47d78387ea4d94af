"""A model of fraud: trained on payments of another time by scikit-learn, run by it or by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import polars as pl
from fraud_detection.features import FEATURES, TIME, features
from fraud_detection.generate import History
from numpy.typing import NDArray
from skl2onnx import to_onnx
from sklearn.ensemble import GradientBoostingClassifier

import tailrace as tr

Matrix = NDArray[np.float32]
Model = Callable[[Matrix], NDArray[np.floating[Any]]]
"""Gives the probability of fraud for each row of features."""


def train(history: History) -> GradientBoostingClassifier:
    """Fit a classifier on history, whose features the pipeline itself computes."""
    payments = tr.from_polars(history.payments, name="history", time=TIME)
    known = features(payments).collect()
    classifier = GradientBoostingClassifier(n_estimators=40, max_depth=3, random_state=0)
    return classifier.fit(matrix(known), labels(known, history.truth))


def matrix(known: pl.DataFrame) -> Matrix:
    """Give the features as the model takes them."""
    return known.select(FEATURES).cast(pl.Float32).to_numpy()


def labels(known: pl.DataFrame, truth: pl.DataFrame) -> NDArray[np.bool_]:
    """Tell which payments belong to an account that was taken over; those of other fraud are for the rules."""
    taken = truth.filter(pl.col("reason") == "model").select("card", "begin", "end")
    joined = known.join(taken, "card", "left", maintain_order="left")
    return joined.select(pl.col("ts").is_between("begin", "end").fill_null(value=False)).to_series().to_numpy()


def by_sklearn(classifier: GradientBoostingClassifier) -> Model:
    """Run the classifier itself."""
    return lambda rows: classifier.predict_proba(rows)[:, 1]


def export(classifier: GradientBoostingClassifier, path: Path) -> None:
    """Write the classifier as ONNX, which needs no scikit-learn to run and has no code in it."""
    example = np.zeros((1, len(FEATURES)), np.float32)
    path.write_bytes(to_onnx(classifier, example, options={"zipmap": False}).SerializeToString())


def by_onnx(path: Path) -> Model:
    """Run a model that was exported."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (name,) = (given.name for given in session.get_inputs())
    return lambda rows: session.run(["probabilities"], {name: rows})[0][:, 1]

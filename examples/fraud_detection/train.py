"""Train the model on generated history and write it as ONNX: `python -m fraud_detection.train fraud.onnx`."""

from __future__ import annotations

import argparse
from pathlib import Path

from fraud_detection.generate import generate
from fraud_detection.model import export, train


def main() -> None:
    """Run as the command line says."""
    parser = argparse.ArgumentParser(prog="fraud_detection.train", description=__doc__)
    parser.add_argument("model", type=Path, help="the file to write")
    parser.add_argument("--rows", type=int, default=20_000, help="about so many payments (%(default)s)")
    parser.add_argument("--seed", type=int, default=2, help="other ones with another seed (%(default)s)")
    given = parser.parse_args()
    export(train(generate(given.rows, given.seed)), given.model)


if __name__ == "__main__":
    main()

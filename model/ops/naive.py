"""What the loop-written references of the kernels share. numpy, float64."""

import math

import numpy as np


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Returns the cosine of two vectors."""
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    return float(a @ b / (math.sqrt(a @ a) * math.sqrt(b @ b)))


def softmax(x: np.ndarray) -> np.ndarray:
    """Returns the softmax of a vector."""
    e = np.exp(x - x.max())
    return np.asarray(e / e.sum())

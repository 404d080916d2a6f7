"""Intervals of cluster expansions at contents beyond those of their training.

Residuals of contents left out among the training contents say too little about higher ones: they are partly
interpolations, and an expansion up to clusters of m atoms lacks the more of the next larger ones the more atoms there
are. So the last step that the training rows allow is taken (the highest content from all lower ones), and its
residuals grow on with the square root of the number of clusters left out, as a sum of independent contributions
does.
"""

from math import comb
from typing import Any

import numpy as np


def last_step_half_width(
    estimator: Any, features: np.ndarray, target: np.ndarray, contents: np.ndarray, confidence: float
) -> float:
    """Return the half-width that holds a share `confidence` of the highest content, predicted from all lower ones.

    Split conformal with mapie (Papadopoulos et al., ECML 2002, 345). Raises ValueError for a single content.
    """
    from mapie.regression import SplitConformalRegressor

    last = contents == contents.max()
    conformal = SplitConformalRegressor(estimator, confidence, "absolute", prefit=False)
    conformal.fit(features[~last], target[~last]).conformalize(features[last], target[last])
    _, ends = conformal.predict_interval(features[:1])
    return float(ends[0, 1, 0] - ends[0, 0, 0]) / 2


def growth(contents: np.ndarray, highest: int, order: int) -> np.ndarray:
    """Return how much wider than in the last step of the training an interval is at these contents, (n,), at least 1.

    An expansion up to clusters of `order` atoms, trained on cells with at most `highest`, lacks the clusters of one
    atom more: C(n, order + 1) of them with n atoms. The last step lacks those of `highest` atoms if these are smaller,
    since no cell below it has any.
    """
    smallest_left_out = min(order, highest) + 1
    in_last_step = comb(highest, min(order, highest - 1) + 1)
    missing = np.array([comb(int(n), smallest_left_out) for n in contents], dtype=float)
    return np.maximum(np.sqrt(missing / in_last_step), 1.0)

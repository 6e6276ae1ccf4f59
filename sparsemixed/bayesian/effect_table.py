"""Random effects row by row, as a table lists them."""

from __future__ import annotations

import numpy as np

from sparsemixed.bayesian.posterior import Posterior
from sparsemixed.bayesian.special import ndtri
from sparsemixed.postestimation.random_effects import effect_names, term_name


def effect_rows(posterior: Posterior, level: float) -> list[tuple[str, list[tuple[str, tuple[float, ...]]]]]:
    """For every set of groups its title, and label, mean, standard deviation and limits of each effect.

    The limits take the mixture over the variance parameters as normal.
    """
    half, found = float(ndtri(0.5 + level / 200.0)), []
    for term, mean, variance in zip(posterior.fit.design.random, posterior.effects, posterior.effects_var, strict=True):
        sd = np.sqrt(np.clip(np.einsum("jkk->jk", variance), 0.0, None))
        names, labels = effect_names(term), term.labels.astype(str).agg(" ".join, axis=1).tolist() if term.labels.shape[1] else []
        rows = []
        for j in range(term.n_groups):
            group = labels[j] if labels else ""
            for k, name in enumerate(names):
                b, s = float(mean[j, k]), float(sd[j, k])
                rows.append((f"{name}[{group}]", (b, s, b - half * s, b + half * s)))
        found.append((term_name(term), rows))
    return found

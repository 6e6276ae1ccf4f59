"""Nested data with weights at every level, and the data that frequency weights stand for."""

from __future__ import annotations

import numpy as np
import pandas as pd

MODELS = {
    "intercept": ("y x [W] || a:, w(wa)", ["a"]),
    "slope": ("y x [W] || a: x, covariance(unstructured) w(wa)", ["a"]),
    "exchangeable": ("y x [W] || a: x z, covariance(exchangeable) w(wa)", ["a"]),
    "independent": ("y x [W] || a: x, w(wa)", ["a"]),
    "two equations": ("y x [W] || a: x z, noconstant covariance(identity) w(wa) || a:, w(wa)", ["a"]),
    "rows only": ("y x [W] || b: || a:", []),
    "upper only": ("y x || b:, w(wb) || a: x, covariance(unstructured)", ["b"]),
    "three levels": ("y x [W] || b:, w(wb) || a: x, covariance(unstructured) w(wa)", ["b", "a"]),
    "slopes above": ("y x [W] || b: x z, covariance(unstructured) w(wb) || a:, w(wa)", ["b", "a"]),
    "four levels": ("y x [W] || c: z, w(wc) || b:, w(wb) || a: x, covariance(unstructured) w(wa)", ["c", "b", "a"]),
    "by": ("y x [W] || b:, w(wb) || a:, w(wa) residuals(independent, by(sex))", ["b", "a"]),
    "ar": ("y x || a:, w(wa) residuals(ar 1, t(t))", ["a"]),
    "ar alone": ("y x || a:, noconstant w(wa) residuals(ar 1, t(t))", ["a"]),
    "toeplitz": ("y x || a:, w(wa) residuals(toeplitz 1, t(t))", ["a"]),
    "none": ("y x [W]", []),
}
"""Name -> command, with W for the rows' weight and w() for the groups', and the levels that have weights."""


def command(name, kind="fweight"):
    """A model's command with weights of one kind."""
    return MODELS[name][0].replace("[W]", f"[{kind}=w]").replace("w(", f"{kind}(").replace(f"{kind}eight(", f"{kind}(")


def nested(seed, n=160):
    """n rows in 18 groups a within 6 groups b within 3 groups c, whole weights 1 to 3 at every level."""
    rng = np.random.default_rng(seed)
    a = np.sort(np.append(np.arange(18), rng.integers(0, 18, n - 18)))
    b, c = a // 3, a // 6
    x, z = rng.normal(size=n), rng.normal(size=n)
    effects = rng.normal(size=18)[a] + 0.7 * rng.normal(size=18)[a] * x + rng.normal(size=6)[b] + rng.normal(size=3)[c] * z
    data = pd.DataFrame({"y": 2.0 + x + effects + rng.normal(size=n), "x": x, "z": z, "a": a, "b": b, "c": c})
    data["sex"], data["t"] = rng.integers(0, 2, n), data.groupby("a").cumcount()
    data["w"] = rng.integers(1, 4, n)
    for level in "abc":
        data[f"w{level}"] = rng.integers(1, 4, 18)[data[level]]
    return data


def replicated(data, levels, rows):
    """The data that whole weights stand for: rows, and from the inside out whole groups under new names."""
    out = data.loc[data.index.repeat(data["w"])] if rows else data
    for level in reversed(levels):
        copies = [out[out[f"w{level}"] > r] for r in range(3)]
        out = pd.concat(copy.assign(**{level: copy[level].astype(str) + f"/{r}"}) for r, copy in enumerate(copies))
    return out

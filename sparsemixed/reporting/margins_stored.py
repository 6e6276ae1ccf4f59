"""Margins under the names of Stata's stored results: r(), and e() after post."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from sparsemixed.design.fixed.terms import level_text
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.covariance.sandwich import is_robust
from sparsemixed.postestimation.margins.values import Block, Margins
from sparsemixed.reporting.stored.macros import command_line
from sparsemixed.reporting.stored.weights import stored_weights
from sparsemixed.reporting.tables.titles import vce_title

DERIVATIVE = {"dydx": "dy/dx", "dyex": "dy/ex", "eydx": "ey/dx", "eyex": "ey/ex"}
EXPRESSION = "Linear prediction, fixed portion, predict()"


def margin_keys(block: Block, found: Margins) -> list[dict]:
    """What tells a block's margins apart: `variable`, `_at`, the groups' variables and the factors, each with its value."""
    n_at, n_groups, _ = block.places
    out = []
    for i in range(n_at):
        for group in found.groups[:n_groups]:
            for cell in block.cells:
                key: dict = {"variable": block.variable} if block.variable else {}
                key |= {"_at": i + 1} if n_at > 1 else {}
                key |= dict(zip(found.request.by, group, strict=True))
                out.append(key | dict(zip(block.factors, cell, strict=True)))
    return out


def margin_names(found: Margins) -> tuple[str, ...]:
    """Stata's names of the margins: `_cons`, `1.sex`, `2._at#1.sex`, `age:1.sex` of derivatives."""
    return tuple(_name(key) for block in found.blocks for key in margin_keys(block, found))


def _name(key: dict) -> str:
    parts = [f"{level_text(value)}.{name}" for name, value in key.items() if name != "variable"]
    name = "#".join(parts)
    return f"{key['variable']}:{name or '_cons'}" if "variable" in key else name or "_cons"


def margin_facts(fit: Fit, typed: str, subpop: str, weighted: bool) -> dict[str, Any]:
    """What is stored of the fit behind margins and of the call."""
    weights = stored_weights(fit.spec) if weighted else {}
    robust = is_robust(fit)
    return {
        "N": float(fit.design.nobs),
        "cmd": "margins",
        "cmdline": f"margins {typed}".strip(),
        "est_cmd": "mixed",
        "est_cmdline": command_line(fit),
        "subpop": subpop,
        "model_vce": fit.spec.vce.name,
        "model_vcetype": vce_title(fit.spec.vce.name) if robust else "",
        "clustvar": fit.design.clusters.name if fit.design.clusters is not None else "",
        "wtype": weights.get("marginswtype", ""),
        "wexp": weights.get("marginswexp", ""),
    }


def stored_margins(found: Margins, title: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """r() after margins: scalars, texts and matrices by name."""
    names, asked = list(margin_names(found)), found.request
    unconditional = asked.unconditional
    fixed = {
        "N_sub": float(np.sum(found.counts)),
        **({"N_clust": found.n_clusters} if found.n_clusters is not None else {}),
        "k_predict": 1,
        "k_margins": len(names),
        "k_by": len(found.groups),
        "k_at": len(found.at) if asked.at else 0,
        "level": asked.level,
        "title": title,
        "vce": "unconditional" if unconditional else "delta",
        "vcetype": "Unconditional" if unconditional else "Delta-method",
        "margins": " ".join("#".join(term) for term in asked.terms if term),
        "predict1_opts": "",
        "predict1_label": "Linear prediction, fixed portion",
        "expression": "predict()",
        "xvars": " ".join(dict.fromkeys(block.variable for block in found.blocks if block.variable)),
        "derivatives": DERIVATIVE.get(asked.derivative.kind, ""),
        "over": " ".join(asked.over),
        "within": " ".join(asked.within),
        "by": " ".join(asked.by),
        "emptycells": "reweight" if asked.reweight else "strict",
        "mcmethod": asked.mcompare,
        "mcadjustall": "adjustall" if asked.adjust_all else "",
    }
    by = {f"by{i + 1}": " ".join(f"{level_text(v)}.{n}" for n, v in zip(asked.by, group, strict=True))
          for i, group in enumerate(found.groups) if asked.by}  # fmt: skip
    statistics = {f"atstats{i + 1}": _statistics(point) for i, point in enumerate(found.at)} if asked.at else {}
    return {
        **{k: v for k, v in facts.items() if k not in ("wtype", "wexp")},
        **fixed,
        **by,
        **statistics,
        **_matrices(found, names),
    }


def _statistics(point: tuple) -> str:
    """How a point of at() sets its variables: `mean age`, `values sex`."""
    setting = point[0]
    words = {name: setting.texts.get(name, "(values)").strip("()") for name in (*setting.values, *setting.shares)}
    return " ".join(f"{word} {name}" for name, word in words.items())


def _matrices(found: Margins, names: list[str]) -> dict[str, Any]:
    """Missing ones are zero where Stata has zeros."""
    df = np.full(len(names), np.nan) if found.df is None else found.df
    table = {"b": found.estimate, "se": found.std_err, "z" if found.df is None else "t": found.statistic, "pvalue": found.pvalue}
    half = (found.high - found.low) / 2.0
    with np.errstate(divide="ignore", invalid="ignore"):
        table |= {"ll": found.low, "ul": found.high, "df": df, "crit": half / found.std_err, "eform": np.zeros(len(names))}
    ok, size = found.estimable, [n for _, n in zip(found.groups, found.counts, strict=True)]
    counts = [size[j] for block in found.blocks for _ in range(block.places[0]) for j in range(block.places[1])
              for _ in range(block.places[2])]  # fmt: skip
    return {
        "b": pd.Series(np.where(ok, found.estimate, 0.0), index=names),
        "V": pd.DataFrame(np.where(np.outer(ok, ok), found.covariance, 0.0), names, names),
        "Jacobian": pd.DataFrame(found.jacobian.copy(), index=names),
        "_N": pd.Series(counts, index=names, dtype=float),
        "at": _at(found),
        "chainrule": pd.Series(np.ones(len(names)), index=names),
        "error": pd.Series(np.where(ok, 0, 8), index=names),
        "table": pd.DataFrame(table, index=names).T,
    }


def _at(found: Margins) -> pd.DataFrame:
    """One row for each point of at() in each group: values of covariates and shares of levels; missing as observed."""
    rows, index = [], []
    for i, point in enumerate(found.at):
        for j, setting in enumerate(point):
            shares = {f"{level_text(v)}.{n}": s for n, own in setting.shares.items() for v, s in own.items()}
            rows.append({**setting.values, **shares})
            index.append(f"{i + 1}._at" if len(point) == 1 else f"{i + 1}._at {j + 1}")
    return pd.DataFrame(rows, index=index, dtype=float)


def posted_margins(found: Margins, title: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """e() after margins with post: what r() has, and what estimation results have besides."""
    stored = stored_margins(found, title, facts)
    balanced = sorted({name for point in found.at for s in point for name, text in s.texts.items() if text == "(asbalanced)"})
    more = {"properties": "b V", "asbalanced": " ".join(balanced), "asobserved": ""}
    return {**stored, **more, "wtype": facts["wtype"], "wexp": facts["wexp"]}

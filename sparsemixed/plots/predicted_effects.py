"""Predicted random effects of a fit as one long frame, chosen by level and name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sparsemixed.design.values import RandomTerm
from sparsemixed.errors import DataError, OptionError, suggestion
from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.hypotheses.distributions import z_critical
from sparsemixed.plots.subject import group_labels, value_label
from sparsemixed.postestimation.random_effects import effect_names, term_name


@dataclass(frozen=True)
class Effect:
    """One random effect: column `column` of term `term`."""

    term: int
    column: int
    level: str
    name: str

    @property
    def label(self) -> str:
        """`id: time`; of a factor that divides a level, the level alone."""
        return self.level if self.name.startswith("R.") else f"{self.level}: {self.name}"


def effects_of(fit: Fit) -> list[Effect]:
    """Every random effect, term by term; the columns of an exchangeable factor are one.

    Raises
    ------
    OptionError
        The model has no random effects.
    """
    found = []
    for t, term in enumerate(fit.design.random):
        if term.members is not None:
            found.append(Effect(t, -1, term_name(term), f"R.{term.blocks[0].factor}"))
            continue
        found += [Effect(t, j, term_name(term), name) for j, name in enumerate(effect_names(term))]
    if not found:
        raise OptionError("plot: the model has no random effects")
    return found


def chosen_effects(fit: Fit, effect: str | Sequence[str] | None) -> list[Effect]:
    """The effects that are asked for by level (`id`), name (`time`) or both (`id: time`); all without.

    Raises
    ------
    OptionError
        There are none of the name.
    """
    every = effects_of(fit)
    if effect is None:
        return every
    wanted = [effect] if isinstance(effect, str) else list(effect)
    found = []
    for text in wanted:
        own = [one for one in every if text in (one.level, one.name, one.label)]
        if not own:
            known = list(dict.fromkeys(word for one in every for word in (one.label, one.level, one.name)))
            raise OptionError(f"plot: there is no random effect {text!r}{suggestion(text, known)}; there are {', '.join(known)}")
        found += own
    return list(dict.fromkeys(found))


def effects_frame(fit: Fit, effects: Sequence[Effect], level: float) -> pd.DataFrame:
    """Columns panel (the effect), group, estimate, std_err, low, high: prediction and normal limits of every group."""
    half = z_critical(level)
    parts = []
    for effect in effects:
        groups, estimate, std_err = _values(fit, effect)
        parts.append(
            pd.DataFrame(
                {
                    "panel": effect.label,
                    "group": groups,
                    "estimate": estimate,
                    "std_err": std_err,
                    "low": estimate - half * std_err,
                    "high": estimate + half * std_err,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _values(fit: Fit, effect: Effect) -> tuple[list[str], np.ndarray, np.ndarray]:
    term = fit.design.random[effect.term]
    variances = np.diagonal(fit.u_var[effect.term], axis1=1, axis2=2)
    u, sd = fit.u[effect.term], np.sqrt(np.clip(variances, 0.0, None))
    labels = group_labels(fit, term.labels, term.n_groups)
    if effect.column >= 0:
        return labels, u[:, effect.column], sd[:, effect.column]
    members = list(_members(fit, term))
    places = tuple(np.array([place for place, _ in members]).T)
    return [f"{labels[place[0]]}:{name}" for place, name in members], u[places], sd[places]


def _members(fit: Fit, term: RandomTerm) -> Iterator[tuple[tuple[int, int], str]]:
    """Place of every level of an exchangeable factor in its groups, with its name."""
    factor = str(term.blocks[0].factor)
    for j, row in enumerate(np.asarray(term.members, dtype=object)):
        for i, member in enumerate(row):
            if member is not None:
                yield (j, i), value_label(fit, factor, member) or str(member)


def term_of(fit: Fit, level: str | None, least: int = 1) -> int:
    """The random term of a level, by default the first with at least `least` effects.

    Raises
    ------
    OptionError
        None is called so, or none has as many effects.
    """
    effects_of(fit)
    random = fit.design.random
    names = [term_name(term) for term in random]
    if level is not None:
        if level not in names:
            raise OptionError(f"plot: there is no level {level!r}{suggestion(level, names)}; there are {', '.join(names)}")
        wanted = [t for t, name in enumerate(names) if name == level and random[t].k >= least]
    else:
        wanted = [t for t, term in enumerate(random) if term.k >= least and term.members is None]
    if not wanted:
        raise OptionError(f"plot: no level has {least} random effects")
    return wanted[0]


def needs_rows(fit: Fit, what: str) -> None:
    """Say that the rows are needed where they are not there.

    Raises
    ------
    DataError
    """
    if not fit.design.has_rows:
        raise DataError(f"plot.{what} needs the rows that the model was fitted to; save the fit with data=True")

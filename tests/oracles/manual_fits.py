"""Fits made by hand from numbers that the manual prints, so that showing them needs no estimation."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd

from sparsemixed.design.values import Column, Design, GroupRow, RandomBlock, RandomTerm
from sparsemixed.estimation.fit import Component, Fit, VarianceParameter
from sparsemixed.estimation.search.values import LogEntry
from sparsemixed.spec import EstimationOptions, Factor, ModelSpec, RandomEquation, Term
from sparsemixed.structures.random.base import RandomStructure
from sparsemixed.structures.random.identity import Identity
from sparsemixed.structures.random.independent import Independent
from sparsemixed.structures.random.unstructured import Unstructured

CONSTANT = Column("_cons", -1, (), "estimated")


def continuous(name: str) -> Term:
    return Term((Factor(name),))


def random_term(
    equation: str, names: tuple[str, ...], structure: RandomStructure, position: int, n: int, n_groups: int
) -> RandomTerm:
    """A term with one block and `n` rows spread over the groups in order."""
    columns = np.ones((n, structure.m))
    block = RandomBlock(equation, names, structure, None, position)
    labels = pd.DataFrame({equation: np.arange(1, n_groups + 1)})
    return RandomTerm((np.arange(n) * n_groups // n).astype(np.int32), n_groups, columns, (block,), labels)


def variance(equation: str, label: str, estimate: float, std_err: float, place: int, size: int) -> VarianceParameter:
    """A parameter whose delta-method standard error is `std_err` when the information is the identity."""
    kind = "covariance" if label.startswith("cov") else "variance"
    return VarianceParameter(equation, label, estimate, std_err * np.eye(size)[place], kind, boundary=False)


def deviation(parameter: VarianceParameter) -> VarianceParameter:
    """The standard deviation of a variance; a covariance becomes a correlation of .5 with the same gradient."""
    if parameter.kind == "covariance":
        label = parameter.label.replace("cov(", "corr(")
        return dataclasses.replace(parameter, label=label, estimate=0.5, kind="correlation")
    sd = float(np.sqrt(parameter.estimate))
    label = parameter.label.replace("var(", "sd(")
    return dataclasses.replace(parameter, label=label, estimate=sd, kind="sd", gradient=parameter.gradient / (2 * sd))


def printed_components(random: tuple[RandomTerm, ...], rows: tuple[VarianceParameter, ...]) -> tuple[Component, ...]:
    """The printed rows, equation after equation as typed, each with its block; the residuals' last."""
    blocks = sorted((block for term in random for block in term.blocks), key=lambda block: block.position)
    starts = np.cumsum([0, *(block.structure.n_theta for block in blocks)]).tolist()
    parts = [*zip(blocks, starts[:-1], starts[1:], strict=True), (None, starts[-1], len(rows) - 1)]
    own = [rows[start:stop] if block else rows[start:] for block, start, stop in parts]
    return tuple(Component(*part, shown, tuple(map(deviation, shown))) for part, shown in zip(parts, own, strict=True))


def make_fit(
    spec: ModelSpec,
    columns: tuple[Column, ...],
    fixed: list[tuple[float, float]],
    random: tuple[RandomTerm, ...],
    groups: tuple[GroupRow, ...],
    variances: list[tuple[str, str, float, float]],
    llf: float,
    lr: float,
    n: int,
    chi2: float | None = None,
    value_labels: dict | None = None,
) -> Fit:
    """A fit with printed estimates and standard errors; `chi2` sets nothing but checks the caller's numbers."""
    size = len(variances)
    rows = tuple(variance(*row, place=i, size=size) for i, row in enumerate(variances))
    beta, bse = np.array(fixed).reshape(-1, 2).T
    rng = np.random.default_rng(5)
    design = Design(
        y=rng.normal(size=n),
        X=rng.normal(size=(n, len(beta))),
        columns=columns,
        random=random,
        groups=groups,
        kept=np.arange(n),
        notes=(),
        value_labels=value_labels or {},
        levels={},
    )
    return Fit(
        spec=spec,
        design=design,
        beta=beta,
        root=np.diag(bse),
        slopes=None,
        sigma2=rows[-1].estimate,
        theta=np.ones(size - 1),
        information=np.eye(size),
        boundary=np.zeros(size - 1, dtype=bool),
        boundary_names=(),
        components=printed_components(random, rows),
        llf=llf,
        llf_linear=llf - lr / 2,
        converged=True,
        message="gradient tolerance reached",
        gradient_norm=1e-12,
        em_log=(LogEntry(0, llf, 0.0), LogEntry(1, llf, 0.0)),
        log=(LogEntry(0, llf, 1e-6), LogEntry(1, llf, 1e-12)),
        iterations=1,
        factorizations=3,
        solver="block",
        u=tuple(np.full((t.n_groups, t.k), 0.5) for t in random),
        u_var=tuple(np.tile(np.eye(t.k) * 0.04, (t.n_groups, 1, 1)) for t in random),
    )


PIG_COLUMNS = (Column("week", 0, (None,), "estimated"), CONSTANT)
PIG_GROUPS = (GroupRow("id", 48, 9, 9.0, 9),)


def pig(command: str, equation: RandomEquation, method: str = "ml") -> ModelSpec:
    return ModelSpec(command, "weight", (continuous("week"),), random=(equation,), estimation=EstimationOptions(method=method))


def example_1() -> Fit:
    """Random intercept."""
    return make_fit(
        pig("weight week || id:", RandomEquation("id", ("id",))),
        PIG_COLUMNS,
        [(6.2098958, 0.03901238), (19.3556134, 0.5974059)],
        (random_term("id", ("_cons",), Identity(1), 0, 432, 48),),
        PIG_GROUPS,
        [("id: Identity", "var(_cons)", 14.81751, 3.124225), ("", "var(Residual)", 4.383264, 0.3163348)],
        -1014.9268,
        472.65,
        432,
    )


def example_2() -> Fit:
    """Independent random slope and intercept."""
    return make_fit(
        pig("weight week || id: week", RandomEquation("id", ("id",), (continuous("week"),))),
        PIG_COLUMNS,
        [(6.209896, 0.0906819), (19.35561, 0.3979159)],
        (random_term("id", ("week", "_cons"), Independent(2), 0, 432, 48),),
        PIG_GROUPS,
        [
            ("id: Independent", "var(week)", 0.3680668, 0.0801181),
            ("id: Independent", "var(_cons)", 6.756364, 1.543503),
            ("", "var(Residual)", 1.598811, 0.1233988),
        ],
        -869.03825,
        764.42,
        432,
    )


def example_3(method: str = "ml") -> Fit:
    """Correlated random slope and intercept."""
    equation = RandomEquation("id", ("id",), (continuous("week"),), covariance="unstructured")
    return make_fit(
        pig("weight week || id: week, covariance(unstructured)", equation, method),
        PIG_COLUMNS,
        [(6.209896, 0.0910745), (19.35561, 0.3996387)],
        (random_term("id", ("week", "_cons"), Unstructured(2), 0, 432, 48),),
        PIG_GROUPS,
        [
            ("id: Unstructured", "var(week)", 0.3715251, 0.0812958),
            ("id: Unstructured", "var(_cons)", 6.823363, 1.566194),
            ("id: Unstructured", "cov(week,_cons)", -0.0984378, 0.2545767),
            ("", "var(Residual)", 1.596829, 0.123198),
        ],
        -868.96185,
        764.58,
        432,
    )


def example_5b() -> Fit:
    """Two equations for one level: three blocks, two of them with the same title."""
    names = ("private", "emp", "hwy", "water", "other", "unemp")
    equations = (
        RandomEquation("region", ("region",), (continuous("hwy"), continuous("unemp")), constant=False, covariance="identity"),
        RandomEquation("region", ("region",)),
        RandomEquation("state", ("region", "state")),
    )
    spec = ModelSpec("gsp ...", "gsp", tuple(map(continuous, names)), random=equations)
    return make_fit(
        spec,
        (*(Column(name, i, (None,), "estimated") for i, name in enumerate(names)), CONSTANT),
        [(0.2671484, 0.02), (0.754072, 0.02), (0.0709767, 0.02), (0.07, 0.02), (-0.09, 0.02), (-0.0058983, 0.001), (2.1, 0.15)],
        (
            random_term("region", ("hwy", "unemp"), Identity(2), 0, 816, 9),
            random_term("region", ("_cons",), Identity(1), 1, 816, 9),
            random_term("state", ("_cons",), Identity(1), 2, 816, 48),
        ),
        (GroupRow("region", 9, 51, 90.6667, 136), GroupRow("state", 48, 17, 17.0, 17)),
        [
            ("region: Identity", "var(hwy unemp)", 0.0000238, 0.0000134),
            ("region: Identity", "var(_cons)", 0.0028191, 0.0030429),
            ("state: Identity", "var(_cons)", 0.006358, 0.0015309),
            ("", "var(Residual)", 0.0012469, 0.0000643),
        ],
        1447.6784,
        1189.08,
        816,
    )


def example_9() -> Fit:
    """A full factorial of two factors; only the layout of the coefficients is used."""
    program, day = Factor("program", "categorical"), Factor("day", "categorical")
    spec = ModelSpec(
        "strength i.program##i.day || id:, noconstant",
        "strength",
        (Term((program,)), Term((day,)), Term((program, day))),
        random=(RandomEquation("id", ("id",), constant=False),),
    )
    days = (4, 6)
    columns = (
        Column("1b.program", 0, (1,), "base"),
        Column("2.program", 0, (2,), "estimated"),
        Column("0b.day", 1, (0,), "base"),
        *(Column(f"{d}.day", 1, (d,), "estimated") for d in days),
        *(Column(f"1b.program#{d}o.day", 2, (1, d), "base") for d in days),
        Column("2.program#4.day", 2, (2, 4), "estimated"),
        Column("2o.program#6o.day", 2, (2, 6), "omitted"),
        CONSTANT,
    )
    return make_fit(
        spec,
        columns,
        [(1.360119, 1.003549), (1.125, 0.3322583), (1.360127, 0.3766893), (-0.169034, 0.4423472), (79.6875, 0.7560449)],
        (),
        (GroupRow("id", 37, 3, 4.7, 5),),
        [("", "var(Residual)", 9.145662, 2.126243)],
        -296.58215,
        0.0,
        173,
    )

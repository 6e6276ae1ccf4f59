"""A fit and the priors that were asked for, put together: the target, and what must be said of the priors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.bayesian.admissible import Mass, admissible_mass
from sparsemixed.bayesian.coefficients import CoefficientPrior
from sparsemixed.bayesian.coordinates import BlockCoordinates, Scales, block_coordinates
from sparsemixed.bayesian.error_priors import ErrorPrior, displayed_errors
from sparsemixed.bayesian.random_priors import BlockPrior, ScalePrior
from sparsemixed.bayesian.sums import MarginalSums, marginal_sums
from sparsemixed.bayesian.target import Target
from sparsemixed.errors import NotAvailableError, OptionError
from sparsemixed.estimation.fit import Fit
from sparsemixed.priors.asked import AskedPriors, Lookup
from sparsemixed.priors.matrices import LKJ, InverseWishart, MatrixPrior
from sparsemixed.priors.single import Beta, Fixed, Flat, HalfT, InverseGamma, Normal, Prior, Uniform
from sparsemixed.structures.residual_errors.unstructured import UnstructuredErrors

WIDE = 2.5
"""Standard deviations of the response that the default prior of a standard deviation has as its scale."""


@dataclass(frozen=True)
class PriorRow:
    """One prior as it is printed: of which parameters, and which."""

    parameters: str
    prior: object


@dataclass(frozen=True)
class BayesModel:
    """The target of a fit with its priors.

    Attributes
    ----------
    fit : Fit
    target : Target
    rows : tuple of PriorRow
        All priors, in the order of the table.
    mass : Mass
        Of the errors' priors where there are such errors, by which marginal likelihoods are divided.
    """

    fit: Fit
    target: Target
    rows: tuple[PriorRow, ...]
    mass: Mass


class _Builder:
    def __init__(self, fit: Fit, sums: MarginalSums, asked: AskedPriors):
        self.fit, self.sums, self.asked, self.lookup = fit, sums, asked, Lookup(asked.own)
        self.rows: list[PriorRow] = []
        self.fixed: dict[int, float] = {}
        self.mass = Mass(0.0)
        orthogonal = sums.orthogonal
        self.scale = float(np.sqrt(orthogonal.square / max(sums.n - sums.p, 1)))
        self._check_base()

    def _check_base(self) -> None:
        if self.asked.base != "stata":
            return
        if self.fit.design.residual is not None:
            raise OptionError('priors="stata": bayes: mixed of Stata has no residuals(); use the default priors or name your own')
        for block in self.fit.random_blocks:
            if block.structure.name == "exchangeable":
                raise OptionError('priors="stata": Stata has no prior of covariance(exchangeable); use the default priors')

    def coefficients(self) -> CoefficientPrior:
        base = Normal(0.0, 100.0) if self.asked.base == "stata" else Flat()
        priors, names = [], list(self.fit.design.names)
        for name in names:
            found = self.lookup.find((name,), ("b", "coefficients"))
            priors.append(base if found is None else found[1])
            if not isinstance(priors[-1], Prior):
                raise OptionError(f"priors: {priors[-1]!r} is one of matrices, and {name} is a coefficient")
        for prior in dict.fromkeys(priors):
            self.rows.append(PriorRow(" ".join(n for n, p in zip(names, priors, strict=True) if p == prior), prior))
        return CoefficientPrior(priors, self.sums.orthogonal)

    def _scale_prior(self, name: str, equation: str, default: ScalePrior, where: int | None) -> ScalePrior:
        """The prior of one standard deviation, with where its log stands among the coordinates, if it does."""
        own = ((f"{equation}: sd({name})", f"{equation}: var({name})"),) if equation else ()
        classes = ((f"{equation}: sd", f"{equation}: var"),) if equation else ()
        if name in ("Residual", "e"):
            own = ((*(own[0] if own else ()), "sigma"),)
        found = self.lookup.find(*own, (f"sd({name})", f"var({name})"), *classes, ("sd", "var"))
        if found is None:
            return default
        key, prior = found
        of = "var" if "var" in key.rpartition(": ")[2].split("(")[0] else "sd"
        if not isinstance(prior, Prior):
            raise OptionError(f"priors: {key!r} has {prior!r}, a prior of matrices; one number is meant")
        if isinstance(prior, (Normal, Beta)) or (isinstance(prior, Uniform) and prior.low < 0):
            raise OptionError(f"priors: {key!r} has {prior!r}, under which it could be negative; use a prior of positive numbers")
        if isinstance(prior, Fixed):
            if where is None:
                raise NotAvailableError(f"priors: {key!r} cannot be fixed beside correlations; only variances of their own can")
            if not prior.value > 0:
                raise OptionError(f"priors: {key!r}={prior.value:g} must be positive; leave the effect out of the model instead")
            prior = Fixed(float(prior.value if of == "sd" else np.sqrt(prior.value)))
            self.fixed[where], of = float(np.log(prior.value)), "sd"
        return ScalePrior(prior, of)

    def _row(self, name: str, equation: str, prior: ScalePrior) -> None:
        self.rows.append(PriorRow(f"{equation}: {prior.of}({name})" if equation else f"{prior.of}({name})", prior.prior))

    def block(self, block: BlockCoordinates) -> BlockPrior:
        own, equation = block.place.block, block.equation
        matrix = self.lookup.find((f"{equation}: Sigma",), ("Sigma",)) if block.correlated == "matrix" else None
        if matrix is None and self.asked.base == "stata" and block.correlated == "matrix":
            matrix = "Sigma", InverseWishart()
        if matrix is not None and not self._scales_asked(block):
            prior = matrix[1]
            if not isinstance(prior, MatrixPrior):
                raise OptionError(f"priors: {matrix[0]!r} has {prior!r}, which is no prior of covariance matrices")
            prior.check(block.m)
            self.rows.append(PriorRow(f"{equation}: Sigma", prior))
            return BlockPrior((), None, prior)
        scales, theta = [], own.structure.nearest(np.eye(block.m))
        names = [row.of for row in own.structure.display(theta, own.names) if row.kind == "variance"]
        for k, name in enumerate(names):
            where = block.place.theta.start + k if isinstance(block, Scales) else None
            scales.append(self._scale_prior(name, equation, self._default_scale(block, k), where))
            self._row(name, equation, scales[-1])
        correlation = None
        if block.correlated != "none":
            correlation = self._correlation(block, names)
        return BlockPrior(tuple(scales), correlation)

    def _scales_asked(self, block: BlockCoordinates) -> bool:
        """Whether single standard deviations or correlations were asked for in place of the default of the whole matrix."""
        whole = {f"{block.equation}: Sigma", "Sigma"} & set(self.asked.own)
        names = {f"{kind}({name})" for kind in ("sd", "var") for name in block.names} | {"sd", "var", "corr"}
        asked = {*names, *(f"{block.equation}: {name}" for name in names)} & set(self.asked.own)
        if whole and asked:
            raise OptionError(f"priors: {min(whole)!r} and {min(asked)!r} are priors of the same parameters; leave one out")
        return bool(asked) and not whole

    def _default_scale(self, block: BlockCoordinates, k: int) -> ScalePrior:
        if self.asked.base == "stata":
            return ScalePrior(InverseGamma(0.01, 0.01), "var")
        term = self.fit.design.random[self.sums.layout.order[block.place.term]]
        columns = term.columns[:, block.place.columns]
        column = columns if block.n_deviations < block.m or block.n_deviations == 1 else columns[:, k]
        size = float(np.sqrt(np.mean(column[column != 0] ** 2))) if np.any(column) else 1.0
        return ScalePrior(HalfT(3.0, _rounded(WIDE * self.scale / size)), "sd")

    def _correlation(self, block: BlockCoordinates, names: list[str]) -> LKJ | Prior:
        equation = block.equation
        pair = f"corr({','.join(block.names)})" if block.correlated == "matrix" else "corr"
        found = self.lookup.find((f"{equation}: {pair}",), (pair,), (f"{equation}: corr",), ("corr",))
        prior = LKJ(1.0) if found is None else found[1]
        single = block.correlated == "shared" or block.m == 2
        if isinstance(prior, LKJ) or (single and isinstance(prior, (Uniform, Beta))):
            self.rows.append(PriorRow(f"{equation}: corr", prior))
            return prior
        allowed = "LKJ, Uniform or Beta" if single else "LKJ"
        raise OptionError(f"priors: {found[0] if found else 'corr'!r} has {prior!r}; correlations of {equation} take {allowed}")

    def errors(self) -> ErrorPrior:
        part, default = self.fit.design.residual, ScalePrior(HalfT(3.0, _rounded(WIDE * self.scale)), "sd")
        if self.asked.base == "stata":
            default = ScalePrior(InverseGamma(0.01, 0.01), "var")
        if part is None:
            prior = self._scale_prior("Residual", "", default, self.sums.n_theta)
            self._row("Residual", "", prior)
            return ErrorPrior(None, (prior,))
        own, structure = [], part.structure
        shapes: dict[int, list[Prior]] = {}
        shown = displayed_errors(structure, structure.start())
        if len(shown) != structure.n_rho + 1:
            raise NotAvailableError(f"bayes: {part.equation} has more printed than free parameters; no prior of them is known")
        whole = type(structure) is UnstructuredErrors
        alone = sum(row.kind == "sd" for row in shown) == 1
        for row in shown:
            if row.kind == "sd":
                name = row.of if row.level_label is None else f"{row.of}"
                equation = "Residual" if row.level_label is None else f"{row.level_label}"
                where = self.sums.n_theta if alone else None
                own.append(self._scale_prior(name, equation, default, where))
                self._row(name, equation, own[-1])
            else:
                own.append(self._error_shape(row.label, row.kind, whole))
                shapes.setdefault(row.level, []).append(own[-1])
        correlation = None
        if whole:
            found = self.lookup.find(("Residual: corr",))
            correlation = LKJ(1.0) if found is None else found[1]
            if not isinstance(correlation, LKJ):
                raise OptionError(f"priors: 'Residual: corr' has {correlation!r}; correlations of unstructured errors take LKJ")
            self.rows.append(PriorRow("Residual: corr", correlation))
        else:
            self.mass = admissible_mass(part, [shapes.get(k, []) for k in range(max(len(structure.by_labels), 1))])
        return ErrorPrior(structure, tuple(own), correlation)

    def _error_shape(self, label: str, kind: str, whole: bool) -> Prior:
        """The prior of a correlation or coefficient of the errors."""
        if whole:
            return Flat()
        found = self.lookup.find((label,), ("Residual: corr",))
        if found is not None:
            if not isinstance(found[1], Prior) or isinstance(found[1], Fixed):
                raise OptionError(f"priors: {found[0]!r} has {found[1]!r}; one number takes Uniform, Beta or Normal")
            prior = found[1]
        else:
            prior = {"correlation": Uniform(-1.0, 1.0), "decay": Uniform(0.0, 1.0)}.get(kind, Flat())
        self.rows.append(PriorRow(label, prior))
        return prior


def _rounded(value: float) -> float:
    """Three digits: a scale that is read aloud."""
    return float(f"{value:.3g}")


def bayes_model(fit: Fit, asked: AskedPriors) -> BayesModel:
    """The target of a fit.

    Raises
    ------
    OptionError
        Priors of parameters that are not there, or that cannot have them.
    NotAvailableError
        A model whose likelihood is none of the data, or has no factorization.
    """
    sums = marginal_sums(fit)
    build = _Builder(fit, sums, asked)
    coefficients = build.coefficients()
    blocks = [block_coordinates(place) for place in sums.layout.places]
    priors = [build.block(block) for block in blocks]
    errors = build.errors()
    build.lookup.check_used()
    target = Target(sums, blocks, priors, errors, coefficients, build.fixed)
    if not target.n:
        raise OptionError("bayes: every variance parameter is fixed; leave at least one free")
    return BayesModel(fit, target, tuple(build.rows), build.mass)

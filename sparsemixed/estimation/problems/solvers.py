"""Which solver a fit takes, and what follows from its cost; `solver.factored.choose` predicts the cost itself."""

from __future__ import annotations

from dataclasses import replace

from sparsemixed.design.values import Design
from sparsemixed.errors import NumericalError, OptionError, SlowConvergenceError
from sparsemixed.estimation.interface import FD, FE, FittedObjective
from sparsemixed.estimation.problems.values import Case
from sparsemixed.estimation.sources.reduction import Reduction
from sparsemixed.solver.crossproducts.crossproducts import CrossProducts
from sparsemixed.solver.factored.choose import choose, expected_entries
from sparsemixed.spec import NOT_KRYLOV, EstimationOptions, ModelSpec

MAX_LAST_RESORT_NONZEROS = 1e9
"""Nonzeros of the Schur complement (12 GB) up to which a sparse factor is tried after conjugate gradients have failed."""
DEAR_ORDER = 2000
"""Order of the Schur complement from which iterative steps to the start cost less than the factorizations they save."""
EXACT_BELOW, EXACT_WORK = 400, 2e6
"""Up to this order of the Schur complement, and this number of parameters times entries of the cross-products, the exact Hessian
costs less than a second factorization of anything."""
EXACT_AT_LAST, PATIENCE = 2000, 20
"""Up to this order the exact Hessian is affordable where it must be: it takes over after so many iterations."""


def check_solver(spec: ModelSpec, design: Design) -> None:
    """Refuse what the iterative solver's system does not hold.

    Raises
    ------
    OptionError
        solver(krylov) with a residual structure or weights of groups.
    """
    if spec.estimation.solver != "krylov":
        return
    weighted = design.weights is not None and design.weights.replicates_groups
    refused = "residuals()" if design.residual is not None else "weights of groups" if weighted else ""
    if refused:
        raise OptionError(f"solver(krylov) is not available with {refused}; use solver(auto)")


def solver_for(spec: ModelSpec, reduction: Reduction) -> str:
    """The solver, decided once; weights of groups and residual structures decide for themselves."""
    asked, products = spec.estimation.solver, reduction.products
    return choose(products.cp) if asked == "auto" and products is not None and products.weights is None else asked


def check_iterative(case: Case) -> None:
    """Refuse what the iterative solver would leave without effect, or cannot do.

    Raises
    ------
    OptionError
    """
    options = case.spec.estimation
    asked = [field for field in NOT_KRYLOV if getattr(options, field) != getattr(EstimationOptions(), field)]
    if asked:
        name = "matlog" if asked[0] == "metric" else asked[0]
        raise OptionError(
            f"option {name} is not available here: this design is too large for a factorization, and solver(krylov), which "
            "takes its place, has one way to search. solver(sparse) tries a factorization all the same"
        )
    if len(case.products.cp.k) < 2:
        raise OptionError("solver(krylov) is for several crossed factors; this model has one set of groups. Use solver(auto)")


def factored_instead(case: Case, error: SlowConvergenceError) -> Case:
    """The case with solver(sparse) in place of solver(auto), where conjugate gradients failed and a factor may still fit.

    Raises
    ------
    SlowConvergenceError
        The `error`, where solver(krylov) was asked for.
    NumericalError
        A factor is out of reach too.
    """
    spec, cp = case.spec, case.products.cp
    if spec.estimation.solver != "auto":
        raise error
    entries = expected_entries(cp)
    if entries > MAX_LAST_RESORT_NONZEROS:
        raise NumericalError(
            f"no solver has an answer: conjugate gradients did not converge, and a sparse factor of order {cp.q_schur:,} has "
            f"more than {entries:,.0f} nonzeros ({12e-9 * entries:,.0f} GB). Nest the factors in the model (a: || b:), merge "
            "small groups, or try solver(sparse) on a machine with more memory"
        ) from error
    return replace(case, spec=replace(spec, estimation=replace(spec.estimation, solver="sparse")), solver="sparse")


def exact_is_cheap(objective: FittedObjective[FE, FD], cp: CrossProducts, weighted: bool) -> bool:
    """Whether to iterate with the exact Hessian; weights of groups leave no choice, they have no average information."""
    if weighted or objective.solver == "block":
        return True
    return cp.q_schur <= EXACT_BELOW and objective.n_theta * cp.cross.size <= EXACT_WORK


def patience(cp: CrossProducts) -> int | None:
    """Iterations after which the exact Hessian takes over; None where it never can."""
    return PATIENCE if cp.q_schur <= EXACT_AT_LAST else None


def factorization_is_dear(objective: FittedObjective[FE, FD], cp: CrossProducts, weighted: bool) -> bool:
    """Whether a start from the iterative solver costs less than the factorizations that it saves."""
    return objective.solver in ("dense", "sparse") and cp.q_schur >= DEAR_ORDER and not weighted

"""One design and many responses: what does not depend on the response is reduced once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsemixed.design.deferred import changed
from sparsemixed.design.values import Design
from sparsemixed.estimation.linear import check_residual
from sparsemixed.estimation.orthonormal import engine_terms, with_response
from sparsemixed.estimation.sources.reduction import Products, Reduction
from sparsemixed.estimation.sources.rows import reduce_rows
from sparsemixed.solver.crossproducts.crossproducts import TermData, outer_sums
from sparsemixed.spec import ModelSpec


@dataclass(frozen=True)
class Responses:
    """A design that waits for responses.

    Attributes
    ----------
    spec, design : ModelSpec, Design
    reduction : Reduction
        Of the response that the design came with.
    terms : tuple of TermData
        The random terms of its cross-products, where it has some.
    """

    spec: ModelSpec
    design: Design
    reduction: Reduction
    terms: tuple[TermData, ...]

    def reduced(self, y: np.ndarray) -> tuple[Design, Reduction]:
        """The design with response y (n,), and its reduction: only sums that hold the response are taken anew.

        Raises
        ------
        DataError
            The fixed part leaves nothing of the response, or its squares are beyond floating point.
        """
        design = changed(self.design, y=y)
        orthogonal = with_response(self.reduction.orthogonal, design)
        check_residual(orthogonal, y, self.spec.response)
        products = self.reduction.products
        if products is None:
            return design, Reduction(orthogonal, None)
        cp, r = products.cp, orthogonal.residual
        sums = [outer_sums(t.codes, t.columns, r[:, None], t.n_groups).ravel() for t in self.terms]
        ZtXy, XytXy = cp.ZtXy.copy(), cp.XytXy.copy()
        ZtXy[:, -1] = np.concatenate(sums)
        if XytXy.ndim == 2:
            XytXy[-1, :-1] = XytXy[:-1, -1] = orthogonal.products(r)
        XytXy.flat[-1] = r @ r
        return design, Reduction(orthogonal, Products(changed(cp, ZtXy=ZtXy, XytXy=XytXy), products.layout, products.weights))


def responses(spec: ModelSpec, design: Design) -> Responses:
    """Reduce a design once, with its own response."""
    reduction = reduce_rows(spec, design, design.residual is None)
    products = reduction.products
    return Responses(spec, design, reduction, () if products is None else tuple(engine_terms(design, products.layout)))

"""vce(): which covariance matrix of the estimates."""

from __future__ import annotations

from sparsemixed.command.arguments import one_of_table
from sparsemixed.errors import OptionError
from sparsemixed.spec import VCE, Vce


def vce(text: str) -> Vce:
    """The kind of covariance matrix and, where it takes one, the cluster variable.

    Examples
    --------
    >>> vce("cl school")
    Vce(name='cluster', variable='school')
    """
    typed, _, rest = text.strip().partition(" ")
    variable = rest.strip().strip("`")
    name = str(one_of_table(VCE)(typed))
    takes = VCE[name].clusters
    if takes == "required" and not variable:
        raise OptionError("cluster needs a cluster variable: vce(cluster school)")
    if takes == "none" and variable:
        raise OptionError(f"{name} takes no variable, found {variable}; for clusters of your own write vce(cluster {variable})")
    if len(variable.split()) > 1 and not rest.strip().startswith("`"):
        raise OptionError(f"{name} takes one variable, found {variable}")
    return Vce(name, variable or None)


def cluster_variable(text: str) -> Vce:
    """`cluster(school)`, short for `vce(cluster school)`."""
    return vce(f"cluster {text.strip()}")

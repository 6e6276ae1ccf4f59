"""Covariance structures that a formula names: `us()`, `diag()`, `cs()`, `ar1()` of lme4 2 and glmmTMB."""

from __future__ import annotations

import re
from typing import NamedTuple

from sparsemixed.errors import CommandError

_HOMOGENEOUS = re.compile(r"\s*hom\s*=\s*(?P<value>TRUE|FALSE|T|F|True|False)\s*")


class Structure(NamedTuple):
    """What a tag stands for; see `RandomEquation`."""

    covariance: str
    by_column: bool = False


_ONE_VARIANCE = {
    "us": None,
    "diag": "identity",
    "homdiag": "identity",
    "cs": "exchangeable",
    "homcs": "exchangeable",
}
"""Tag -> structure in which all effects have one variance."""
_ANY_VARIANCE = {"us": "unstructured", "diag": "independent"}
"""Tag -> structure in which every effect has a variance of its own."""
NO_SUCH = f"there is no such structure of random effects; there are {', '.join(_ONE_VARIANCE)}"
_ERRORS = 'correlated errors are an option, residuals="ar 1, t(time)", with the groups of the last random part'
_INSTEAD = {
    "cs": "a variance for every effect with one correlation is not available: homcs(effects | group), or cs(effects | group, "
    "hom = TRUE), has one variance; with two effects us() is the same model",
    "ar1": f"random effects cannot follow an AR(1) process; {_ERRORS}",
    "hetar1": f"random effects cannot follow an AR(1) process; {_ERRORS}",
    "ou": 'random effects cannot follow such a process; of errors it is residuals="exponential, t(time)"',
    "toep": 'a Toeplitz structure is one of errors: residuals="toeplitz 2, t(time)"',
    "homtoep": 'a Toeplitz structure is one of errors: residuals="toeplitz 2, t(time)"',
}


def structure_of(tag: str, settings: str, source: str, position: int) -> Structure:
    """The structure of a tag before a random part.

    Parameters
    ----------
    tag : str
    settings : str
        What follows the grouping and a comma: `hom = TRUE`.
    source : str
    position : int
        For messages.

    Raises
    ------
    CommandError
        A structure that there is not, with what to write instead.

    Examples
    --------
    >>> structure_of("diag", "", "", 0), structure_of("cs", "hom = TRUE", "", 0)
    (Structure(covariance='independent', by_column=True), Structure(covariance='exchangeable', by_column=True))
    """
    if tag not in _ONE_VARIANCE:
        raise CommandError(f"{tag}(): {_INSTEAD.get(tag, NO_SUCH)}", source, position)
    match = _HOMOGENEOUS.fullmatch(settings)
    if settings.strip() and match is None:
        raise CommandError(f"{tag}() takes hom = TRUE or FALSE after its grouping, found {settings.strip()}", source, position)
    one_variance = tag.startswith("hom") if match is None else match["value"].startswith("T")
    found = (_ONE_VARIANCE if one_variance else _ANY_VARIANCE).get(tag)
    if found is not None:
        return Structure(found, by_column=True)
    if tag == "us":
        raise CommandError("us() has a variance for every effect; diag(effects | group, hom = TRUE) has one", source, position)
    raise CommandError(f"{tag}(): {_INSTEAD[tag]}", source, position)

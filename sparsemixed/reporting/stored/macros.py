"""The texts that are stored with every fit, and those of the search and the data."""

from __future__ import annotations

from collections.abc import Callable

from sparsemixed.estimation.fit import Fit
from sparsemixed.inference.fit_cache import cached_values
from sparsemixed.reporting.stored.row import Condition, Stored
from sparsemixed.reporting.stored.signature import data_signature, signature_variables
from sparsemixed.reporting.tables.titles import title, vce_title


def command(fit: Fit) -> str:
    """Stata's command."""
    return "mixed"


def command_line(fit: Fit) -> str:
    """The command as typed, with its first word; a formula as it stands."""
    text = fit.spec.text
    return text if "~" in text or text.split()[:1] == ["mixed"] else f"mixed {text}"


def response(fit: Fit) -> str:
    """The dependent variable."""
    return fit.spec.response


def grouping_variables(fit: Fit) -> str:
    """The grouping variables, from the top."""
    return " ".join(dict.fromkeys(level.name for level in fit.design.groups))


def model_title(fit: Fit) -> str:
    """As printed above the tables."""
    return title(fit.spec)


def _per_block(fit: Fit, value: Callable) -> str:
    return " ".join(str(value(block)) for block in fit.random_blocks)


def random_sizes(fit: Fit) -> str:
    """Random effects of one group, equation after equation."""
    return _per_block(fit, lambda block: block.structure.n_effects)


def random_structures(fit: Fit) -> str:
    """Covariance structures of the random effects, equation after equation."""
    return _per_block(fit, lambda block: block.structure.title)


def random_variables(fit: Fit) -> str:
    """Variables of the random effects, equation after equation."""
    return _per_block(fit, lambda block: " ".join(block.names))


def residual_structure(fit: Fit) -> str:
    """Structure of the residuals, by its option."""
    return fit.spec.residual.name


def residual_title(fit: Fit) -> str:
    """Structure of the residuals as printed."""
    return "Independent" if fit.design.residual is None else fit.design.residual.structure.title


def statistic_kind(fit: Fit) -> str:
    """What kind of test e(chi2) is of."""
    return "Wald"


def vce_name(fit: Fit) -> str:
    """The option vce()."""
    return fit.spec.vce.name


def std_err_title(fit: Fit) -> str:
    """What standard errors are called above their column."""
    return vce_title(fit.spec.vce.name)


def method(fit: Fit) -> str:
    """ML or REML."""
    return fit.spec.estimation.method.upper()


def search_kind(fit: Fit) -> str:
    """EM, or the search in a trust region."""
    return "EM" if fit.spec.estimation.emonly else "trust region"


def search_metric(fit: Fit) -> str:
    """The coordinates of the search: matsqrt or matlog."""
    return fit.spec.estimation.metric


def em_only(fit: Fit) -> str:
    """The option, if it was given."""
    return "emonly" if fit.spec.estimation.emonly else ""


def technique(fit: Fit) -> str:
    """The techniques as typed, with the lengths of their turns where there are several."""
    asked = fit.spec.estimation.technique
    return asked[0][0] if len(asked) == 1 else " ".join(f"{name} {count}" for name, count in asked)


def properties(fit: Fit) -> str:
    """What matrices there are."""
    return "b V"


def estat_command(fit: Fit) -> str:
    """What serves postestimation."""
    return "Results.estat"


def predict_command(fit: Fit) -> str:
    """What makes predictions."""
    return "Results.predict"


def variables(fit: Fit) -> str:
    """The variables of the model, of which e(datasignature) is."""
    return signature_variables(fit.spec)


def evaluator(fit: Fit) -> str:
    """Kind of evaluator in Stata's words: with exact first and second derivatives."""
    return "d2"


def _by_derivatives(fit: Fit) -> bool:
    return not fit.spec.estimation.emonly


def _has_signature(fit: Fit) -> bool:
    return fit.design.has_rows or any(kept.key == "data-signature" for kept in cached_values(fit))


MACROS = (
    Stored("cmd", "macro", command),
    Stored("cmdline", "macro", command_line),
    Stored("depvar", "macro", response),
    Stored("ivars", "macro", grouping_variables),
    Stored("title", "macro", model_title),
    Stored("redim", "macro", random_sizes),
    Stored("vartypes", "macro", random_structures),
    Stored("revars", "macro", random_variables),
    Stored("rstructure", "macro", residual_structure),
    Stored("rstructlab", "macro", residual_title),
    Stored("chi2type", "macro", statistic_kind),
    Stored("vce", "macro", vce_name),
    Stored("vcetype", "macro", std_err_title),
    Stored("method", "macro", method),
    Stored("opt", "macro", search_kind),
    Stored("optmetric", "macro", search_metric),
    Stored("emonly", "macro", em_only),
    Stored("technique", "macro", technique),
    Stored("properties", "macro", properties),
    Stored("estat_cmd", "macro", estat_command),
    Stored("predict", "macro", predict_command),
    Stored("datasignaturevars", "macro", variables),
)
SEARCH_AND_DATA = (
    Stored("ml_method", "macro", evaluator, Condition(_by_derivatives, "a gradient-based search, which emonly leaves out")),
    Stored("datasignature", "macro", data_signature, Condition(_has_signature, "the data, save(data=True)")),
)

"""Linear equations in coefficients, by the names as typed: hypotheses and constraints before anyone knows the data."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class LinearForm:
    """constant + the sum of weights[name] * coefficient(name).

    Attributes
    ----------
    weights : dict of str to float
        By the name as typed, without `_b[]`; in the order typed.
    constant : float
    positions : dict of str to int
        First offset of each name in the text.
    """

    weights: dict[str, float] = field(default_factory=dict)
    constant: float = 0.0
    positions: dict[str, int] = field(default_factory=dict, compare=False, repr=False)

    def __add__(self, other: LinearForm) -> LinearForm:
        weights = dict(self.weights)
        for name, weight in other.weights.items():
            weights[name] = weights.get(name, 0.0) + weight
        return LinearForm(weights, self.constant + other.constant, {**other.positions, **self.positions})

    def __mul__(self, factor: float) -> LinearForm:
        weights = {name: factor * weight for name, weight in self.weights.items()}
        return LinearForm(weights, factor * self.constant, self.positions)

    def __sub__(self, other: LinearForm) -> LinearForm:
        return self + other * -1.0


@dataclass(frozen=True)
class Constraint:
    """One definition of constraints(): linear forms in the coefficients of the fixed part that are held at zero.

    Attributes
    ----------
    number : int
    text : str
        The equation as typed, for messages.
    forms : tuple of LinearForm
        One for each equals sign; one for each name where only names were typed.
    """

    number: int
    text: str
    forms: tuple[LinearForm, ...]

"""The typed keyword arguments are those of the table of options, and their types those of its arguments."""

from __future__ import annotations

import typing

from numpy.typing import ArrayLike

from sparsemixed.command import read_model
from sparsemixed.command.keywords import DisplayKeywords, ModelKeywords
from sparsemixed.command.options import OPTIONS
from sparsemixed.command.weights import KEYWORDS

OF_EQUATIONS = {"covariance", "fweight", "pweight"}
"""Options that no keyword argument can give, because it cannot say which equation it means."""
BORROWED = {"groups", "re_formula", "vc_formula", "method"}
OF_FILES = {"delimiter"}
OF_PRIORS = {"prior"}


def types(of: type) -> dict[str, typing.Any]:
    return typing.get_type_hints(of, localns={"ArrayLike": ArrayLike})


def test_every_option_is_a_keyword():
    options = {option.name for option in OPTIONS} - OF_EQUATIONS
    assert set(types(ModelKeywords)) == options | set(KEYWORDS) | BORROWED | OF_FILES | OF_PRIORS
    assert set(types(DisplayKeywords)) == {option.name for option in OPTIONS if option.part == "display"}


def test_options_without_an_argument_are_true_or_false_and_all_can_be_left_out():
    found = types(ModelKeywords)
    for option in OPTIONS:
        if option.name not in OF_EQUATIONS:
            parts = set(typing.get_args(found[option.name]))
            assert type(None) in parts, option.name
            assert (bool in parts) == (option.argument is None), option.name


def test_literals_are_the_words_that_the_options_read():
    found = types(ModelKeywords)
    for option in OPTIONS:
        for part in typing.get_args(found.get(option.name)):
            for word in typing.get_args(part) if typing.get_origin(part) is typing.Literal else ():
                assert option.argument is not None
                assert option.argument(word) == word


def test_a_text_is_read_once_also_where_a_keyword_says_nothing():
    keywords = {"reml": True, "precision_weights": None}
    assert read_model("y ~ x + (1 | g)", keywords) is read_model("y ~ x + (1 | g)", dict(keywords))

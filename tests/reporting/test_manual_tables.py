"""Fits of the manual's examples shown in other ways; `test_manual_sessions.py` has them as printed."""

from sparsemixed import lrtest, mixed

SIX_B = "weight ibn.girl i.girl#c.age c.age#c.age, noconstant nofvlabel || id: age, nolog"


def test_value_labels_of_the_file(manual_data):
    text = mixed(SIX_B, manual_data("childweight")).summary(nofvlabel=False)
    assert "        girl |\n        boy  |   3.754275" in text


def test_lrtest_of_two_fits(manual_data):
    one, two = (mixed(f"weight week || id: {slope}", manual_data("pig")) for slope in ("", "week"))
    assert "LR chi2(1) = 291.78" in str(lrtest(one, two))

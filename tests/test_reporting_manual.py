"""Whole fits of the manual's examples against its printed output."""

import pytest

from sparsemixed.api import lrtest, mixed
from tests.printed import same_layout

EXAMPLE_4 = """\
Mixed-effects ML regression                           Number of obs =      816

        Grouping information
        -------------------------------------------------------------
                        |     No. of       Observations per group
         Group variable |     groups    Minimum    Average    Maximum
        ----------------+--------------------------------------------
                 region |          9         51       90.7        136
                  state |         48         17       17.0         17
        -------------------------------------------------------------

                                                      Wald chi2(6)  = 18829.06
Log likelihood =  1430.5017                           Prob > chi2   =   0.0000

------------------------------------------------------------------------------
         gsp | Coefficient  Std. err.      z    P>|z|     [95% conf. interval]
-------------+----------------------------------------------------------------
     private |   .2671484   .0212591    12.57   0.000     .2254814    .3088154
         emp |    .754072   .0261868    28.80   0.000     .7027468    .8053973
         hwy |   .0709767    .023041     3.08   0.002     .0258172    .1161363
       water |   .0761187   .0139248     5.47   0.000     .0488266    .1034109
       other |  -.0999955   .0169366    -5.90   0.000    -.1331906   -.0668004
       unemp |  -.0058983   .0009031    -6.53   0.000    -.0076684   -.0041282
       _cons |   2.128823   .1543854    13.79   0.000     1.826233    2.431413
------------------------------------------------------------------------------

------------------------------------------------------------------------------
  Random-effects parameters  |   Estimate   Std. err.     [95% conf. interval]
-----------------------------+------------------------------------------------
region: Identity             |
                  var(_cons) |   .0014506   .0012995      .0002506    .0083957
-----------------------------+------------------------------------------------
state: Identity              |
                  var(_cons) |   .0062757   .0014871      .0039442    .0099855
-----------------------------+------------------------------------------------
               var(Residual) |   .0013461   .0000689      .0012176    .0014882
------------------------------------------------------------------------------
LR test vs. linear model: chi2(2) = 1154.73               Prob > chi2 = 0.0000

Note: LR test is conservative and provided only for reference."""

EXAMPLE_6B = """\
Mixed-effects ML regression                         Number of obs    =     198
Group variable: id                                  Number of groups =      68
                                                    Obs per group:
                                                                 min =       1
                                                                 avg =     2.9
                                                                 max =       5
                                                    Wald chi2(5)     = 6583.73
Log likelihood =   -253.182                         Prob > chi2      =  0.0000

------------------------------------------------------------------------------
      weight | Coefficient  Std. err.      z    P>|z|     [95% conf. interval]
-------------+----------------------------------------------------------------
        girl |
          0  |   3.754275   .1726404    21.75   0.000     3.415906    4.092644
          1  |   3.243808    .174255    18.62   0.000     2.902274    3.585341
             |
  girl#c.age |
          0  |   7.806765   .2524583    30.92   0.000     7.311956    8.301574
          1  |   7.577296   .2531318    29.93   0.000     7.081166    8.073425
             |
 c.age#c.age |  -1.654323   .0871752   -18.98   0.000    -1.825183   -1.483463
------------------------------------------------------------------------------

------------------------------------------------------------------------------
  Random-effects parameters  |   Estimate   Std. err.     [95% conf. interval]
-----------------------------+------------------------------------------------
id: Independent              |
                    var(age) |   .2772846   .0769233      .1609861    .4775987
                  var(_cons) |   .4076892     .12386      .2247635    .7394906
-----------------------------+------------------------------------------------
               var(Residual) |   .3131704    .047684      .2323672     .422072
------------------------------------------------------------------------------
LR test vs. linear model: chi2(2) = 104.39                Prob > chi2 = 0.0000

Note: LR test is conservative and provided only for reference."""

EXAMPLE_11_RANDOM = """\
------------------------------------------------------------------------------
  Random-effects parameters  |   Estimate   Std. err.     [95% conf. interval]
-----------------------------+------------------------------------------------
region: Exchangeable         |
                var(R.state) |   .0077263   .0017926      .0049032    .0121749
                cov(R.state) |   .0014506   .0012995     -.0010963    .0039975
-----------------------------+------------------------------------------------
               var(Residual) |   .0013461   .0000689      .0012176    .0014882
------------------------------------------------------------------------------
LR test vs. linear model: chi2(2) = 1154.73               Prob > chi2 = 0.0000

Note: LR test is conservative and provided only for reference."""

SIX_B = "weight ibn.girl i.girl#c.age c.age#c.age, noconstant nofvlabel || id: age, nolog"
ELEVEN = "gsp private emp hwy water other unemp || region: R.state, cov(exchangeable) noheader nofetable"


@pytest.mark.parametrize(
    ("data", "command", "printed"),
    [
        ("productivity", "gsp private emp hwy water other unemp || region: || state:", EXAMPLE_4),
        ("childweight", SIX_B, EXAMPLE_6B),
        ("productivity", ELEVEN, EXAMPLE_11_RANDOM),
    ],
)
def test_output_as_printed(manual_data, data, command, printed):
    text = str(mixed(command, manual_data(data)))
    assert same_layout(text, printed), text


def test_value_labels_of_the_file(manual_data):
    text = mixed(SIX_B, manual_data("childweight")).summary(nofvlabel=False)
    assert "        girl |\n        boy  |   3.754275" in text


def test_lrtest_of_two_fits(manual_data):
    one, two = (mixed(f"weight week || id: {slope}", manual_data("pig")) for slope in ("", "week"))
    assert "LR chi2(1) = 291.78" in str(lrtest(one, two))

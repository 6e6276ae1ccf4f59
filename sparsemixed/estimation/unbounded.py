"""Likelihoods without a maximum: V becomes singular in a direction in which the residuals are zero, and the search never ends."""

MESSAGE = (
    "the likelihood appears to be unbounded: it rises without end as the covariance matrix of a group's observations becomes "
    "singular. There are too few groups for so many covariance parameters"
)

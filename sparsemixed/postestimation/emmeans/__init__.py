"""Estimated marginal means by the conventions of R's emmeans (Lenth): a reference grid, averaged with weights, and contrasts."""

"""Uses of a fit: predictions and random effects."""

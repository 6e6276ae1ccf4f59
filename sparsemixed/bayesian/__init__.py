"""Posterior distributions of mixed models: exact integrals over coefficients and effects, importance sampling over the rest."""

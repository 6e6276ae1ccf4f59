"""Covariance matrices of random effects: factors that are linear in theta."""

"""Covariance matrices of the errors within a group: R(rho; t), positive definite."""

"""Covariance matrices of the estimates."""

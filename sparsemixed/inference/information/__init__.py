"""Derivatives of X'inv(V)X and the information about variance parameters."""

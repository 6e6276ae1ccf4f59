"""Correlated errors: patterns of groups, the precision matrix of the rows."""

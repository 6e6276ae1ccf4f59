"""Weights of rows and groups."""

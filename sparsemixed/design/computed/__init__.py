"""Columns that a formula computes: their values, and what is remembered of the data for other rows."""

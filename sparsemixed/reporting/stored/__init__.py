"""Stored results by Stata's names."""

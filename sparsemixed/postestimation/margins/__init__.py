"""Margins of the fixed part: means of the linear prediction, its slopes, and comparisons of both."""

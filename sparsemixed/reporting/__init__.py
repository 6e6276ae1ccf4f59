"""Showing a fit: numbers in tables first, then text, HTML or LaTeX."""

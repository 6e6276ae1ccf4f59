"""Whole pages about a fit: tables, pictures, and what they say, in one file."""

"""Reading data, and rows and codes of variables."""

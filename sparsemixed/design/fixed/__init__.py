"""The fixed part: terms, columns, collinearity, constraints."""

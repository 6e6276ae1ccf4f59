"""Profile likelihood: limits by direct root finding, and curves."""

"""Methods of denominator degrees of freedom, one a file."""

"""Standard errors, tests and intervals of a fit; the only place where p-values are computed."""

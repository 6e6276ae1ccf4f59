"""What single rows and whole groups do to a fit, and how well the others predict them."""

"""What other responses, or other groups, would have made of a fit: simulated, resampled or left out, and fitted again."""

"""The same system by conjugate gradients and random probes."""

"""Independent groups: sums over all of them of what a likelihood and its derivatives take, in compiled passes."""

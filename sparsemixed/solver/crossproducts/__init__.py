"""Cross-products of the data, computed once."""

"""Fits in files: a versioned format without pickles, small unless the data are wanted."""

"""Where searches end: whether to search again, and what the end is."""

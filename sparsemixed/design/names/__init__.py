"""Names, times and periods of a data set."""

"""Pictures of fits with matplotlib, and the data frames that they draw."""

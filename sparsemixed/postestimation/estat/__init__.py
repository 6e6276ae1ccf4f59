"""`estat`: summaries of a fit beyond its tables, one subcommand to a file."""

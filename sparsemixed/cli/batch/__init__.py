"""Many fits from one start: jobs from lines of JSON, fitted in one process or several, to one table."""

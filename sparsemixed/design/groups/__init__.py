"""Groups of rows, and which hold which."""

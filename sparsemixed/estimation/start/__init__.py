"""Starting values from moments."""

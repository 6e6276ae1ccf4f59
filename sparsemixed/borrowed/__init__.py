"""Names that users of other programs know, each a line that says the same in the words of this package."""

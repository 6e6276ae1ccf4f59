"""The profiled deviance and its derivatives, one family of models a file."""

"""One model fitted again and again: by groups, in windows of time, to imputed data."""

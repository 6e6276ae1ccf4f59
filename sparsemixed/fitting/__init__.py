"""From a call of `mixed` to a fit: what was asked for, kept so that it can be asked again with changes."""

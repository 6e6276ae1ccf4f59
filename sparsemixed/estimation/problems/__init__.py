"""Which objective serves a design, where its search starts and how it goes: one table, `problems.table`."""

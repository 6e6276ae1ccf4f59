"""A script that another Python runs is no module of tests."""

collect_ignore = ["mixedlm.py"]

"""The search for the optimum: one loop, its models and rules."""

"""Power of tests at assumed parameters, from the noncentral F distribution."""

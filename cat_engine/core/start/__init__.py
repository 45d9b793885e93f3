"""Start rules: the prior, the first aim and the first items; one file, one rule."""

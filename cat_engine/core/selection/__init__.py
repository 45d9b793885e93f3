"""Selection rules: one file ranks the items that may come next."""

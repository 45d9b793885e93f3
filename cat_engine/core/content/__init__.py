"""Content rules: which items may come next, and what content adds to their utility; one file, one rule."""

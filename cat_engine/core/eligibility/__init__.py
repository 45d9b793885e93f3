"""Eligibility rules: which items this sitting may see at all; one file, one rule."""

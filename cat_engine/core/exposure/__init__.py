"""Exposure rules: one file decides which of the best items is taken."""

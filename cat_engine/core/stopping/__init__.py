"""Stopping rules: one file decides when a section has measured enough."""

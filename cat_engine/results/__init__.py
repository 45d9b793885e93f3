"""Score reports: release, and what a released result says."""

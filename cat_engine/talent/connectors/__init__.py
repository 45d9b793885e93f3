"""One file is one way to hand a score report to a talent record."""

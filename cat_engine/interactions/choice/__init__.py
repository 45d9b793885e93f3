"""One choice out of several options, with points per option."""

"""The demonstration: a fictitious regency with a bank, a selection, people and sittings to look at."""

"""Pages of the panel: its selections, the conflict-of-interest statement, the ranked list of a post."""

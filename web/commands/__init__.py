"""The commands of `cat-engine`, one module each."""

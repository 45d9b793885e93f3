"""The workshop: what may be asked."""

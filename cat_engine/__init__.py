"""What happens in a sitting, and to its result."""

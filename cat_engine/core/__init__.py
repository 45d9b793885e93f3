"""The rules of a sitting, pure: time and chance are handed in, nothing is read or written."""

"""What README and CHANGELOG quote; each module prints one JSON line."""

"""What a candidate sees: from signing in to the own data."""

"""Export, replay and verification of sittings, for those who trust neither us nor the database."""

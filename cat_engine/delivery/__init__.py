"""Exam sessions, rooms, seats, rosters, and sittings on disk."""

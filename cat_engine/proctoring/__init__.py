"""Check-in and the acts of the room's supervisors, each with a coded reason."""

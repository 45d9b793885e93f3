"""Pages of the proctor: the room board, acts on sittings, one candidate, the projector."""

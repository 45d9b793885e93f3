"""A hall of candidates for `benchmarks.answers`: their sittings, their programs, and the bare database."""

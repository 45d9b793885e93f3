"""The floor of everything that persists; it knows nothing of exams."""

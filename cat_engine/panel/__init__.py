"""Open-promotion selections: posts, applications under blind codes, ranking."""

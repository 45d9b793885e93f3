"""Several abilities at once: compensatory models, their estimation, and item selection.

theta is a vector of K abilities, in practice two or three. A response depends on it only through the
composite a . theta of its item, so everything is one ordinary item of slope 1 in the composite, times the
slope vector: gradients are l' a, second derivatives l'' a a', Fisher information I a a'. Axes: theta (q) or
candidate (N), item (n), category (m), dimension (K).
"""

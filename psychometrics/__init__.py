"""Psychometrics: numbers in, numbers out.

Item response models, Fisher information, estimation of ability (theta), reporting scales, classification and
classical item statistics. Only numpy and scipy are imported; nothing of the rest of the project is known
here.

Every function is pure. Arrays are float64; the axes are, in this order, theta (q) or candidate (N), item (n),
category (m). The constant D of the logistic metric is never assumed: it is stated by whoever calls.
"""

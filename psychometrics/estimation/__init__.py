"""Estimation of ability: posterior mean (EAP), posterior mode (MAP), maximum and weighted likelihood.

Batch functions take responses (N, n) and answer `Estimates`; `NOT_ADMINISTERED` marks items not given. One
candidate is a batch of one and gets the same bits.
"""

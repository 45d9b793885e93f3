"""Criteria that rank the items of a pool for the next place of an adaptive test.

A criterion gives every item of the pool a value, also those already administered: who asks masks what may not
come. Its `Sense` says whether a large or a small value is wanted. Nothing here draws or remembers anything:
random numbers, counts and positions are arguments.

`CriterionTables` are computed once for a pool and a grid of ability points; `Evidence` is what the responses
so far say on that grid; `PoolAt` holds the pool's curves at the interim estimate. From these three every
criterion is a handful of matrix products over q nodes x n items x m categories.
"""

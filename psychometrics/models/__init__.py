"""Item response models: the probability of each category of a response given ability."""

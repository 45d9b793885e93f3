"""The report of a simulation study, as one page that needs nothing beside it."""

"""Pages of results: release by the panel's chair, and the public check of a report's code."""

"""Pages of the talent manager: nine boxes, one person's record, postings to the talent record."""

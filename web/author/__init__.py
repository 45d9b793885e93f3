"""Pages of the item writer and the reviewer: the bank and its items."""

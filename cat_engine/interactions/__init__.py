"""One folder is one item interaction: parse the form, score the response, show it without the key."""

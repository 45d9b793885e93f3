"""How people and machines reach the product; the composition root."""

"""The talent record: the embedded register, the nine boxes, and the connectors that post scores outward."""

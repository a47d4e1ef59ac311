"""The agents beside the regions' writers: asking them, and the blocks that are carried out through them."""

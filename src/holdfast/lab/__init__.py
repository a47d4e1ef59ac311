"""Two regions and a witness on one machine, out of real servers. Nothing below the lab imports it."""

"""DNS: publishing a region's address under the functions' names (RFC 2136, signed), and looking at what is published."""

"""Pure: record types and the hash chain of the one truth about an incident."""

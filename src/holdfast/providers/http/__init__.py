"""HTTP spoken with plain asyncio streams, for probes and clients that must stay cheap."""

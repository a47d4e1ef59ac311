"""The long tail of channels, through Apprise."""

"""SQLite: the journal and the controller's promises, in one file with full sync."""

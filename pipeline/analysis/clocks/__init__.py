"""One clock: how far each host is off, and every event put right."""

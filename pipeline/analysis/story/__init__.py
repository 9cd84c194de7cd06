"""The entries of the timeline with their reasons, lessons, and days without an outage."""

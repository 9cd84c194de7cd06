"""What a log line means: text in, events out. Knows nothing of windows, outages or files on disk."""

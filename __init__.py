"""Drafts an outage postmortem from raw log files, every sentence with the log line behind it."""

__version__ = "0.1.0"

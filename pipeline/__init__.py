"""Carries data one way: sources, read, ingest, clock, summary, analysis, timeline, draft, document, render."""

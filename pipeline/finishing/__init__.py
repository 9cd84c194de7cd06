"""Checks, verifies, renders and hands over a finished document."""

"""Candidates for the trigger, who acted, and how it spread."""

"""Finds what happened: one clock, outages, impact, candidates for the trigger, the entries of the timeline."""

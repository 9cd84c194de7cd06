"""Puts the findings into words: Markdown or JSON, without secrets, merged with what a human wrote."""

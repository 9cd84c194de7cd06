"""Finds logs and reads what the window needs of them: paths in, tables of events out, every line with its fate."""

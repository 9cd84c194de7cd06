"""One file a format family; a file here is found by itself, see `retrolog.parsers.base.registry`."""

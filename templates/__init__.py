"""Jinja2 layouts; the values come prepared from `retrolog.pipeline`."""

"""When users began to be failed, made to wait or turned away, and when that ended."""

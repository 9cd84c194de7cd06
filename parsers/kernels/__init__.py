"""The common formats by columns: what a kernel is not sure of is read row by row."""

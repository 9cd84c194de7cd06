"""Keeps of each block what the analysis needs: small tables of counts and first examples, which merge."""

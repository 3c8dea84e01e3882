"""Measures on public and own data sets."""

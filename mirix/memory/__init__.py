"""What is remembered: one module per record type, one store for all six; no model calls."""

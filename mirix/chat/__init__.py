"""Conversations with the memory: turns are heard, answered and remembered, and what they ask of the memory is done."""

"""Pure functions on text: analyser, dates, secrets, chunks."""

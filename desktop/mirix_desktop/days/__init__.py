"""Rendered desktop days: an invented working day, shown by real programs on a virtual screen, with the truth beside it.

    story (seeded, pure) ─> steps ─> render (Xvfb, Chromium, xterm, mousepad …) ─> shots through our own source
                                          └─> sightings of facts, secrets, private windows ─> gold (questions, truth)

The same seed gives the same story, questions and values; pixels, and with them boxes, may differ where fonts or
programs differ.
"""

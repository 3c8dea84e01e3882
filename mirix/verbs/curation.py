"""The verbs of looking after a memory: conversations, forgetting, late sealing, review, new vectors."""

from __future__ import annotations


class CurationVerbs:
    """Each call is one transaction: done whole, or not at all."""

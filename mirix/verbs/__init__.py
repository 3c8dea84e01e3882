"""The verbs of AsyncMirix by theme, each a mixin of thin methods; system.py has those of every day."""

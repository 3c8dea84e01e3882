"""The built-in chat model, by rules and nearest examples: see `chat.py`."""

from __future__ import annotations

from mirix.models.builtin.chat import BuiltinChatModel

__all__ = ["BuiltinChatModel"]

"""The checks of `mirix doctor` that try a model: chat, memory managers', embedder, pictures.

A model that costs something or is elsewhere is asked only when it was named on the command line, or with --call-model;
each check is one small call, and says in one line what works and what to do where it does not.
"""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mirix.cli.findings import Finding, Level
from mirix.config import Settings
from mirix.errors import MirixError

if TYPE_CHECKING:
    from PIL.Image import Image

    from mirix.models.chat import ModelReply

_WORD = "HARBOUR 47"  # on the picture that is shown
_SAYS_NOTHING = "Line {} says nothing."
_LINES = 900  # about 6,000 tokens, which is what a manager is sent: more than some servers hold by default


def check_chat_models(settings: Settings, *, asks_chat: bool, asks_memory: bool) -> Iterator[Finding]:
    """The chat model, the managers' where it is another, and whether the managers' model sees."""
    yield _check_chat_model("chat model", settings.chat_model, settings, asks=asks_chat)
    writer = settings.memory_model or settings.chat_model
    if settings.memory_model:
        yield _check_chat_model("memory model", settings.memory_model, settings, asks=asks_memory)
    if settings.vision and writer != "builtin" and (asks_memory if settings.memory_model else asks_chat):
        yield _check_vision(writer, settings)


def _check_chat_model(name: str, setting: str, settings: Settings, *, asks: bool) -> Finding:
    if setting == "builtin":
        return Finding(name=name, level=Level.OK, words="builtin: by rules, nothing leaves this machine")
    where = f" at {settings.model_base_url}" if settings.model_base_url else ""
    try:
        if not asks:
            words = f"{setting}{where}: not called; --call-model asks it something"
            return Finding(name=name, level=Level.OK, words=words)
        reply, expected_tokens = asyncio.run(_call_with_tool(setting, settings))
    except MirixError as error:
        return Finding(name=name, level=Level.PROBLEM, words=str(error))
    told = f"{setting}{where} answered in {reply.ms / 1000:.1f} s"
    if not any(made.error is None for made in reply.calls):
        words = f"{told}, but calls no tool: it can answer, but not file memories; name another model"
        return Finding(name=name, level=Level.WARNING, words=words)
    if not reply.is_usage_estimated and reply.input_tokens < expected_tokens / 2:
        words = f"{told}, but read {reply.input_tokens} of about {expected_tokens} tokens: give it a longer context, "
        words += "e.g. OLLAMA_CONTEXT_LENGTH=16384"
        return Finding(name=name, level=Level.WARNING, words=words)
    return Finding(name=name, level=Level.OK, words=f"{told} and calls tools")


async def _call_with_tool(setting: str, settings: Settings) -> tuple[ModelReply, int]:
    """One call with a tool, and about how many tokens it took: without tool calls nothing can be filed."""
    from mirix.text.chunks import count_tokens

    lines = [_SAYS_NOTHING.format(number) for number in range(1, _LINES + 1)]
    text = "\n".join([*lines, "Now report the number 7 with the tool report_number."])
    number = {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}
    tool = {"name": "report_number", "description": "Report the number asked for.", "parameters": number}
    reply = await _call(setting, settings, text, tools=[{"type": "function", "function": tool}])
    return reply, count_tokens(text)


async def _call(
    setting: str,
    settings: Settings,
    text: str,
    *,
    tools: list[dict[str, object]] | None = None,
    picture: bytes | None = None,
) -> ModelReply:
    from langchain_core.messages import HumanMessage

    from mirix.models.chat import call_model, close_chat_model, image_block, make_chat_model

    key = settings.model_api_key
    model = make_chat_model(
        setting,
        base_url=settings.model_base_url,
        api_key=key.get_secret_value() if key else None,
        timeout_s=settings.model_timeout_s,
    )
    shown = [image_block(picture, mime_type="image/png")] if picture else []
    question = HumanMessage([{"type": "text", "text": text}, *shown])
    try:
        return await call_model(model, [question], tools or [], deadline_s=settings.model_timeout_s)
    finally:
        await close_chat_model(model)


def _check_vision(setting: str, settings: Settings) -> Finding:
    picture = io.BytesIO()
    picture_of(_WORD).save(picture, "PNG")
    question = "What is written on this picture? Answer with it alone."
    try:
        reply = asyncio.run(_call(setting, settings, question, picture=picture.getvalue()))
    except MirixError as error:
        words = f"{setting} takes no pictures: set MIRIX_VISION=false, or name a model that sees. {error}"
        return Finding(name="vision", level=Level.PROBLEM, words=words)
    if reads(reply.text):
        return Finding(name="vision", level=Level.OK, words=f"{setting} reads pictures, in {reply.ms / 1000:.1f} s")
    said = " ".join(reply.text.split())[:60]
    words = f"{setting} does not read a picture of {_WORD!r} but says {said!r}: set MIRIX_VISION=false"
    return Finding(name="vision", level=Level.WARNING, words=words)


def picture_of(words: str) -> Image:
    """Words in black on white, as a screen shows them."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(size=32)
    picture = Image.new("RGB", (40 + round(font.getlength(words)), 80), "white")
    ImageDraw.Draw(picture).text((20, 20), words, font=font, fill="black")
    return picture


def reads(text: str) -> bool:
    """Whether what was read is what was shown."""
    return all(word in text.upper() for word in _WORD.split())


def check_embedder(settings: Settings, *, asks: bool) -> Finding:
    from mirix.models import embed

    setting, cache = settings.embedding_model, settings.data_dir / "models"
    try:
        missing = embed.available(cache) if setting == "minilm" else None
        if missing:
            words = f"search is by words only: {missing}"
            return Finding(name="embedder", level=Level.WARNING, words=words, needs="embed")
        key = settings.embedding_api_key
        made = embed.make_embedder(
            setting,
            cache_dir=cache,
            base_url=settings.embedding_base_url,
            api_key=key.get_secret_value() if key else None,
        )
        if made is None:
            return Finding(name="embedder", level=Level.OK, words="none: search is by words only")
        if not made.is_local and not asks:
            words = f"{made.name}: not called; --call-model embeds a sentence"
            return Finding(name="embedder", level=Level.OK, words=words)
        made.embed(["Is it there?"])  # the first call loads what the next ones find loaded
        begin = time.monotonic()
        made.embed(["The harbour is closed on Sundays."])
        ms = (time.monotonic() - begin) * 1000
    except MirixError as error:
        needs = "embed" if setting == "minilm" else None
        return Finding(name="embedder", level=Level.PROBLEM, words=str(error), needs=needs)
    languages = f", made for {', '.join(sorted(made.languages))}" if made.languages else ""
    words = f"{made.name}: {made.dimensions} dimensions, {ms:.0f} ms a sentence{languages}"
    return Finding(name="embedder", level=Level.OK, words=words)


def check_recogniser(settings: Settings) -> Finding:
    from mirix.models import ocr

    try:
        made = ocr.make_recogniser(settings.ocr)
        missing = ocr.available() if settings.ocr == "auto" else None
        if missing or made is None:
            level = Level.WARNING if missing else Level.OK
            return Finding(name="pictures", level=level, words=missing or "kept, but not read", needs=missing and "ocr")
        begin = time.monotonic()
        text = ocr.render_text(made.read(picture_of(_WORD)))
        ms = (time.monotonic() - begin) * 1000
    except MirixError as error:
        return Finding(name="pictures", level=Level.PROBLEM, words=str(error), needs="ocr")
    if not reads(text):
        words = f"{made.name} reads {text[:40]!r} where {_WORD!r} stands: install it again, or set MIRIX_OCR"
        return Finding(name="pictures", level=Level.WARNING, words=words)
    languages = ", ".join(sorted(made.languages))
    return Finding(name="pictures", level=Level.OK, words=f"read by {made.name} ({languages}), a line in {ms:.0f} ms")

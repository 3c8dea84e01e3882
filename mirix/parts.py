"""Puts the parts together: from settings to the objects that the verbs of `system.py` call. Wiring only."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from langchain_core.language_models import BaseChatModel
from tzlocal import get_localzone_name

from mirix.chat import correcting, hearing
from mirix.chat.correcting import Corrector
from mirix.chat.forgetting import ChatForgetter
from mirix.chat.showing import Shower
from mirix.chat.turn import Chatter
from mirix.config import Settings
from mirix.curation.forgetting import Forgetter
from mirix.curation.frames import picture_urls
from mirix.db.pool import Database
from mirix.definitions import AgentDefinition, load_definitions
from mirix.errors import ConfigError, ModelUnavailable, NotFoundError
from mirix.ingest.evidence import Evidence
from mirix.ingest.frames import FrameFiles
from mirix.ingest.screens import ScreenReader
from mirix.ingest.spool import Spool
from mirix.jobs.drain import Drainer
from mirix.jobs.reembed import Reembedder
from mirix.jobs.worker import Worker
from mirix.managers.apply import Applier
from mirix.managers.graph import META, SINGLE, WriteGraph
from mirix.managers.recall import Recall
from mirix.managers.tools import TOOLS, TRIGGER_NAME
from mirix.memory.editing import Editor
from mirix.memory.envelope import Keyring
from mirix.memory.indexing import Indexer
from mirix.memory.record import MemoryKind
from mirix.models.chat import close_chat_model, make_chat_model
from mirix.models.embed import Embedder, make_embedder
from mirix.models.ocr import TextRecogniser, make_recogniser
from mirix.retrieval.active import Retriever
from mirix.retrieval.answer import Answerer
from mirix.retrieval.frames import Framer

_WRITERS = (META, SINGLE, "reflexion_agent", *(kind.agent for kind in MemoryKind))
_READ_TOOLS = frozenset({"search_memory", "correct_memory", "set_topics", TRIGGER_NAME}) | {
    *("show_memories", "forget", "keep_out", "correct"),
}


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Everything behind an open Mirix."""

    settings: Settings
    timezone: str  # of users that name none
    database: Database
    keyring: Keyring
    indexer: Indexer
    frames: FrameFiles
    evidence: Evidence
    spool: Spool
    screens: ScreenReader
    retriever: Retriever
    framer: Framer
    editor: Editor
    drainer: Drainer
    reembedder: Reembedder
    worker: Worker
    answerer: Answerer
    chatter: Chatter
    models: tuple[BaseChatModel, ...]  # made here, and closed with the rest
    recogniser: TextRecogniser | None

    async def close(self) -> None:
        """Stop the worker and let everything go."""
        await self.worker.stop()
        for model in self.models:
            await close_chat_model(model)
        await self.database.close()


async def open_parts(settings: Settings, *, chat_model: BaseChatModel | None = None) -> Parts:
    """Check and open everything; `chat_model` takes the place of the models that the settings name.

    Raises ConfigError, SealError, DatabaseUnavailable, SchemaError: at once, not at the tenth call.
    """
    data_dir = Path(settings.data_dir)
    definitions = load_definitions(settings.agents_dir)
    _check_tools(definitions)
    embedder = await asyncio.to_thread(_embedder, settings)
    models = _models(settings, definitions, embedder, chat_model)
    recogniser = await asyncio.to_thread(make_recogniser, settings.ocr)
    keyring = await asyncio.to_thread(_keyring, settings)
    timezone = settings.timezone or get_localzone_name() or "UTC"
    database = await Database.open(settings)  # the last that can fail: nothing has to be let go again
    indexer = Indexer(embedder, lambda user_id, text: keyring.digest(user_id, text))
    frames = FrameFiles(data_dir / "frames", keyring)
    evidence = Evidence(database, indexer, keyring, frames)
    spool = Spool(data_dir / "spool", keyring)
    retriever = Retriever(database, indexer)
    base = _Base(
        settings=settings,
        database=database,
        keyring=keyring,
        indexer=indexer,
        frames=frames,
        evidence=evidence,
        retriever=retriever,
        definitions=definitions,
        models=models,
    )
    reembedder = Reembedder(database, indexer)
    drainer = _drainer(base, reembedder)
    worker = _worker(database, drainer, reembedder)
    framer = Framer(database, picture_urls(frames) if settings.vision else None)
    answerer = Answerer(
        retriever, definitions=definitions, models=models, framer=framer, deadline_s=settings.model_timeout_s
    )
    editor = Editor(database, indexer, keyring)
    return Parts(
        settings=settings,
        timezone=timezone,
        database=database,
        keyring=keyring,
        indexer=indexer,
        frames=frames,
        evidence=evidence,
        spool=spool,
        screens=ScreenReader(evidence, spool, recogniser),
        retriever=retriever,
        framer=framer,
        editor=editor,
        drainer=drainer,
        reembedder=reembedder,
        worker=worker,
        answerer=answerer,
        chatter=_chatter(base, answerer, drainer, worker, editor),
        models=() if chat_model else tuple({id(model): model for model in models.values()}.values()),
        recogniser=recogniser,
    )


@dataclass(frozen=True, kw_only=True)
class _Base:
    """What most parts are made of."""

    settings: Settings
    database: Database
    keyring: Keyring
    indexer: Indexer
    frames: FrameFiles
    evidence: Evidence
    retriever: Retriever
    definitions: Mapping[str, AgentDefinition]
    models: Mapping[str, BaseChatModel]  # by agent


def _drainer(base: _Base, reembedder: Reembedder) -> Drainer:
    graph = WriteGraph(
        database=base.database,
        recall=Recall(base.database, base.retriever),
        applier=Applier(base.database, base.indexer, base.keyring, base.frames),
        definitions=base.definitions,
        models=base.models,
        single_call=base.settings.single_call,
        deadline_s=base.settings.model_timeout_s,
    )
    return Drainer(
        base.database,
        base.evidence,
        graph,
        base.frames,
        max_attempts=base.settings.max_attempts,
        vision=base.settings.vision,
        reembedder=reembedder,
    )


def _worker(database: Database, drainer: Drainer, reembedder: Reembedder) -> Worker:
    async def drain(user_id: int) -> None:
        # A model that is away was logged, and the sweep comes back; a user may have been forgotten meanwhile.
        with suppress(ModelUnavailable, NotFoundError):
            user = await database.get_user(user_id)
            await drainer.drain(user)
            while await reembedder.catch_up(user):
                await drainer.drain(user)  # batches go first

    return Worker(database, drain)


def _chatter(base: _Base, answerer: Answerer, drainer: Drainer, worker: Worker, editor: Editor) -> Chatter:
    deadline_s = base.settings.model_timeout_s
    return Chatter(
        database=base.database,
        evidence=base.evidence,
        answerer=answerer,
        drainer=drainer,
        worker=worker,
        shower=Shower(database=base.database, retriever=base.retriever),
        forgetter=ChatForgetter(
            database=base.database,
            keyring=base.keyring,
            evidence=base.evidence,
            forgetter=Forgetter(base.database, base.indexer, base.keyring, base.frames),
        ),
        corrector=Corrector(
            database=base.database,
            keyring=base.keyring,
            editor=editor,
            definition=base.definitions[correcting.AGENT],
            model=base.models[correcting.AGENT],
            deadline_s=deadline_s,
        ),
        definition=base.definitions[hearing.AGENT],
        model=base.models[hearing.AGENT],
        deadline_s=deadline_s,
    )


def _embedder(settings: Settings) -> Embedder | None:
    key = settings.embedding_api_key
    return make_embedder(
        settings.embedding_model,
        cache_dir=Path(settings.data_dir) / "models",
        base_url=settings.embedding_base_url,
        api_key=key.get_secret_value() if key else None,
        required="embedding_model" in settings.model_fields_set,
    )


def _keyring(settings: Settings) -> Keyring:
    return Keyring.from_config(
        Path(settings.data_dir) / "vault.key",
        use_os_keyring=settings.keyring != "file",
        required=settings.keyring == "os",
    )


def _models(
    settings: Settings,
    definitions: Mapping[str, AgentDefinition],
    embedder: Embedder | None,
    given: BaseChatModel | None,
) -> dict[str, BaseChatModel]:
    """The model of each agent; agents of one setting share one."""
    key = settings.model_api_key
    made: dict[str, BaseChatModel] = {}
    chosen: dict[str, BaseChatModel] = {}
    for name, definition in definitions.items():
        setting = definition.model or (name in _WRITERS and settings.memory_model) or settings.chat_model
        if given is None and setting not in made:
            made[setting] = make_chat_model(
                setting,
                base_url=settings.model_base_url,
                api_key=key.get_secret_value() if key else None,
                timeout_s=settings.model_timeout_s,
                embedder=embedder if embedder is not None and embedder.is_local else None,
            )
        chosen[name] = given or made[setting]
    return chosen


def _check_tools(definitions: Mapping[str, AgentDefinition]) -> None:
    """Every tool an agent names exists, and every tool is named by an agent. Raises ConfigError."""
    named = {tool: name for name, definition in definitions.items() for tool in definition.tools}
    unknown = sorted(named.keys() - TOOLS.keys() - _READ_TOOLS)
    if unknown:
        raise ConfigError(f"agents/{named[unknown[0]]}.md names a tool that does not exist: {unknown[0]}")
    unused = sorted(TOOLS.keys() - named.keys())
    if unused:
        raise ConfigError(f"no agent may use the tool {unused[0]}: name it in the front matter of its agents/*.md")

"""Settings, read once from MIRIX_* variables; nobody else reads the environment.

A key in the environment alone never sends anything anywhere: a model is named here, or it is not used.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from mirix.errors import ConfigError


class Settings(BaseSettings):
    """What can be set. Each field is the variable MIRIX_<FIELD IN CAPITALS>."""

    model_config = SettingsConfigDict(env_prefix="MIRIX_", extra="forbid", frozen=True, hide_input_in_errors=True)

    data_dir: Path = Field(
        default_factory=lambda: user_data_path("mirix"), description="folder of the embedded database, key and pictures"
    )
    database_url: SecretStr | None = Field(
        default=None, description="a Postgres of your own (15 or newer, pgvector 0.8 or newer) instead of the embedded"
    )
    database_admin_url: SecretStr | None = Field(
        default=None, description="the owner's URL for migrations, where MIRIX_DATABASE_URL may not change tables"
    )
    user: str = Field(default="default", description="the user meant where none is named")
    timezone: str | None = Field(default=None, description="IANA name, e.g. Europe/Oslo; default: the machine's")
    chat_model: str = Field(default="builtin", description="builtin, openai:NAME, or provider:NAME")
    memory_model: str | None = Field(default=None, description="the managers' model; default: MIRIX_CHAT_MODEL")
    model_base_url: str | None = Field(default=None, description="an OpenAI-compatible server, e.g. Ollama or vLLM")
    model_api_key: SecretStr | None = Field(default=None, description="its key; default: the provider's own variable")
    model_timeout_s: float = Field(default=120.0, gt=0, description="limit of one model call, retries included")
    vision: bool = Field(default=False, description="the chat model reads pictures: send them along with their text")
    single_call: bool = Field(default=False, description="one model call a batch for all six memories")
    embedding_model: str = Field(default="minilm", description="minilm, hash, none, openai:NAME, fastembed:NAME")
    embedding_base_url: str | None = Field(default=None, description="an OpenAI-compatible embedding server")
    embedding_api_key: SecretStr | None = Field(default=None, description="its key")
    ocr: str = Field(default="auto", description="auto, tesseract, rapidocr or none")
    keyring: Literal["auto", "os", "file"] = Field(
        default="auto", description="where the key of the vault lives: the system's keyring or a file only you can read"
    )
    agents_dir: Path | None = Field(default=None, description="your own prompts instead of agents/")
    idle_timeout_s: float = Field(default=60.0, gt=0, description="the embedded database stops after this idle time")
    max_attempts: int = Field(default=5, ge=1, description="how often a batch is tried before it is marked failed")


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment; `overrides` (None = not given) win.

    Raises ConfigError that names each wrong variable, never its value.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        lines = [f"MIRIX_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()]
        raise ConfigError("wrong settings: " + "; ".join(lines)) from None


def silence_libraries() -> None:
    """Switch the telemetry of libraries off; called before one is imported that has any.

    onnxruntime otherwise queues events about the machine in the user's cache folder and tries to send them.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"


def environment_with(**variables: str) -> dict[str, str]:
    """The environment for a program that is started, with some variables of its own."""
    return os.environ | variables

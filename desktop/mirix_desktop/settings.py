"""Settings of the desktop assistant, read once from MIRIX_DESKTOP_* variables; nothing else here reads the environment.

MIRIX_* (the memory's own settings, by mirix.config) ─┐
MIRIX_DESKTOP_* ──────────────────────────────────────┴─> DesktopSettings ─> recorder, privacy rules, command line
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from mirix.config import load_settings
from mirix.errors import ConfigError


class DesktopSettings(BaseSettings):
    """What can be set. Each field is the variable MIRIX_DESKTOP_<FIELD IN CAPITALS>; lists have commas between."""

    model_config = SettingsConfigDict(
        env_prefix="MIRIX_DESKTOP_", extra="forbid", frozen=True, hide_input_in_errors=True
    )

    interval_s: float = Field(default=1.0, ge=0.2, description="seconds between two looks while you work")
    idle_interval_s: float = Field(default=30.0, ge=0.2, description="seconds between two looks while you are away")
    idle_after_s: float = Field(default=60.0, gt=0, description="seconds without a key or the mouse: you are away")
    excluded_applications: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="programs that are never recorded, besides the ones known from the start"
    )
    excluded_titles: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="words in a window's title that keep it from being recorded, besides the known ones"
    )
    dark_browsers: bool = Field(
        default=False,
        description="your ordinary browser windows are dark: record them, though private ones may look the same",
    )
    state_dir: Path | None = Field(default=None, description="folder of what a running recorder tells of itself")

    @field_validator("excluded_applications", "excluded_titles", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(part.strip() for part in re.split("[,，]", value) if part.strip())


def load_desktop_settings(**overrides: object) -> DesktopSettings:
    """Settings from the environment; `overrides` (None = not given) win.

    Raises ConfigError that names each wrong variable, never its value.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return DesktopSettings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        lines = [f"MIRIX_DESKTOP_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()]
        raise ConfigError("wrong settings: " + "; ".join(lines)) from None


def state_dir(settings: DesktopSettings, data_dir: Path | None = None) -> Path:
    """Where a recorder tells of itself: beside what it records, unless set."""
    return settings.state_dir or (data_dir or load_settings().data_dir) / "desktop"


@dataclass(frozen=True, kw_only=True)
class Session:
    """How the user's screen is reached."""

    display: str | None  # name of the X11 display
    is_wayland: bool


def this_session() -> Session:
    """The session this process was started in."""
    kind = os.environ.get("XDG_SESSION_TYPE", "").lower()
    return Session(
        display=os.environ.get("DISPLAY") or None,
        is_wayland=bool(os.environ.get("WAYLAND_DISPLAY")) or kind == "wayland",
    )


def environment_for(data_dir: Path) -> dict[str, str]:
    """The environment for commands that are to use a memory of their own, and no browser of the user's."""
    own = {"MIRIX_DATA_DIR": str(data_dir.resolve()), "MIRIX_KEYRING": "file", "BROWSER": "true"}
    return {name: value for name, value in os.environ.items() if not name.startswith("MIRIX_")} | own

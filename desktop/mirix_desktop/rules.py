"""What must not be recorded, as data: `privacy.toml`, and what the user adds to it.

privacy.toml + settings ─> PrivacyRules ─> the privacy gate (`privacy.py`)
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from importlib.resources import files

from mirix_desktop.settings import DesktopSettings


@dataclass(frozen=True)
class Names:
    """Programs by name, whatever the case; * stands for anything."""

    pattern: re.Pattern[str] | None

    @classmethod
    def of(cls, names: Iterable[str]) -> Names:
        parts = [translate(_plain(name)) for name in names if name.strip()]
        return cls(re.compile("|".join(parts)) if parts else None)

    def match(self, name: str) -> bool:
        return self.pattern is not None and self.pattern.match(_plain(name)) is not None


@dataclass(frozen=True)
class Words:
    """Words that stand in a title, whatever the case; Latin ones as whole words."""

    pattern: re.Pattern[str] | None

    @classmethod
    def of(cls, phrases: Iterable[str]) -> Words:
        parts = [
            rf"(?<![a-z0-9]){part}(?![a-z0-9])" if phrase[:1].isalnum() else part
            for phrase in phrases
            if (part := re.escape(_plain(phrase)))
        ]
        return cls(re.compile("|".join(parts)) if parts else None)

    def match(self, title: str) -> bool:
        return self.pattern is not None and self.pattern.search(_plain(title)) is not None


def _plain(text: str) -> str:
    """Without case, width or invisible marks, which browsers put around titles."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join("".join(c for c in folded if unicodedata.category(c) != "Cf").split())


@dataclass(frozen=True, kw_only=True)
class PrivacyRules:
    """What the privacy gate asks. Made by `make_rules`."""

    applications: Names
    titles: Words
    chromium_like: Names
    firefox_like: Names
    other_browsers: Names
    private_titles: Words
    dark_browsers: bool = False  # the user's ordinary browser windows are dark, so that darkness tells nothing
    takes_unknown: bool = False  # pictures without windows are taken: the user named the folder they stand in
    is_paused: bool = False


def make_rules(settings: DesktopSettings) -> PrivacyRules:
    """The rules from the start, with the user's."""
    applications, titles, browsers = _from_the_start()
    return PrivacyRules(
        applications=Names.of([*applications, *settings.excluded_applications]),
        titles=Words.of([*titles, *settings.excluded_titles]),
        chromium_like=Names.of(browsers["chromium"]),
        firefox_like=Names.of(browsers["firefox"]),
        other_browsers=Names.of(browsers["unknown"]),
        private_titles=Words.of(browsers["private"]),
        dark_browsers=settings.dark_browsers,
    )


@lru_cache(maxsize=1)
def _from_the_start() -> tuple[list[str], list[str], dict[str, list[str]]]:
    tables = tomllib.loads(files("mirix_desktop").joinpath("privacy.toml").read_text(encoding="utf-8"))
    browsers = tables.pop("browsers")
    applications = [name for table in tables.values() for name in table["applications"]]
    titles = [phrase for table in tables.values() for phrase in table["titles"]]
    return applications, titles, browsers

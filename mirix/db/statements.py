"""Named SQL: queries live in mirix/db/queries/*.sql, and Python asks for them by name.

A query starts with a line `-- name: what_it_does`; the comment lines after it say its purpose. Values are
`%(parameters)s`; where the table varies among the six memories it is the identifier `{table}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import LiteralString, cast

from psycopg import sql

_NAME = re.compile(r"^-- name: (\w+)[^\n]*\n", re.MULTILINE)


@cache
def statements(name: str) -> Mapping[str, sql.SQL]:
    """All queries of mirix/db/queries/<name>.sql by name."""
    text = files("mirix.db").joinpath("queries", f"{name}.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)[1:]
    found = dict(zip(parts[::2], parts[1::2], strict=True))
    # The text comes from our own files, which is what LiteralString stands for.
    return {key: sql.SQL(cast(LiteralString, body.strip().rstrip(";"))) for key, body in found.items()}

from __future__ import annotations

import io

from rich.console import Console

from mirix.evaluation.speed import Speed


def test_figures_come_as_a_table_and_as_a_document() -> None:
    speed = Speed(figures={"database_attach_s": 0.01234, "install_mb": 1234.5}, facts={"chat_model": "builtin"})
    console = Console(width=80, record=True, file=io.StringIO())
    for table in speed.tables():
        console.print(table)
    shown = console.export_text()
    assert "database_attach_s" in shown and "0.012" in shown and "1,234" in shown
    assert speed.to_json() == {
        "evaluation": "speed",
        "chat_model": "builtin",
        "database_attach_s": 0.0123,
        "install_mb": 1234.5,
    }

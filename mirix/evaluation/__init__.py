"""Measures on files of one's own: routing, dates, life logs, active recall.

    FILE ─ items (pydantic, checked) ─> a memory that is thrown away, one user an item ─> outcomes ─> Report

`runner.py` opens the memory and hands the items out, `metrics.py` and `answers.py` judge (pure), one module per
evaluation asks the questions, `report.py` shows. Only the public verbs are used, so any model is measured alike.
"""

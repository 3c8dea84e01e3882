"""Measures on files of one's own: routing, dates, life logs, active recall, and conversations of public data sets.

    FILE ─ items (pydantic, checked) ─> a memory that is thrown away, one user an item ─> outcomes ─> Report

`runner.py` opens the memory and hands the items out, `metrics.py` and `answers.py` judge (pure), one module per
evaluation asks the questions, `report.py` shows. Only the public verbs are used, so any model is measured alike.

    FILE ─ datasets/ ─> conversations ─┬─ retrieval.py: systems.py rank ──────────────────────────> RetrievalReport
                                       └─ arms.py show ─> answering.py ─> judging.py ─> scoring.py ─> AnswerReport

Of conversations other memory systems are measured as well (adapters/); controls.py says what has to come out if the
harness is right, runs.py keeps a run in a folder, html_report.py makes a page of it.
"""

"""`mirix bench`: how fast and how exact search is when there is much to search, beside plain baselines in the same run.

    world.py ─ seeded rows ─> load.py ─ COPY ─> a throw-away embedded database
                                                  ├─ clients.py  searches by 1, 2, 4 processes (client.py), memory
                                                  ├─ recall.py   the dense arm against an exact scan
                                                  ├─ baselines.py  the same questions, plain pgvector and others
                                                  └─ rates.py    messages a second, embedding included
    report.py ─ JSON, tables, plot                bench.py holds it together

Rows are made, not told: 384 numbers drawn round topics stand for vectors, words drawn by Zipf's law for texts, so that
a million rows take minutes and nothing depends on a model. Times are of one machine and one run: compare within a run.
"""

"""`mirix evaluate screenshotvqa`: screenshots are recorded as the desktop assistant would, then questions are asked.

day.py       the folder: pictures, questions, and where it is a generated day, what was to be seen where
filters.py   the change filters of other products, run on the same pictures
record.py    pictures ─> privacy gate ─> change gate ─> spool ─> text ─> frames, timed
gates.py     what each gate kept of what was to be seen, and how often it kept the same twice
leaks.py     secrets and private windows looked for in all that was stored, pictures included
measure.py   questions asked: recall and answers beside OCR + BM25, and whether the cited box holds the answer
"""

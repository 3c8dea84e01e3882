"""Long lives by seed: the messages of invented people over many months, and questions whose answers are known.

    en/*.yaml, zh/*.yaml ─ language.py ─> forms and words
    seed ─> circle.py  who there is
            facts.py, happenings.py, keepsakes.py  stories: what is told on which days, and what may be asked of it
            life.py    stories, slips, gaps and idle talk in order of time ─> Person, as `mirix evaluate lifelog` reads

Every answer comes from the simulated world, never from a text. Nothing but `random.Random(seed)` decides anything, and
no set is ever walked through: the same seed gives the same bytes everywhere. Telephone numbers are of ranges kept free
for fiction (United Kingdom) or such as no exchange can have (China: local numbers do not begin with 1).
"""

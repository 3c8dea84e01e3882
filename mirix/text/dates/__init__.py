"""Time expressions, English and Chinese: what "last Friday" or 前天下午三点半 means to whoever said it.

Pure functions over text. Reading goes in four steps: `tokens` finds the words of time, `chart` joins them by the rules
of `english` and `chinese` into `forms` (meanings that do not know yet when they were said), `forms.resolve` reads a
form from a `reference` (anchor, place, tense), and `mentions`, `expression` and `annotate` use that on text.
"""

from mirix.text.dates.annotate import annotate
from mirix.text.dates.expression import resolve_expression
from mirix.text.dates.mentions import find_mentions
from mirix.text.dates.ranges import Granularity, TimeMention, TimeRange, format_range

__all__ = [
    "Granularity",
    "TimeMention",
    "TimeRange",
    "annotate",
    "find_mentions",
    "format_range",
    "resolve_expression",
]

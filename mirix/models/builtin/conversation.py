"""What a turn of a conversation asks of the memory: what the built-in model answers as the conversation agent.

Told by the form of the whole turn, never by a word in it: "forget that" is meant for the memory, "I always forget
that", "forget it" and a quoted "forget that" are not. What is not clearly meant for the memory is an ordinary turn:
nothing is lost by remembering too much, and what is forgotten is gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mirix.models.builtin import turn_forms
from mirix.models.builtin.filing import Operation
from mirix.models.builtin.language import is_chinese, narrow, plain
from mirix.models.builtin.prompt import Call, Turn
from mirix.models.builtin.topics import question_topics

LONGEST = 200  # characters of a turn that is meant for the memory


@dataclass(frozen=True, kw_only=True)
class _Said:
    """A turn, ready for the rules."""

    text: str  # narrow punctuation, no dates in brackets
    bare: str  # without politeness before it
    before: Sequence[Turn]

    @property
    def chinese(self) -> bool:
        return is_chinese(self.text)

    @property
    def last_user(self) -> str:
        return next((turn.text for turn in reversed(self.before) if turn.role == "user"), "")

    @property
    def follows_answer(self) -> bool:
        """Whether the assistant answered right before; where it does not tell, whether the user had asked."""
        last = self.before[-1] if self.before else None
        if last is not None and last.role == "assistant" and last.kind in ("answer", "question"):
            return True
        return bool(last) and is_question(self.last_user)


def hear_turn(call: Call) -> Operation:
    """The one tool call of the conversation agent."""
    turn = call.turns[-1].text if call.turns else call.question
    said = _said(turn, call.turns[:-1])
    for rule in (_keep_out, _forget, _correct, _show):
        found = rule(said)
        if found is not None:
            return found
    if is_question(said.text):
        return _call("set_topics", topics=question_topics(turn))
    reply = next(reply for form, reply in turn_forms.REPLIES if form.match(said.text))
    return _call("set_topics", topics=[], reply=reply[said.chinese])


def is_ordinary(turn: str) -> bool:
    """Whether nothing in a turn sounds as if it were meant for the memory itself."""
    said = _said(turn, ())
    return not any(rule(said) for rule in (_keep_out, _forget, _correct, _show))


def bare_question(text: str) -> str:
    """What is asked in a turn that is to be kept out; any other text as it is."""
    found = _kept_out(_said(text, ()))
    return found if found and is_question(found) else text


def is_question(text: str) -> bool:
    """Whether a text wants an answer, by its form."""
    return turn_forms.QUESTION.search(narrow(plain(text))) is not None


def _said(turn: str, before: Sequence[Turn]) -> _Said:
    text = " ".join(narrow(plain(turn)).replace("’", "'").split())
    return _Said(text=text, bare=turn_forms.PLEASE.sub("", text).strip(), before=before)


def _call(tool: str, **arguments: object) -> Operation:
    return Operation(tool=tool, arguments={name: value for name, value in arguments.items() if value is not None})


def _forget(said: _Said) -> Operation | None:
    text = said.bare
    if len(text) > LONGEST:
        return None
    if turn_forms.LAST_TURN.match(text) or turn_forms.LAST_TURN_ZH.match(text):
        return _call("forget", what="last_turn")
    if turn_forms.LAST_ANSWER.match(text):
        return _call("forget", what="last_answer")
    if turn_forms.THAT.match(text) or turn_forms.THAT_TURN_ZH.match(text):
        return _call("forget", what="last_answer" if said.follows_answer else "last_turn")
    if turn_forms.EVERYTHING.match(text) or turn_forms.EVERYTHING_ZH.match(text):
        return _call("forget", what="everything")
    for pattern in (turn_forms.ABOUT, turn_forms.ABOUT_ZH, turn_forms.NAMED, turn_forms.NAMED_ZH):
        found = pattern.match(text)
        about = next((group for group in found.groups() if group), "").strip() if found else ""
        if about and not turn_forms.ABOUT_WHAT_I_SAID.search(text):
            is_all = about.lower() in turn_forms.ME or about in turn_forms.ME_ZH
            return _call("forget", what="everything") if is_all else _call("forget", what="about", about=about)
    return None


def _keep_out(said: _Said) -> Operation | None:
    rest = _kept_out(said)
    if rest is None:
        return None
    topics = question_topics(rest) if rest and is_question(rest) else []
    with_last = turn_forms.WITH_LAST.search(said.text) is not None
    return _call("keep_out", topics=topics or None, last_turn_too=with_last or None)


def _kept_out(said: _Said) -> str | None:
    """What follows the wish not to be remembered; None without such a wish."""
    if turn_forms.LAST_TURN.match(said.bare) or turn_forms.LAST_TURN_ZH.match(said.bare):
        return None
    found = turn_forms.KEEP_OUT.match(said.bare) or turn_forms.KEEP_OUT_ZH.match(said.bare)
    return turn_forms.LEADING.sub("", found["rest"]) if found else None


def _correct(said: _Said) -> Operation | None:
    text = said.text
    for pattern in (turn_forms.NOT_BUT, turn_forms.THIS_NOT, turn_forms.NOT_BUT_ZH):
        both = pattern.match(text)
        if both and said.before:
            return _call("correct", right=both["right"].strip(), wrong=both["wrong"].strip())
    found = turn_forms.WRONG.match(text) or turn_forms.WRONG_ZH.match(text)
    if found and _is_wrongness(text):
        rest = found["rest"]
        right = turn_forms.RIGHT.match(rest) or turn_forms.RIGHT_ZH.match(rest)
        if right:
            return _call("correct", right=right["right"].strip(" ,"))
        return _call("correct") if len(rest.strip(" .!。,")) == 0 else None
    is_told_wrong = bool(turn_forms.WRONG.match(said.last_user) or turn_forms.WRONG_ZH.match(said.last_user))
    only = turn_forms.ONLY_RIGHT.match(text) if is_told_wrong and said.follows_answer else None
    return _call("correct", right=only["right"].strip()) if only else None


def _is_wrongness(text: str) -> bool:
    """ "That isn't right" is, "that's right" and "that's not wrong" are not."""
    return turn_forms.PLAINLY_RIGHT.match(text) is None and turn_forms.NEGATED_RIGHT.search(text) is None


def _show(said: _Said) -> Operation | None:
    if len(said.bare) > LONGEST:
        return None
    found = turn_forms.SHOW.match(said.bare) or turn_forms.SHOW_ZH.match(said.bare)
    if found is None:
        return None
    about = next((group for group in found.groups() if group), "").strip()
    is_me = about.lower() in turn_forms.ME or about in turn_forms.ME_ZH
    return _call("show_memories", about=None if is_me else about)

"""The desk an invented day is written at: chance, people, fresh values, and the lists that scenes add to."""

from __future__ import annotations

import random
from collections.abc import Sequence

from mirix_desktop.days import words
from mirix_desktop.days.mint import Mint
from mirix_desktop.days.shapes import Data, Fact, Language, PrivateMark, Question, Secret, Step, View


class Writer:
    """Scenes write facts, steps and questions here, in the order of the day."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.mint = Mint(self.rng)
        self.facts: list[Fact] = []
        self.secrets: list[Secret] = []
        self.private: list[PrivateMark] = []
        self.steps: list[Step] = []
        self.questions: list[Question] = []
        self.people = self.rng.sample(words.PEOPLE, len(words.PEOPLE))
        self.people_zh = self.rng.sample(words.PEOPLE_ZH, len(words.PEOPLE_ZH))
        self.me = self.people.pop()
        self.company = self.rng.randrange(len(words.COMPANIES))
        self.domain = words.DOMAINS[self.company]
        self.projects = self.rng.sample(words.PROJECTS, 4)
        self.city, self.other_city = self.rng.sample(words.CITIES, 2)
        self._scene = ""

    @property
    def first_name(self) -> str:
        return self.me.split()[0]

    def pick(self, choices: Sequence[str]) -> str:
        return self.rng.choice(choices)

    def several(self, choices: Sequence[str], count: int) -> list[str]:
        return self.rng.sample(choices, count)

    def scene(self, name: str) -> None:
        """From here on the steps belong to this scene: between scenes time goes by."""
        self._scene = name

    def fact(self, subject: str, attribute: str, value: str, *, since: str = "", replaces: Fact | None = None) -> Fact:
        made = Fact(
            id=f"f{len(self.facts) + 1}",
            subject=subject,
            attribute=attribute,
            value=value,
            valid_from=since,
            supersedes=replaces.id if replaces else None,
        )
        self.facts.append(made)
        return made

    def secret(self, kind: str, value: str) -> Secret:
        made = Secret(id=f"s{len(self.secrets) + 1}", kind=kind, value=value)
        self.secrets.append(made)
        return made

    def hide(self, text: str) -> PrivateMark:
        made = PrivateMark(id=f"p{len(self.private) + 1}", text=text)
        self.private.append(made)
        return made

    def show(
        self,
        view: View,
        *,
        seconds: float | None = None,
        notification: tuple[str, str] | None = None,
        closes: tuple[str, ...] = (),
    ) -> None:
        """One more shot. Without `seconds` as long as people look at such a thing."""
        self.steps.append(
            Step(
                view=view,
                seconds=seconds if seconds is not None else float(self.rng.randint(3, 24)),
                scene=self._scene,
                notification=notification,
                closes=closes,
            )
        )

    def page(
        self,
        app: str,
        title: str,
        path: str,
        data: Data,
        *,
        window: str = "main",
        scroll: int = 0,
        language: Language = "en",
        site: str = "",
    ) -> View:
        """A page of a web program on its own address."""
        host = site or f"{app}.{self.domain}.test"
        return View(
            window=window,
            app=app,
            title=title,
            url=f"http://{host}/{path}",
            data=data,
            scroll=scroll,
            language=language,
        )

    def ask(
        self,
        text: str,
        answer: str | Sequence[str],
        kind: str,
        facts: Sequence[Fact] = (),
        *,
        older: Sequence[Fact] = (),
        is_first_seen: bool = False,
        language: Language = "en",
    ) -> None:
        self.questions.append(
            Question(
                text=text,
                answers=(answer,) if isinstance(answer, str) else tuple(answer),
                kind=kind,
                facts=tuple(fact.id for fact in facts),
                older=tuple(fact.id for fact in older),
                is_first_seen=is_first_seen,
                language=language,
            )
        )

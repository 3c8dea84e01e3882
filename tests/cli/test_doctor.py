from __future__ import annotations

from mirix.cli.doctor import Level, check_installation, check_python, of_extra
from tests.cli.conftest import Run, RunJson


def test_doctor_finds_nothing_wrong_with_the_database(run: Run, run_json: RunJson) -> None:
    levels = {check["name"]: check["level"] for check in run_json("doctor")["checks"]}
    assert levels["database"] == levels["vault key"] == levels["embedder"] == levels["chat model"] == "ok"
    assert "pgvector" in run("doctor").stdout


def test_doctor_ends_with_one_when_there_is_a_problem(run: Run, run_json: RunJson) -> None:
    document = run_json("doctor", "--embedding-model", "nonsense", code=1)
    assert document["ok"] is False
    assert "problem" in run("doctor", "--embedding-model", "nonsense", code=1).stdout


def test_doctor_fix_has_nothing_to_do_where_all_is_there(run: Run) -> None:
    assert "pip" not in run("doctor", "--fix").stderr


def test_another_package_called_mirix_is_a_problem() -> None:
    finding = check_installation(["mirix-memory", "mirix"])
    assert finding.level is Level.PROBLEM
    assert "pip uninstall mirix" in finding.words
    assert check_installation(["mirix-memory"]).level is Level.OK


def test_python_of_another_age_is_a_problem() -> None:
    assert [check_python(version).level for version in ((3, 10, 9), (3, 11, 0), (3, 13, 9), (3, 14, 0))] == [
        Level.PROBLEM,
        Level.OK,
        Level.OK,
        Level.PROBLEM,
    ]


def test_requirements_of_an_extra_lose_their_mark() -> None:
    requirements = [
        "rich>=14",
        'onnx>=1.19; extra == "embed"',
        "tokenizers>=0.21 ; extra == 'embed'",
        'mss; extra == "desktop"',
    ]
    assert of_extra(requirements, "embed") == ["onnx>=1.19", "tokenizers>=0.21"]

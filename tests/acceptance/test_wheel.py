"""The wheel carries everything: built, installed in a clean environment, it runs the demo from there."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (found,) = folder.glob("mirix_memory-*.whl")
    return found


def test_wheel_holds_agents_schemas_and_demo(wheel: Path) -> None:
    names = set(ZipFile(wheel).namelist())
    for folder, target in (
        ("agents", "mirix/_data/agents"),
        ("schemas", "mirix/_data/schemas"),
        ("mirix/demo", "mirix/demo"),
        ("desktop/mirix_desktop", "mirix_desktop"),
    ):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert f"{target}/{path.relative_to(ROOT / folder).as_posix()}" in names
    assert not [name for name in names if name.startswith(("tests/", "agents/", "schemas/"))]


@pytest.mark.slow
def test_demo_runs_from_the_wheel_in_a_clean_environment(wheel: Path, tmp_path: Path, home: dict[str, str]) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    bin_dir = tmp_path / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    python = bin_dir / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, capture_output=True, timeout=120)
    # The dependencies are those of this run, without the checkout: its .pth file is not followed from a .pth file.
    site = Path(
        sysconfig.get_path("purelib", vars={"base": str(tmp_path / "venv"), "platbase": str(tmp_path / "venv")})
    )
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    where = subprocess.run(
        [str(python), "-c", "import mirix; print(mirix.__file__)"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    assert Path(where.stdout.strip()).is_relative_to(tmp_path / "venv")
    run = subprocess.run(
        [str(bin_dir / "mirix"), "demo", "--json"], capture_output=True, text=True, env=home, cwd=tmp_path, timeout=300
    )
    assert run.stdout, run.stderr[-2000:]
    told = json.loads(run.stdout)
    assert [answer["id"] for answer in told["answers"] if not answer["passed"]] == []
    assert len(told["answers"]) == 6
    assert run.returncode == 0

"""The man page has every command and flag, and groff reads it without a warning."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.program import BINARY, ROOT


@pytest.fixture(scope="module")
def man_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("man") / "vecload.1"
    subprocess.run([sys.executable, ROOT / "tools/man.py", BINARY, target], check=True, timeout=60)
    return target


def rendered(man_page: Path) -> tuple[str, str]:
    """What groff shows, and what it warns of."""
    if not shutil.which("groff"):
        pytest.skip("groff is not installed")
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-Kutf8", "-ww", "-P-cbou", man_page],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return done.stdout, done.stderr


def test_groff_has_no_warning(man_page: Path) -> None:
    assert rendered(man_page)[1] == ""


@pytest.mark.parametrize("command", ["load", "index create", "serve", "export"])
def test_every_flag_is_shown(man_page: Path, command: str) -> None:
    shown = rendered(man_page)[0]
    done = subprocess.run(
        [BINARY, *command.split(), "--help"], capture_output=True, text=True, timeout=30, check=True
    )
    flags = re.findall(r"^  (?:-\w,)?(--[a-z0-9-]+)", done.stdout, re.MULTILINE)
    assert len(flags) > 3
    section = re.search(rf"^   {command}$(.*?)(?=^   \S|\Z)", shown, re.MULTILINE | re.DOTALL)
    assert section
    assert [flag for flag in flags if flag not in section[1]] == []

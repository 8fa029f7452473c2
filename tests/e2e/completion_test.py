"""Goal: bash completes commands, flags, choices and files, as the program itself declares them.

Method: a real bash reads the printed script and calls its function on command lines; bash splits
`--flag=value` by itself only when a line is edited, so the words are given as it would.
"""

import re
import subprocess
from pathlib import Path

import pytest

from support.program import BINARY, Program

_ASK = """
set -u
. "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_vecload
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def script(bare_program: Program) -> Path:
    path = bare_program.folder / "vecload.bash"
    printed = bare_program.run("completion", "bash")
    assert (printed.exit_code, printed.stderr) == (0, "")
    path.write_text(printed.stdout)
    return path


def complete(script: Path, *words: str) -> list[str]:
    """What bash offers for the last word of a line."""
    done = subprocess.run(
        ["bash", "--norc", "-c", _ASK, "bash", script, "vecload", *words],
        cwd=script.parent, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    # Out of a line that is being edited, compopt has nothing to set.
    assert done.stderr == ""
    return sorted(done.stdout.split())


def test_bash_takes_the_script_for_correct_and_registers_it(script: Path) -> None:
    done = subprocess.run(
        ["bash", "--norc", "-c", f". {script}; complete -p vecload"],
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "complete -F _vecload vecload"


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("lo", ["load"]),
        ("index ", ["create", "delete", "list", "show"]),
        ("bucket c", ["create"]),
        ("load --prog", ["--progress"]),
        ("load --progress ", ["auto", "bar", "json", "none"]),
        ("load --progress b", ["bar"]),
        ("load --progress = j", ["json"]),
        ("load --progress =", ["auto", "bar", "json", "none"]),
        ("index create b/i --distance-metric ", ["cosine", "euclidean"]),
        ("export --codec z", ["zstd"]),
        ("load --profile load --progress n", ["none"]),
        ("load --index ", []),
        ("completion ", ["bash"]),
        ("serve --model a", ["aws"]),
        ("index create --dimension ", []),
    ],
)
def test_words(script: Path, line: str, offered: list[str]) -> None:
    assert complete(script, *line.split(" ")) == offered


@pytest.mark.parametrize(
    "line",
    ["load part", "load --index b/i part", "load --rejects part", "journal show part",
     "generate part", "load --report = part"],
)  # fmt: skip
def test_files(script: Path, line: str) -> None:
    (script.parent / "part-0.parquet").touch()
    assert complete(script, *line.split(" ")) == ["part-0.parquet"]


def test_a_name_with_spaces_stays_one(script: Path) -> None:
    (script.parent / "a b.parquet").touch()
    assert complete(script, "load", "a") == ["a", "b.parquet"]  # of one line, split here


@pytest.mark.parametrize("command", ["load", "serve", "index create", "verify", "plan", "export"])
def test_every_flag_that_help_shows_is_offered(script: Path, command: str) -> None:
    done = subprocess.run(
        [BINARY, *command.split(), "--help"], capture_output=True, text=True, timeout=30, check=True
    )
    shown = re.findall(r"^  (?:-\w,)?(--[a-z0-9-]+)", done.stdout, re.MULTILINE)
    assert len(shown) > 5
    assert complete(script, *command.split(), "--") == sorted(shown)


def test_other_shells_are_refused(bare_program: Program) -> None:
    refused = bare_program.run("completion", "ksh")
    assert refused.exit_code == 2
    assert "ksh" in refused.stderr

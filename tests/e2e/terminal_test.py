"""Goal: the progress bar reads well on a terminal of any width, and leaves its screen clean.

Method: the real binary in a pseudo-terminal (pexpect), whose bytes a terminal emulator (pyte)
turns into the screen that a user sees; figures that vary are masked. pyte leaves lines as they are
when its width changes, as xterm does, so the program is told that it is xterm; what tmux does,
which breaks them anew, is tried in tmux itself.
"""

import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pexpect
import pyte
import pytest

from support.program import BINARY, Program
from support.servers import VecloadServer
from support.vectors import make_index, random_vectors, write_vectors

PATIENCE_S = 40
ROWS_SHOWN = 24


class Terminal:
    """A program in a pseudo-terminal, and what is on its screen."""

    def __init__(self, program: Program, columns: int, *arguments: str, **env: str) -> None:
        self.screen = pyte.Screen(columns, ROWS_SHOWN)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        xterm = {"TERM": "xterm-256color", "XTERM_VERSION": "XTerm(379)"}
        self.child = pexpect.spawn(
            str(BINARY),
            list(arguments),
            cwd=str(program.folder),
            env=cast(Any, program.env | xterm | env),
            dimensions=(ROWS_SHOWN, columns),
            timeout=PATIENCE_S,
        )

    def read(self) -> bool:
        """Takes what came within a moment; false at the end."""
        try:
            data = self.child.read_nonblocking(4096, timeout=0.1)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.raw += data
        self._stream.feed(data)
        return True

    def read_until(self, holds: Callable[[list[str]], bool]) -> list[str]:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if holds(self.lines()):
                return self.lines()
            if not self.read():
                break
        raise AssertionError("not seen on the screen:\n" + "\n".join(self.screen.display))

    def read_all(self) -> list[str]:
        deadline = time.monotonic() + PATIENCE_S
        while self.read():
            assert time.monotonic() < deadline, "no end"
        self.child.close()
        return self.lines()

    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display if line.strip()]

    def resize(self, columns: int) -> None:
        self.screen.resize(ROWS_SHOWN, columns)
        self.child.setwinsize(ROWS_SHOWN, columns)


def bars(lines: list[str]) -> list[str]:
    return [line for line in lines if re.match(r" *\d+\.\d %", line)]


def masked(bar: str) -> str:
    """Without the figures that vary from run to run."""
    bar = re.sub(r"[█░]+", lambda found: f"<{len(found.group())}>", bar)
    bar = re.sub(r"ETA \S+", "ETA T", bar)
    bar = re.sub(r"\b(limit|answers|cpu|reading|network|memory)$", "WORD", bar)
    return re.sub(r"\d[\d,.]*", "N", bar).strip()


def load_of(rows: int, program: Program, server: VecloadServer) -> list[str]:
    """The arguments of a load, but for the rate at its end."""
    write_vectors(program.folder / "in.parquet", random_vectors(rows, 4))
    index = make_index(server.client(), 4)
    return ["load", "in.parquet", "--index", index, "--rate-vectors"]


@pytest.fixture
def load(program: Program, server: VecloadServer) -> list[str]:
    return load_of(4_000, program, server)


def has_rate(lines: list[str]) -> bool:
    return any("ETA" in bar for bar in bars(lines))


@pytest.mark.parametrize(
    ("columns", "snapshot"),
    [
        (40, "N %  <N>  N/s  ETA T"),
        (80, "N %  <N>  N/N  N/s  mean N  ETA T  WORD"),
        (120, "N %  <N>  N/N  N/s  mean N  N % of limit  N in flight  ETA T  WORD"),
    ],
)
def test_the_bar_at_each_width(
    program: Program, server: VecloadServer, columns: int, snapshot: str
) -> None:
    terminal = Terminal(program, columns, *load_of(200_000, program, server), "1500")
    # With figures as wide as they stay.
    wide = re.compile(r" \d,\d{3}/s .*ETA \dm")
    [bar] = bars(terminal.read_until(lambda lines: any(map(wide.search, lines))))
    assert masked(bar) == snapshot
    terminal.child.kill(signal.SIGKILL)


def test_a_resize_in_the_middle_leaves_one_line(program: Program, load: list[str]) -> None:
    terminal = Terminal(program, 120, *load, "1000")
    terminal.read_until(has_rate)
    for columns in (50, 40, 100):
        terminal.resize(columns)
        before = len(terminal.raw)
        terminal.read_until(lambda _, before=before: len(terminal.raw) > before + 10)
        [bar] = bars(terminal.lines())
        assert len(bar) < columns
    lines = terminal.read_all()
    assert terminal.child.exitstatus == 0
    # The last bar stands, complete, with the report below it.
    [bar] = bars(lines)
    assert bar.startswith("100.0 %")
    assert lines[lines.index(bar) + 1].startswith("loaded: ")
    assert terminal.screen.cursor.x == 0


def test_tmux_which_breaks_lines_anew_is_left_clean(
    program: Program, load: list[str], tmp_path: Path
) -> None:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    tmux = ["tmux", "-S", str(tmp_path / "tmux"), "-f", "/dev/null"]

    def run(*arguments: str) -> str:
        return subprocess.run(
            [*tmux, *arguments], env=program.env, capture_output=True, text=True, check=True
        ).stdout

    def shown() -> list[str]:
        return [line for line in run("capture-pane", "-p").splitlines() if line.strip()]

    command = " ".join([str(BINARY), *load, "1000"])
    run("new-session", "-d", "-x", "110", "-y", str(ROWS_SHOWN), "-c", str(program.folder),
        f"{command}; echo END; exec cat")  # fmt: skip
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not has_rate(shown()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        run("resize-window", "-x", "45", "-y", str(ROWS_SHOWN))
        while "END" not in shown():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        lines = shown()
    finally:
        run("kill-server")
    above = lines[: next(i for i, line in enumerate(lines) if line.startswith("loaded"))]
    assert [line for line in above if line not in bars(above)] == []
    assert len(bars(above)) == 1


def test_ctrl_c_leaves_the_prompt_a_line_of_its_own(program: Program, load: list[str]) -> None:
    terminal = Terminal(program, 80, *load, "100")
    terminal.read_until(has_rate)
    terminal.child.sendintr()
    lines = terminal.read_all()
    assert terminal.child.exitstatus == 4
    [bar] = bars(lines)
    assert "^C" not in bar
    assert lines[lines.index(bar) + 1].startswith("vecload: load: stopped")
    assert terminal.screen.cursor.x == 0


def test_messages_stand_above_the_bar(program: Program, load: list[str]) -> None:
    terminal = Terminal(program, 100, *load, "1000")
    terminal.read_until(has_rate)
    terminal.child.sendintr()
    terminal.read_all()
    terminal = Terminal(program, 100, *load, "1000")
    lines = terminal.read_all()
    assert terminal.child.exitstatus == 0
    assert len(bars(lines)) == 1
    assert lines[0].startswith("vecload: load: resuming"), lines


@pytest.mark.parametrize(
    ("env", "codes"),
    [
        ({}, True),
        ({"NO_COLOR": "1"}, False),
    ],
)
def test_colors_are_a_choice(
    program: Program, load: list[str], env: dict[str, str], codes: bool
) -> None:
    terminal = Terminal(program, 80, *load, "1000", **env)
    terminal.read_until(has_rate)
    terminal.child.kill(signal.SIGKILL)
    assert (re.search(rb"\x1b\[\d+m", terminal.raw) is not None) == codes
    assert "█".encode() in terminal.raw


def test_a_dumb_terminal_gets_no_codes_and_another_locale_ascii(
    program: Program, load: list[str]
) -> None:
    terminal = Terminal(program, 80, *load, "1000", TERM="dumb")
    terminal.read_all()
    assert b"\x1b" not in terminal.raw
    assert b"%" not in terminal.raw, "it ends before the first line is due"

    terminal = Terminal(program, 80, *load, "1000", "--restart", LANG="C")
    terminal.read_until(has_rate)
    terminal.child.kill(signal.SIGKILL)
    assert terminal.raw.isascii()
    assert b"#" in terminal.raw


@pytest.mark.slow  # a line is due after ten seconds
def test_a_pipe_gets_lines(program: Program, load: list[str]) -> None:
    done = program.run(*load, "300")
    assert done.exit_code == 0
    [line] = [line for line in done.stderr.splitlines() if " %  " in line]
    assert "\r" not in done.stderr
    assert re.match(r" *\d+\.\d %  [\d,]+ of 4,000 rows  [\d,]+ vectors/s \(mean", line)

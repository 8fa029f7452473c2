"""What `vecload --help` tells of the program's commands."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

Command = tuple[str, ...]  # ("index", "create"); of the program itself ()


def help_text(program: Path, command: Command) -> str:
    """What `vecload COMMAND --help` prints."""
    done = subprocess.run(
        [program, *command, "--help"], capture_output=True, text=True, timeout=30, check=True
    )
    return done.stdout


def subcommands(text: str) -> list[str]:
    """The names under "Subcommands:" of a help text."""
    part = re.search(r"^(?:Subc|C)ommands:\n((?:  .*\n)+)", text, re.MULTILINE)
    return re.findall(r"^  (\S+)", part[1], re.MULTILINE) if part else []


def all_commands(program: Path, command: Command = ()) -> Iterator[tuple[Command, str]]:
    """Every command with its help text, parents before their children."""
    text = help_text(program, command)
    yield command, text
    for name in subcommands(text):
        yield from all_commands(program, (*command, name))

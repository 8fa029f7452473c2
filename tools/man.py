"""Writes the man page from what `vecload --help` and every command's --help print.

usage: tools/man.py VECLOAD OUT.1
"""

import re
import subprocess
import sys
from pathlib import Path

from cli_help import Command, all_commands

_OPTION = re.compile(r"^  (-\S+(?: \S+)*?)(?:  +(.*))?$")
_POSITIONAL = re.compile(r"^  (\S+(?: \S+)*?)(?:  +(.*))?$")
_HEADING = re.compile(r"^([A-Z][^\n]*?):$")


def escape(text: str) -> str:
    """The text as roff shows it literally."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return "\\&" + text if text.startswith(".") else text


def example(lines: list[str]) -> list[str]:
    """An example, line for line."""
    return [".PP", ".nf", *(escape(line) for line in lines if line), ".fi"]


def body(text: str) -> list[str]:
    """One help text as roff, without its usage line."""
    out: list[str] = []
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if re.match(r"^Examples?:", line):
            return [*out, ".PP", escape(line), *example(lines[number + 1 :])]
        heading = _HEADING.match(line)
        option = _OPTION.match(line) or _POSITIONAL.match(line)
        if not line or line.startswith("Usage: "):
            continue
        if heading:
            out += [".PP", f"\\fI{escape(heading[1])}\\fR"]
        elif option:
            out += [".TP", f"\\fB{escape(option[1])}\\fR"]
            out += [escape(option[2])] if option[2] else []
        else:
            out += [".PP", escape(line)] if number == 0 or not lines[number - 1] else [escape(line)]
    return out


def section(command: Command, text: str) -> list[str]:
    usage = re.search(r"^Usage: (.*)$", text, re.MULTILINE)
    out = [f".SS {escape(' '.join(command))}"]
    out += [".PP", f"\\fB{escape(usage[1])}\\fR"] if usage else []
    return out + body(text)


def page(program: Path) -> str:
    done = subprocess.run(
        [program, "--version"], capture_output=True, text=True, timeout=30, check=True
    )
    (_, top), *commands = all_commands(program)
    out = [f'.TH VECLOAD 1 "" "{escape(done.stdout.strip())}" "User Commands"']
    # Not stretched: troff warns of a line with a single long word.
    out += [".ad l"]
    out += [".SH NAME", "vecload \\- moves vectors from Parquet into Amazon S3 Vectors"]
    out += [".SH SYNOPSIS", "\\fBvecload\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR]"]
    out += [".SH DESCRIPTION", *body(top), ".SH COMMANDS"]
    for command, text in commands:
        out += section(command, text)
    return "\n".join(out) + "\n"


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    target = Path(sys.argv[2])
    text = page(Path(sys.argv[1]).resolve())
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())

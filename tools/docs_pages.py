"""Makes the reference pages of the documentation site from the code, each time it is built.

mkdocs loads this file as a hook (mkdocs.yml). Nothing that it makes is kept in the repository, so
none of it can be out of date; where a source is missing, the build stops.
"""

import os
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

from cli_help import all_commands

ROOT = Path(__file__).resolve().parent.parent
BINARY = Path(os.environ.get("VECLOAD_BIN", ROOT / "build/release/vecload"))


def commands_page() -> str:
    parts = ["# Every command and flag\n\nWhat `--help` prints, made from the program itself.\n"]
    if not BINARY.exists():
        raise PluginError(f"{BINARY} is not there: run `make build`, or set VECLOAD_BIN")
    for command, text in all_commands(BINARY):
        name = " ".join(("vecload", *command))
        parts.append(f"## {name}\n\n```text\n{text.strip()}\n```\n")
    return "\n".join(parts)


def headers_page() -> str:
    headers = sorted((ROOT / "include/vecload").glob("*.h"))
    if not headers:
        raise PluginError("include/vecload has no headers")
    parts = ["# C++\n\nThe public headers, whole: their comments are the reference.\n"]
    for header in headers:
        code = header.read_text().removeprefix("#pragma once\n").strip()
        parts.append(f"## vecload/{header.name}\n\n```cpp\n{code}\n```\n")
    return "\n".join(parts)


def on_files(files: Files, config: Any) -> Files:
    pages = {"reference/commands.md": commands_page(), "reference/cpp.md": headers_page()}
    for path, text in pages.items():
        files.append(File.generated(config, path, content=text))
    return files

"""Runs the shell blocks of the documentation, page by page, as a reader would."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.program import BINARY, ROOT, environment
from support.servers import RcloneServer, VecloadServer

# A page without such a block has nothing to run.
_BLOCK = re.compile(
    r"(?:^<!-- not run: (?P<reason>[^\n]+) -->\n)?^```bash\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_FLAG = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")


def blocks(page: Path) -> list[tuple[str | None, str]]:
    """The bash blocks of a page: why each is not run, or None, and its text."""
    return [(found["reason"], found["code"]) for found in _BLOCK.finditer(page.read_text())]


def all_pages() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def pages() -> list[Path]:
    return [page for page in all_pages() if blocks(page)]


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def vecload_lines(code: str) -> list[list[str]]:
    """The words of each `vecload` command in a block."""
    joined = code.replace("\\\n", " ")
    return [line.split() for line in joined.splitlines() if line.strip().startswith("vecload ")]


def command_help(words: list[str]) -> str:
    """The help of the command that a line names, subcommands included."""
    command: list[str] = []
    for word in words[1:3]:
        tried = subprocess.run(
            [BINARY, *command, word, "--help"], capture_output=True, text=True, timeout=30
        )
        if word.startswith("-") or tried.returncode != 0:
            break
        command.append(word)
        if not re.search(r"^(Subc|C)ommands:", tried.stdout, re.MULTILINE):
            break
    done = subprocess.run(
        [BINARY, *command, "--help"], capture_output=True, text=True, timeout=30, check=True
    )
    return done.stdout


def source_on_s3(request: pytest.FixtureRequest) -> RcloneServer:
    """An S3 server with the source that the pages name, s3://my-data/embeddings/."""
    folder: Path = request.getfixturevalue("s3_folder") / "my-data/embeddings"
    folder.mkdir(parents=True)
    size = ("--rows", "2000", "--dimension", "64")
    subprocess.run(
        [BINARY, "generate", folder / "part.parquet", *size, "--files", "2"],
        stdout=subprocess.DEVNULL, timeout=30, check=True,
    )  # fmt: skip
    return request.getfixturevalue("s3")


def test_there_are_pages() -> None:
    assert "docs/start.md" in [named(page) for page in pages()]


@pytest.mark.parametrize("page", pages(), ids=named)
def test_the_commands_of_a_page_run(
    page: Path, tmp_path: Path, server: VecloadServer, request: pytest.FixtureRequest
) -> None:
    code = "\n".join(code for reason, code in blocks(page) if reason is None)
    if not code:
        pytest.skip(f"every block of {named(page)} says why it is not run")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    more = {"AWS_ENDPOINT_URL_S3VECTORS": server.url}
    if "s3://" in code:
        more["AWS_ENDPOINT_URL_S3"] = source_on_s3(request).url
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/vecload").symlink_to(BINARY)
    env = environment(tmp_path, **more)
    env["PATH"] = f"{tmp_path / 'bin'}:{Path(sys.executable).parent}:{env['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code],
        cwd=tmp_path, env=env, capture_output=True, text=True, timeout=110,
    )  # fmt: skip
    assert done.returncode == 0, f"{named(page)}:\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("page", pages(), ids=named)
def test_every_flag_of_a_page_exists(page: Path) -> None:
    for _, code in blocks(page):
        for words in vecload_lines(code):
            known = set(_FLAG.findall(command_help(words)))
            used = set(_FLAG.findall(" ".join(words)))
            assert used <= known, f"{named(page)}: {' '.join(words)}"


@pytest.mark.parametrize("page", all_pages(), ids=named)
def test_every_command_stands_in_a_bash_block(page: Path) -> None:
    outside = _BLOCK.sub("", page.read_text())
    assert not re.search(
        r"^ *vecload [a-z]+ .*[-/.]", re.sub(r"`[^`\n]*`", "", outside), re.MULTILINE
    )

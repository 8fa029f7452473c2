"""Goal: a wrong command line costs nothing: exit code 2, one clear line, and where help is.

Method: wrong lines of every kind, and the help of every command.
"""

import pytest

from support.program import Program

COMMANDS = (
    ("load",), ("delete",), ("serve",), ("query",), ("index",), ("index", "create"),
    ("index", "show"), ("index", "list"), ("index", "delete"), ("bucket",),
    ("bucket", "create"), ("bucket", "list"), ("bucket", "delete"), ("generate",),
)  # fmt: skip

WRONG = {
    "": "a command is required; see vecload --help",
    "frobnicate": "there is no command frobnicate",
    "load": "SOURCE is required",
    "load x.parquet": "--index is required",
    "load x --index idx": '"idx" does not name an index',
    "load x --index b/i --nope": "--nope",
    "load x --index b/i --index c/j": "--index",
    "load x --index b/i --batch-vectors 501": "--batch-vectors",
    "load x --index b/i --batch-vectors 0": "--batch-vectors",
    "load x --index b/i --rate-vectors 0": "'0' is not a rate",
    "load x --index b/i --rate-vectors automatic": "or unlimited or auto",
    "load x --index b/i --rate-requests fast": "'fast' is not a rate",
    "load x --index b/i --memory 256MB": "'256MB' is not a size",
    "load x --index b/i --give-up-after 90": "'90' is not a duration",
    "load x --index b/i --create-index": "--create-index requires --distance-metric",
    "load x --index b/i --tag a=b": "--tag requires --create-index",
    "load x --index b/i --create-index --distance-metric dot": "dot",
    "load x --index b/i --metadata-json m --metadata-columns a": "excludes",
    "load x --index b/i --report r.txt": "'r.txt' does not end in .json or .html",
    "load x --index b/i --output yaml": "yaml",
    "load x --index b/i --progress": "--progress",
    "load x --index b/i --part 4/3": "'4/3' is not a part",
    "load x --index b/i --part 0/3": "'0/3' is not a part",
    "load x --index b/i --part 3": "'3' is not a part",
    "load x --index b/i --part 1/99999": "'1/99999' is not a part",
    "load x --index b/i --part 1/2 --rows-from r": "excludes",
    "load x --index b/i --rows-from r --journal j": "excludes",
    "load x --index b/i --rows-from r --restart": "excludes",
    "delete": "--index is required",
    "delete --index b/i": "--keys-from is required",
    "delete --index b/i --keys-from": "--keys-from",
    "delete --keys-from x.jsonl --index b": '"b" does not name an index',
    "delete --index b/i --keys-from x --batch-vectors 501": "--batch-vectors",
    "delete --index b/i --keys-from x --vector-column v": "--vector-column",
    "query --index b/i": "--vector JSON or --like KEY is required",
    "query --index b/i --vector [1": "not a JSON array of numbers",
    "query --index b/i --vector [1] --like k": "excludes",
    "query --index b/i --like k --top-k 0": "--top-k",
    "serve": "--data-dir DIR or --ephemeral is required",
    "serve --ephemeral --data-dir d": "excludes",
    "serve --ephemeral --port 70000": "--port",
    "serve --ephemeral --faults reset=0.1,http404=0.1": '"http404=0.1": there is no such fault',
    "serve --ephemeral --faults cut=2": '"cut=2": a probability must be',
    "index": "a command is required; see vecload index --help",
    "index create b/i --distance-metric cosine": "--dimension is required",
    "index create b/i --distance-metric cosine --dimension 4097": "--dimension",
    "bucket create": "BUCKET is required",
    "generate o.parquet --rows 5": "--dimension is required",
    "generate o.parquet --rows 5 --dimension 3 --codec rar": "rar",
}


@pytest.mark.parametrize("line", WRONG)
def test_wrong_lines(bare_program: Program, line: str) -> None:
    done = bare_program.run(*line.split())
    assert done.exit_code == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, "one line"
    assert done.stderr.startswith("vecload: ")
    assert WRONG[line] in done.stderr
    assert " --help" in done.stderr
    assert list(bare_program.folder.iterdir()) == []


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_of_every_command_has_an_example(
    bare_program: Program, command: tuple[str, ...]
) -> None:
    done = bare_program.run(*command, "--help")
    assert done.exit_code == 0
    assert done.stderr == ""
    assert done.stdout.count("Example") == 1
    assert f"vecload {command[0]}" in done.stdout.split("Example")[1]


def test_version_and_general_help(bare_program: Program) -> None:
    assert bare_program.run("--version").stdout.startswith("vecload ")
    done = bare_program.run("--help")
    for command in {command[0] for command in COMMANDS}:
        assert f"\n  {command} " in done.stdout
    assert "Exit codes" in done.stdout

#!/usr/bin/env python3
"""Fails on what compilers and formatters let pass: the house rules of CONTRIBUTING.md.

usage: tidy.py [ROOT]. Prints one line a violation; exit code 1 if there was one.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 600
TEST_FILE_LINES_MAX = 1000
COLUMNS_MAX = 100
CODE_FOLDERS = (
    "include", "src", "python", "tests", "fuzz", "bench", "examples", "tools", "cmake", "dashboard"
)  # fmt: skip
CPP, TEXT = (".h", ".cc"), (".h", ".cc", ".py", ".sh", ".cmake", ".txt", ".ts", ".css")
# A name that says nothing collects everything.
NOT_OURS = {"__pycache__", "node_modules", "dist", "data", "corpus"}  # made by programs, or data
FOLDER_NAMES_BANNED = {"util", "utils", "common", "core", "helpers", "misc"}
# Spelt in pieces, so that this file passes its own check.
LEFTOVER = re.compile(r"FIX" + r"ME|\bTO" + r"DO(?!\(#\d+\))")


class Rules:
    """The two tables of cmake/VecloadModule.cmake."""

    def __init__(self, root: Path) -> None:
        text = (root / "cmake/VecloadModule.cmake").read_text()
        self.ranks: dict[str, int] = {}
        for rank, modules in re.findall(r"^set\(VECLOAD_RANK_(\d) ([^)]*)\)", text, re.M):
            self.ranks |= {module: int(rank) for module in modules.split()}
        rows = [row.split("|") for row in re.findall(r'^  "(.*\|.*\|.*\|.*)"$', text, re.M)]
        self.foreign = [(row[1].split(), row[3].split()) for row in rows]
        if not self.ranks or not self.foreign:
            sys.exit("tidy: cmake/VecloadModule.cmake has no tables in the form tidy reads")

    def include_error(self, module: str, header: str) -> str | None:
        """Says why a file of `module` ("" for include/vecload) may not include `header`."""
        target = header.split("/")[0]
        if "/" in header and target in self.ranks and target != module:
            if self.ranks[target] >= self.ranks.get(module, 0):
                return f'includes "{header}": not of a lower rank than {module or "include"}'
        owners = [o for prefixes, o in self.foreign if header.startswith(tuple(prefixes))]
        if owners and not all(module in names for names in owners):
            allowed = " ".join(owners[-1])
            return f"includes <{header}>, which belongs to {allowed}"
        return None


def blank_literals(text: str) -> str:
    """Returns C++ text with comments, strings and chars blanked, line numbers kept."""
    pattern = (
        r'R"(?P<d>[^(\s]*)\(.*?\)(?P=d)"|//[^\n]*|/\*.*?\*/'
        r"|\"(?:\\.|[^\"\\\n])*\"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])*'"
    )
    return re.sub(pattern, lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.S)


def long_functions(text: str) -> Iterator[tuple[int, int]]:
    """Yields (line, length) of each body longer than allowed; lambdas count as their function."""
    code = re.sub(
        r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*",
        lambda m: "\n" * m[0].count("\n"),
        blank_literals(text),
        flags=re.M,
    )
    open_braces: list[tuple[int, bool]] = []
    statement_start = 0
    for match in re.finditer(r"[{};]", code):
        line = code.count("\n", 0, match.start()) + 1
        if match[0] == "{":
            head = code[statement_start : match.start()].lstrip()
            first = line - head.count("\n")
            scope = re.search(r"\b(namespace|class|struct|union|enum|extern)\b[^()]*$", head)
            inside = any(is_function for _, is_function in open_braces)
            open_braces.append((first, not inside and not scope and ")" in head))
        elif match[0] == "}" and open_braces:
            begin, is_function = open_braces.pop()
            if is_function and line - begin + 1 > FUNCTION_LINES_MAX:
                yield begin, line - begin + 1
        statement_start = match.end()


def check_file(path: Path, name: str, rules: Rules) -> Iterator[str]:
    """Yields the violations of one file; `name` is its path from the root."""
    text = path.read_text(errors="replace")
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX and "://" not in line:
            yield f"{name}:{number}: {len(line)} columns, at most {COLUMNS_MAX}"
        if LEFTOVER.search(line):
            yield f"{name}:{number}: leftover marker; finish it, or name its issue: (#12)"
    if path.suffix not in CPP:
        return
    is_test = path.stem.endswith("_test") or name.startswith("tests/")
    limit = TEST_FILE_LINES_MAX if is_test else FILE_LINES_MAX
    if len(lines) > limit:
        yield f"{name}: {len(lines)} lines, at most {limit}"
    for line, length in long_functions(text):
        yield f"{name}:{line}: a function of {length} lines, at most {FUNCTION_LINES_MAX}"
    parts = name.split("/")
    if parts[0] not in ("src", "include"):
        return
    module = parts[1] if parts[0] == "src" else ""
    for number, line in enumerate(lines, 1):
        if match := re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line):
            if error := rules.include_error(module, match[1]):
                yield f"{name}:{number}: {error}"


def check_tree(root: Path) -> Iterator[str]:
    """Yields every violation under `root`."""
    rules = Rules(root)
    for folder in CODE_FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            name = path.relative_to(root).as_posix()
            if any(part in NOT_OURS for part in name.split("/")):
                continue
            if path.is_dir() and path.name in FOLDER_NAMES_BANNED:
                yield f"{name}/: a folder is named after what is in it"
            elif path.is_file() and path.suffix in TEXT:
                yield from check_file(path, name, rules)
    for module in sorted(p for p in (root / "src").iterdir() if p.is_dir() and any(p.iterdir())):
        if module.name not in rules.ranks:
            yield f"src/{module.name}/: has no rank in cmake/VecloadModule.cmake"
        if not (module / "README.md").exists():
            yield f"src/{module.name}/: has no README.md"


def main() -> int:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    violations = list(check_tree(root))
    print("\n".join(violations) or "tidy: clean")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())

"""Plants the defects of mutants.toml.

mutate.py list            name and file of each, for CMake
mutate.py NAME SOURCE OUT the file SOURCE with that defect
"""

import sys
import tomllib
from pathlib import Path


def main() -> int:
    with (Path(__file__).parent / "mutants.toml").open("rb") as file:
        mutants = {mutant["name"]: mutant for mutant in tomllib.load(file)["mutant"]}
    if sys.argv[1:] == ["list"]:
        print(";".join(f"{mutant['name']}|{mutant['file']}" for mutant in mutants.values()))
        return 0
    name, source, out = sys.argv[1:]
    mutant = mutants[name]
    text = Path(source).read_text()
    times = text.count(mutant["find"])
    if times != 1:
        print(f"mutants.toml: {name}: found {times} times in {source}, not once", file=sys.stderr)
        return 1
    Path(out).write_text(text.replace(mutant["find"], mutant["replace"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())

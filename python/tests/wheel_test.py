"""Goal: the installed wheel shares one libarrow with pyarrow, mixes no two OpenSSLs, runs on Amazon
Linux 2023's C and C++ libraries, and says its types truly.

Method: what the dynamic linker and the kernel say of the real processes; readelf; nanobind's own
stub generator.
"""

from __future__ import annotations

import doctest
import importlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import vecload

PACKAGE = Path(vecload.__file__).parent
SITE = PACKAGE.parent
ROOT = Path(__file__).resolve().parent.parent.parent
NATIVE = next(PACKAGE.glob("_native*.so"))
PROGRAM = PACKAGE / "bin" / "vecload"
SCRIPT = Path(sys.executable).parent / "vecload"
# What the wheel brings; without auditwheel the system's are used.
BUNDLED = sorted((SITE / "vecload.libs").glob("*.so*"))


def run(*command: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env=os.environ | env, capture_output=True, text=True, timeout=100, check=True
    )


def test_the_script_becomes_the_native_program() -> None:
    assert run(SCRIPT, "--version").stdout == f"vecload {vecload.__version__}\n"
    with subprocess.Popen(
        [SCRIPT, "serve", "--ephemeral", "--with-stdin"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as serve:
        assert serve.stdout is not None
        assert serve.stdout.readline().startswith(b"listening on")
        assert Path(f"/proc/{serve.pid}/exe").resolve() == PROGRAM.resolve()
        assert "python" not in mapped_names(serve.pid)
        serve.communicate(timeout=20)
    assert serve.returncode == 0
    assert subprocess.run([SCRIPT, "--nonsense"], capture_output=True, check=False).returncode == 2


def mapped_names(pid: int) -> str:
    maps = Path(f"/proc/{pid}/maps").read_text()
    return " ".join(sorted({line.split("/")[-1] for line in maps.splitlines() if "/" in line}))


@pytest.mark.parametrize("order", ["pyarrow, vecload", "vecload, pyarrow"])
def test_one_libarrow_whatever_is_imported_first(order: str) -> None:
    first, second = order.split(", ")
    done = run(
        sys.executable,
        "-c",
        f"import {first}; import {second}; import pyarrow.parquet, pyarrow.fs\n"
        "print(open('/proc/self/maps').read())",
    )
    for library in ("libarrow.so", "libparquet.so", "libarrow_s3.so"):
        found = {line.split()[-1] for line in done.stdout.splitlines() if f"/{library}" in line}
        assert len(found) <= 1, found
    assert f"{SITE}/pyarrow/libarrow.so" in done.stdout


BINDING = re.compile(r"binding file (\S+) .* to (\S+) .*: normal symbol `(\w+)'")
OPENSSL = re.compile(r"(EVP|SHA|HMAC|RAND|BIO|X509|OPENSSL|CRYPTO|SSL|BN|EC)_")


USE = (
    "from vecload.testing import LocalS3Vectors\n"
    "with LocalS3Vectors(): vecload.Index.create("
    "'b01/i01', dimension=2, distance_metric='cosine')"
)


@pytest.mark.parametrize(
    "command",
    [
        [PROGRAM, "--version"],
        [sys.executable, "-c", f"import vecload\n{USE}"],
        [sys.executable, "-c", f"import ssl, pyarrow.parquet, vecload\n{USE}"],
        [sys.executable, "-c", f"import vecload, ssl\n{USE}"],
    ],
    ids=["program", "module", "after ssl and pyarrow", "before ssl"],
)
def test_no_two_openssls_are_mixed(command: list[str | Path]) -> None:
    done = run(*command, LD_DEBUG="bindings", LD_BIND_NOW="1")
    bindings = [found.groups() for found in map(BINDING.search, done.stderr.splitlines()) if found]
    crypto = [(Path(by).name, Path(to).name, symbol) for by, to, symbol in bindings
              if OPENSSL.match(symbol)]  # fmt: skip
    ours = {path.name for path in [NATIVE, PROGRAM, *BUNDLED]}
    assert any(by in ours and "libcrypto" in to for by, to, _ in crypto)
    # libparquet's own calls may go to either: it only decrypts files, which we refuse.
    wrong = [one for one in crypto if "libparquet" in one[1] and "libparquet" not in one[0]]
    assert wrong == []
    if BUNDLED:
        # Nobody but the wheel's own libraries, and libparquet beside them, uses its OpenSSL; and
        # these use no other.
        crossed = [one for one in crypto if (one[0] in ours) != (one[1] in ours)
                   and not one[0].startswith(("libparquet", "libarrow"))]  # fmt: skip
        assert crossed == []


VERSION = re.compile(r"\b(GLIBC|GLIBCXX|CXXABI)_(\d[\d.]*)\b")
# Amazon Linux 2023: glibc 2.34, and the libstdc++ of GCC 11.
CEILING = {"GLIBC": (2, 34), "GLIBCXX": (3, 4, 29), "CXXABI": (1, 3, 13)}


@pytest.mark.parametrize("binary", [NATIVE, PROGRAM, *BUNDLED], ids=lambda path: path.name)
def test_no_symbol_is_newer_than_amazon_linux_2023(binary: Path) -> None:
    needed = run("readelf", "--version-info", "--wide", binary).stdout
    needed = needed.partition("Version needs section")[2]
    versions = {(name, tuple(map(int, number.split("."))))
                for name, number in VERSION.findall(needed)}  # fmt: skip
    assert versions
    newer = sorted((name, number) for name, number in versions if number > CEILING[name])
    assert newer == []


def test_what_the_wheel_needs_is_in_it_or_in_pyarrow() -> None:
    if not BUNDLED:
        pytest.skip("installed without auditwheel: the system's libraries are used")
    system = re.compile(
        r"(ld-linux|libc|libm|libdl|libpthread|librt|libresolv|libz|libgcc_s|libstdc\+\+)"
    )
    pyarrow = {"libarrow.so.2600", "libparquet.so.2600", "libarrow_s3.so.2600"}
    names = {path.name for path in BUNDLED}
    for binary in [NATIVE, PROGRAM, *BUNDLED]:
        dynamic = run("readelf", "--dynamic", "--wide", binary).stdout
        for needed in re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic):
            assert needed in names | pyarrow or system.match(needed), f"{binary}: {needed}"
        for rpath in re.findall(r"\((?:RUNPATH|RPATH)\).*\[(.*)\]", dynamic):
            assert all(part.startswith("$ORIGIN") for part in rpath.split(":")), (
                f"{binary}: {rpath}"
            )


def test_the_module_gives_away_nothing_but_its_entry() -> None:
    symbols = run("readelf", "--dyn-syms", "--wide", NATIVE).stdout
    given = [
        line.split()[-1]
        for line in symbols.splitlines()
        if re.search(r"\bGLOBAL\s+DEFAULT\s+(?!UND)\d+", line)
    ]
    assert given == ["PyInit__native"]


def test_the_stubs_are_those_of_the_module(tmp_path: Path) -> None:
    made = tmp_path / "_native.pyi"
    run(sys.executable, "-m", "nanobind.stubgen", "-m", "vecload._native", "-o", made)
    stub = PACKAGE / "_native.pyi"
    assert made.read_text() == stub.read_text(), f"cp {made} python/vecload/_native.pyi"


def test_the_plugin_costs_nothing_where_it_is_not_used() -> None:
    run(sys.executable, "-c", "import pytest_vecload, sys; assert 'vecload' not in sys.modules")


def test_types_are_told() -> None:
    assert (PACKAGE / "py.typed").exists()
    requires = importlib.metadata.requires("vecload") or []
    assert any(one.startswith("pyarrow==26") for one in requires)


MODULES = [
    "vecload._load",
    "vecload._delete",
    "vecload._audit",
    "vecload._index",
    "vecload.testing",
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_docstrings_run(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "examples/data", "examples/data")
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    failed, tried = doctest.testmod(importlib.import_module(name), optionflags=options)
    assert failed == 0
    assert tried > 0


def test_the_example_of_the_readme_runs() -> None:
    shutil.copytree(ROOT / "examples/data", "examples/data")
    example = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert example
    assert run(sys.executable, "-c", example[1]).stdout == "4000 of 4000\n"

#!/usr/bin/env python3
"""Goal: prove that tidy.py sees each violation. Method: plant one at a time in a small tree."""

import tempfile
import unittest
from pathlib import Path

import tidy

ROOT = Path(__file__).resolve().parent.parent


class TidyTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        rules = (ROOT / "cmake/VecloadModule.cmake").read_text()
        self.write("cmake/VecloadModule.cmake", rules)
        for module in ("base", "wire", "http", "client", "load", "source"):
            self.write(f"src/{module}/README.md", "# A module\n")

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def violations(self) -> str:
        return "\n".join(tidy.check_tree(self.root))

    def test_clean_tree_passes(self) -> None:
        self.write("src/load/a.cc", '#include "client/b.h"\n#include "vecload/status.h"\n')
        self.write("src/source/a.cc", "#include <arrow/api.h>\n#include <parquet/types.h>\n")
        self.assertEqual(self.violations(), "")

    def test_include_of_the_same_rank(self) -> None:
        self.write("src/wire/a.h", '#pragma once\n#include "http/b.h"\n')
        self.assertIn('src/wire/a.h:2: includes "http/b.h"', self.violations())

    def test_include_of_a_higher_rank_in_a_test_file(self) -> None:
        self.write("src/base/a_test.cc", '#include "wire/b.h"\n')
        self.assertIn('src/base/a_test.cc:1: includes "wire/b.h"', self.violations())

    def test_public_header_includes_no_module(self) -> None:
        self.write("include/vecload/a.h", '#include "base/clock.h"\n')
        self.assertIn("include/vecload/a.h:1", self.violations())

    def test_foreign_library_outside_its_module(self) -> None:
        for header in ("arrow/api.h", "simdjson.h", "openssl/evp.h", "curl/curl.h", "sqlite3.h"):
            with self.subTest(header):
                self.write("src/load/a.cc", f"#include <{header}>\n")
                self.assertIn(f"includes <{header}>, which belongs to", self.violations())

    def test_parquet_is_for_source_alone(self) -> None:
        self.write("src/auth/README.md", "# auth\n")
        self.write("src/auth/a.cc", "#include <arrow/filesystem/s3fs.h>\n")
        self.assertEqual(self.violations(), "")
        self.write("src/auth/a.cc", "#include <parquet/types.h>\n")
        self.assertIn("belongs to source", self.violations())

    def test_function_of_71_lines(self) -> None:
        def function(lines: int) -> str:
            body = "  Call(\"}\", '{');  // }\n" * (lines - 2)
            head = "namespace vecload {\nclass A {\n  int B() const;\n};\nvoid F(int a) {\n"
            return head + body + "}\n}\n"

        self.write("src/base/a.cc", function(70))
        self.assertEqual(self.violations(), "")
        self.write("src/base/a.cc", function(71))
        self.assertIn("src/base/a.cc:5: a function of 71 lines", self.violations())

    def test_long_file_but_a_longer_test(self) -> None:
        self.write("src/base/a.cc", "int a;\n" * 601)
        self.write("src/base/b_test.cc", "int a;\n" * 1000)
        self.assertEqual(self.violations(), "src/base/a.cc: 601 lines, at most 600")

    def test_long_line(self) -> None:
        self.write("src/base/a.h", "// " + "x" * 98 + "\n// https://" + "x" * 98 + "\n")
        self.assertEqual(self.violations(), "src/base/a.h:1: 101 columns, at most 100")

    def test_leftover_markers(self) -> None:
        self.write("src/base/a.h", "// TO" + "DO(#12): fine\n// TO" + "DO: not fine\n")
        self.write("tools/b.py", "# FIX" + "ME\n")
        self.assertIn("src/base/a.h:2: leftover", self.violations())
        self.assertNotIn("src/base/a.h:1:", self.violations())
        self.assertIn("tools/b.py:1: leftover", self.violations())

    def test_module_without_readme_or_rank(self) -> None:
        self.write("src/wire/README.md", "")
        (self.root / "src/wire/README.md").unlink()
        self.write("src/wire/a.h", "#pragma once\n")
        self.write("src/magic/README.md", "# magic\n")
        self.assertIn("src/wire/: has no README.md", self.violations())
        self.assertIn("src/magic/: has no rank", self.violations())

    def test_folder_that_says_nothing(self) -> None:
        self.write("tests/helpers/a.cc", "int a;\n")
        self.assertIn("tests/helpers/: a folder is named after", self.violations())


if __name__ == "__main__":
    unittest.main()

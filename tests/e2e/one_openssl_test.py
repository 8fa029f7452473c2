"""One OpenSSL for all of the process.

Goal: libcurl, libssl, libssh2 and we ourselves use the system's libcrypto, though libparquet
exports the symbols of another version, whose structures differ. Method: the dynamic linker says
what it binds to what.
"""

import os
import re
import subprocess

from support.program import BINARY

BINDING = re.compile(r"binding file (\S+) .* to (\S+) .*: normal symbol `(\w+)'")
OPENSSL = re.compile(r"(EVP|SHA|HMAC|RAND|BIO|X509|OPENSSL|CRYPTO|SSL|BN|EC)_")


def test_no_openssl_symbol_comes_from_the_wheel() -> None:
    done = subprocess.run(
        [BINARY, "--version"],
        env=os.environ | {"LD_DEBUG": "bindings", "LD_BIND_NOW": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    bindings = [found.groups() for found in map(BINDING.search, done.stderr.splitlines()) if found]
    crypto = [(by, to, symbol) for by, to, symbol in bindings if OPENSSL.match(symbol)]
    assert any("libcurl" in by and "libcrypto" in to for by, to, _ in crypto)
    # libparquet's own calls may go to either: it only decrypts files, which we refuse.
    wrong = [binding for binding in crypto if "libparquet" in binding[1]]
    assert [binding for binding in wrong if "libparquet" not in binding[0]] == []

"""Goal: Prometheus takes what a job exposes, and every query, rule and file of examples/grafana.

Method: promtool, Prometheus's own checker, reads a scrape of the real binary and the files.
"""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from support.program import ROOT

GRAFANA = ROOT / "examples/grafana"

pytestmark = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is missing: tools/bootstrap.sh dashboard"
)


def dashboard_queries() -> list[str]:
    dashboard = json.loads((GRAFANA / "vecload.json").read_text())
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


def promtool(*arguments: str | Path, text: str | None = None) -> None:
    done = subprocess.run(
        ["promtool", *map(str, arguments)], input=text, text=True, capture_output=True, timeout=30
    )
    assert done.returncode == 0 and not done.stderr.strip(), done.stdout + done.stderr


def test_promtool_accepts_a_scrape(whole_scrape: str) -> None:
    promtool("check", "metrics", text=whole_scrape)


def test_promtool_accepts_every_query_and_the_configuration(tmp_path: Path) -> None:
    queries = dashboard_queries()
    assert len(queries) > 15
    rules = [
        {
            "record": f"query:{number}",
            "expr": query.replace("$__rate_interval", "1m")
            .replace("$job", ".*")
            .replace("$instance", ".+"),
        }
        for number, query in enumerate(queries)
    ]
    assert "$" not in json.dumps(rules), "a variable of Grafana's that this test does not know"
    path = tmp_path / "queries.yml"  # JSON is YAML
    path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", path)
    promtool("check", "config", GRAFANA / "prometheus.yml")

"""The page's pure modules, tested by node's own test runner."""

import subprocess
from pathlib import Path

HERE = Path(__file__).parent


def test_the_modules_of_the_page() -> None:
    files = sorted(str(path) for path in HERE.glob("*.test.js"))
    assert files
    run = subprocess.run(
        ["node", "--test", "--test-reporter=spec", *files],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "fail 0" in run.stdout

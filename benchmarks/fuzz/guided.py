"""Inputs chosen by what code they reach (atheris, libFuzzer): python -m benchmarks.fuzz.guided.

In a process of its own, for libFuzzer ends the process that it runs in. Not on every platform:
atheris has built wheels for x86_64 only.
"""

import importlib
import importlib.util
import logging
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from msgspec import Struct

from benchmarks.fuzz.mutations import MAX_BYTES
from benchmarks.fuzz.target import Target

_DONE = re.compile(r"^stat::number_of_executed_units:\s*(\d+)$", re.MULTILINE)
_REACHED = re.compile(r"\bcov: (\d+)")
# One input that takes longer counts as broken: an endless loop, on the busiest computer too.
_ENDLESS_S = 120
# What libFuzzer may take beyond its time, to start and to read its corpus.
_GRACE_S = 600.0


class Guided(Struct, frozen=True):
    """What libFuzzer did: inputs run, edges reached, inputs kept for that, inputs that broke it."""

    inputs: int
    edges: int
    corpus: tuple[bytes, ...]
    broken: tuple[bytes, ...]


def is_available() -> bool:
    """Tell whether atheris is installed."""
    return importlib.util.find_spec("atheris") is not None


def explore(target: Target, *, seconds: int, seed: int) -> Guided:
    """Let libFuzzer look for inputs that reach more of the rover's code, for ``seconds``."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        corpus, broken = Path(name, "corpus"), Path(name, "broken")
        corpus.mkdir()
        broken.mkdir()
        for number, data in enumerate(target.seeds):
            (corpus / f"seed-{number}").write_bytes(data)
        tokens = Path(name, "tokens")
        tokens.write_text("".join(f'"{_escaped(token)}"\n' for token in target.tokens if token))
        options = [f"-max_total_time={seconds}", f"-seed={seed}", f"-max_len={MAX_BYTES}"]
        options += [f"-timeout={_ENDLESS_S}", f"-artifact_prefix={broken}/"]
        options.append("-print_final_stats=1")
        if target.tokens:
            options.append(f"-dict={tokens}")
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.fuzz.guided", target.name, *options, str(corpus)],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds + _GRACE_S,
            check=False,
        )
        inputs = _DONE.search(done.stderr)
        reached = _REACHED.findall(done.stderr)
        if inputs is None or not reached:
            raise RuntimeError(f"libFuzzer ends with {done.returncode}: {done.stderr[-2000:]}")
        return Guided(
            int(inputs[1]),
            int(reached[-1]),
            tuple(sorted(path.read_bytes() for path in corpus.iterdir())),
            tuple(path.read_bytes() for path in sorted(broken.iterdir())),
        )


def _escaped(token: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in token)


def _run(name: str, options: list[str]) -> None:
    """Run libFuzzer on the target ``name``, whose code is instrumented as it is imported."""
    import atheris  # noqa: PLC0415 - it may not be installed

    logging.disable(logging.CRITICAL)
    with atheris.instrument_imports(include=["rover", "web"]):
        targets = importlib.import_module("benchmarks.fuzz.targets")
    run = targets.BY_NAME[name].run

    def one(data: bytes) -> None:
        run(data)

    atheris.Setup([sys.argv[0], *options], one)
    atheris.Fuzz()


if __name__ == "__main__":
    _run(sys.argv[1], sys.argv[2:])

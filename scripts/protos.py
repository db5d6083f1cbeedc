"""Generate the protobuf modules of backend/wire, or check that the committed ones are what the .proto files say.

    python scripts/protos.py           write every *_pb2.py and *_pb2.pyi beside its .proto file
    python scripts/protos.py --check   write to a temporary folder, compare, and name every file that differs

The compiler's version is pinned in pyproject.toml (group `proto`), so the same sources give the same bytes.
"""

from __future__ import annotations

import argparse
import keyword
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
SOURCES = Path("backend/wire")
SUFFIXES = ("_pb2.py", "_pb2.pyi")


def sources() -> list[str]:
    return sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / SOURCES).rglob("*.proto"))


def generate(target: Path) -> None:
    """Write the modules of every source under `target`; exit with protoc's code when it refuses one."""
    arguments = [
        "protoc",
        f"--proto_path={ROOT}",  # imports are written from the repository's root, so modules import each other by it
        f"--proto_path={files('grpc_tools') / '_proto'}",
        f"--python_out={target}",
        f"--pyi_out={target}",
        *sources(),
    ]
    code = protoc.main(arguments)
    if code:
        sys.exit(code)
    for stub in (target / SOURCES).rglob("*_pb2.pyi"):
        stub.write_text(without_keywords(stub.read_text()))


def without_keywords(stub: str) -> str:
    """Drop the declarations that no Python file may hold: protoc writes an enum value called None as `None: ...`.

    Such a value stays reachable by its number and by `ProcessorType.Value("None")`.
    """
    return "".join(line for line in stub.splitlines(keepends=True) if not _declares_keyword(line))


def _declares_keyword(line: str) -> bool:
    name, colon, _ = line.strip().partition(": ")
    return bool(colon) and keyword.iskeyword(name)


def generated(root: Path) -> dict[str, bytes]:
    """Every generated module under `root`, by its path from there."""
    found = (path for path in (root / SOURCES).rglob("*_pb2.py*") if path.name.endswith(SUFFIXES))
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


def check() -> int:
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        wanted, present = generated(Path(folder)), generated(ROOT)
    complaints = [
        f"{name}: {'missing' if name not in present else 'has no source' if name not in wanted else 'differs'}"
        for name in sorted(wanted.keys() | present.keys())
        if wanted.get(name) != present.get(name)
    ]
    if complaints:
        print("generated modules do not fit their .proto files; run scripts/protos.py:", *complaints, sep="\n  ")
        return 1
    print(f"{len(wanted)} generated modules fit their sources")
    return 0


def write() -> int:
    generate(ROOT)
    owed = {source.removesuffix(".proto") + suffix for source in sources() for suffix in SUFFIXES}
    for name in sorted(generated(ROOT).keys() - owed):
        (ROOT / name).unlink()
        print(f"removed {name}: its source is gone")
    print(f"{len(owed)} modules written")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description="Generate or check the protobuf modules of backend/wire.")
    parser.add_argument("--check", action="store_true", help="compare instead of writing; fail when a file differs")
    return check() if parser.parse_args().check else write()


if __name__ == "__main__":
    sys.exit(main())

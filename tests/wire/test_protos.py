"""The generated modules are those that the .proto files say, and the check notices when they are not."""

from __future__ import annotations

import importlib.util
import keyword
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "protos.py"
THING = "backend/wire/thing"
SOURCE = 'syntax = "proto3";\npackage thing;\nmessage Thing {\n  string name = 1;\n}\nenum Kind {\n  None = 0;\n}\n'


@pytest.fixture
def protos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, working on a tree of its own with one message."""
    spec = importlib.util.spec_from_file_location("protos_script", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    (tmp_path / THING).parent.mkdir(parents=True)
    (tmp_path / f"{THING}.proto").write_text(SOURCE)
    assert module.write() == 0
    return module


def test_the_committed_modules_fit_their_sources() -> None:
    ran = subprocess.run([sys.executable, str(SCRIPT), "--check"], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


def test_generating_twice_gives_the_same_bytes(protos: ModuleType) -> None:
    before = protos.generated(protos.ROOT)
    assert protos.check() == 0
    protos.write()
    assert protos.generated(protos.ROOT) == before


def test_a_changed_source_is_noticed(protos: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / f"{THING}.proto").write_text(SOURCE.replace("name", "title"))
    assert protos.check() == 1
    assert f"{THING}_pb2.py: differs" in capsys.readouterr().out


def test_a_missing_module_is_noticed(protos: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / f"{THING}_pb2.pyi").unlink()
    assert protos.check() == 1
    assert f"{THING}_pb2.pyi: missing" in capsys.readouterr().out


def test_a_module_whose_source_is_gone_is_noticed_and_removed(
    protos: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(tmp_path / f"{THING}_pb2.py", tmp_path / f"{THING}s_pb2.py")
    assert protos.check() == 1
    assert f"{THING}s_pb2.py: has no source" in capsys.readouterr().out
    protos.write()
    assert protos.check() == 0


def test_no_stub_declares_a_keyword(protos: ModuleType, tmp_path: Path) -> None:
    """An enum value called None is legal in a .proto file; the line that protoc writes for it is not Python."""
    stub = (tmp_path / f"{THING}_pb2.pyi").read_text()
    assert "name: str" in stub
    compile(stub, "thing_pb2.pyi", "exec")
    assert not any(keyword.iskeyword(line.strip().partition(": ")[0]) for line in stub.splitlines() if ": " in line)


def test_the_wire_imports_without_a_warning_and_without_grpc() -> None:
    """The command line reads messages before it opens a channel; it should not pay for gRPC, SQLAlchemy or Textual."""
    program = (
        "import sys, backend.wire.convert, backend.wire.methods;"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert not {"grpc", "sqlalchemy", "textual", "cryptography"} & set(ran.stdout.split())

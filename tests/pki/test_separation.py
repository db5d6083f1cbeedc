import subprocess
import sys


def test_what_clients_use_loads_neither_signing_nor_the_vault() -> None:
    """architecture.md, sentence 4: asked of a fresh interpreter."""
    names = "epochs files keys profiles renewal requests tokens trust"
    program = (
        f"import sys, importlib\nfor name in {names.split()!r}: importlib.import_module(f'backend.pki.{{name}}')\n"
        "sys.exit(any(name in sys.modules for name in ('backend.pki.issue', 'backend.pki.vault', 'sqlalchemy')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

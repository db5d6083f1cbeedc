"""A program of the demo on a leash: `python -m backend.demo.tether DIRECTORY agent run ...`.

It loads what its command needs, waits for the first byte on standard input, and then runs the very command line
`mocdeck agent run ...`. When standard input ends, the demo is gone: the program ends as if told to, and removes the
demo's directory, which nobody else is left to do.
"""

from __future__ import annotations

import importlib
import os
import runpy
import shutil
import signal
import sys
import threading
from typing import Final

_HEAVY: Final = {"agent": "backend.server.app", "client": "backend.client.runner"}  # loaded while the past is made
_GRACE: Final = 10.0  # seconds for what is in flight, once the demo is gone


def main() -> None:
    """Wait for the word, run the command line that follows the directory, and clean up if the demo is gone."""
    directory, arguments = sys.argv[1], sys.argv[2:]
    importlib.import_module(_HEAVY[arguments[0]])
    orphaned = threading.Event()
    try:
        if not os.read(0, 1):
            orphaned.set()
            return
        threading.Thread(target=_watch, args=(orphaned,), name="demo-tether", daemon=True).start()
        sys.argv = ["mocdeck", *arguments]
        runpy.run_module("backend.cli", run_name="__main__", alter_sys=True)
    finally:
        if orphaned.is_set():
            shutil.rmtree(directory, ignore_errors=True)


def _watch(orphaned: threading.Event) -> None:
    while os.read(0, 64):
        pass
    orphaned.set()
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(_GRACE)
    os._exit(128 + signal.SIGTERM)


if __name__ == "__main__":
    main()

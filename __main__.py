"""`python -m retrolog` and the program `retrolog` begin and end here."""

from __future__ import annotations

import atexit
import gc
import os
import sys
import threading
from typing import NoReturn

#: Objects that are made before the collector of cycles looks at the young ones: Python's own 700 make it a tenth of a short command.
_YOUNG = 50_000


def run() -> NoReturn:
    """Runs the command line as the process that it is, and ends this process."""
    gc.set_threshold(_YOUNG)
    from .pipeline.cli import main

    try:
        main()
    except SystemExit as leaving:
        if isinstance(leaving.code, int):
            _leave(leaving.code)
        raise
    sys.exit(0)


def _leave(status: int) -> None:
    """Ends the process without taking apart what it holds, where nobody waits for that; returns where somebody does."""
    if sys.getprofile() is not None or sys.gettrace() is not None or threading.active_count() > 1:
        return
    atexit._run_exitfuncs()  # as `multiprocessing` ends its children: temporary folders are removed, workers ended
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # as where the caller closed it
                stream.flush()
    except (OSError, ValueError):  # Python's own way out tells of it
        return
    os._exit(status)


if __name__ == "__main__":
    run()

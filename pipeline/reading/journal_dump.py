"""A program of its own that writes a journal's entries as JSON lines by libsystemd: what a damaged file does to that library ends only it.

Run by `journal.py` as `python journal_dump.py PATH`; it imports nothing of the package.
"""

from __future__ import annotations

import json
import os
import sys


def main(path: str) -> int:
    """Writes the entries to standard output; answers the exit status."""
    from cysystemd.reader import JournalReader  # pyright: ignore[reportMissingImports]  # an extra that only Linux has

    journal = JournalReader()
    journal.open_files(os.path.realpath(path))  # the library crashes at a link below /proc
    journal.data_threshold = 0
    journal.seek_head()
    for entry in journal:
        own = {
            "__CURSOR": entry.cursor.decode("ascii", "replace"),
            "__REALTIME_TIMESTAMP": str(entry.get_realtime_usec()),
            "__MONOTONIC_TIMESTAMP": str(entry.get_monotonic_usec()),
        }
        sys.stdout.write(json.dumps({**entry.data, **own}, default=str) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

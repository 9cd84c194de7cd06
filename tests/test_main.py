"""The program as a process: what it prints arrives, its exit status is right, and what was to be done at the end is done."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

ENDED = "import atexit, sys; atexit.register(print, 'at the end'); sys.argv = ['retrolog', {words}]; from retrolog.__main__ import run; {before}; run()"


def ended(words: str, before: str = "pass") -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", ENDED.format(words=words, before=before)], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("words", "status"), [("'--version'", 0), ("'events', '/no/such/folder'", 1), ("'events', '--no-such-option'", 2)])
def test_a_process_ends_with_the_status_of_its_command_after_all_was_done(words: str, status: int) -> None:
    done = ended(words)
    assert done.returncode == status, done.stderr
    assert done.stdout.endswith("at the end\n")


@pytest.mark.parametrize("before", ["import threading; t = threading.Timer(0.3, print, ['thread']); t.start()", "sys.setprofile(lambda *_: None)"])
def test_who_waits_for_the_end_still_gets_it(before: str) -> None:
    done = ended("'--version'", before)
    assert done.returncode == 0
    assert "at the end" in done.stdout
    assert ("thread" in done.stdout) == ("Timer" in before)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_output_that_cannot_be_written_is_no_success() -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run([sys.executable, "-m", "retrolog", "--version"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode != 0

"""Memory that several processes of one machine share: kept from block to block, and given back when it is not needed."""

from __future__ import annotations

import ctypes
import sys

import pyarrow as pa

#: Names of glibc's settings, and what they are set to: arrays below 32 MB come from what was freed, of which 256 MB stay.
_SETTINGS = {-3: 32 << 20, -1: 256 << 20}  # M_MMAP_THRESHOLD, M_TRIM_THRESHOLD


def share() -> None:
    """Arrow takes memory from the system from now on: its own pool keeps what is freed."""
    pa.set_memory_pool(pa.system_memory_pool())


def keep() -> None:
    """What a block took is there for the next one: the system takes about a tenth of all time to clear the same megabytes for each anew."""
    share()
    setting = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None  # musl has none
    if setting is not None:
        for name, value in _SETTINGS.items():
            setting(name, value)


def let_go() -> None:
    """Gives the system what was freed; the C library keeps several times what adding up needs, in holes between what stays."""
    pa.system_memory_pool().release_unused()

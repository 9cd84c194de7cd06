"""Memory that several processes of one machine share: given back as soon as it is not needed."""

from __future__ import annotations

import pyarrow as pa


def share() -> None:
    """Arrow takes memory from the system from now on: its own pool keeps what is freed."""
    pa.set_memory_pool(pa.system_memory_pool())


def let_go() -> None:
    """Gives the system what was freed; the C library keeps several times what adding up needs, in holes between what stays."""
    pa.system_memory_pool().release_unused()

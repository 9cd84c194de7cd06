"""What the page works on."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from ..drafting.document import parse
from ..errors import RetrologError
from .logs import EventLog, NoLogs, asked
from .recount import Recount
from .sheet import sheet
from .store import Store


class Desk:
    """What the page works on: the document, and its logs when they are there."""

    def __init__(self, store: Store, logs: Sequence[str] = ()) -> None:
        self.store = store
        self._given = logs
        self._lock = threading.Lock()
        self._log: EventLog | None = None
        self._why = ""
        self.recount: Recount | None = None

    def log(self) -> EventLog:
        """The logs behind the document; raises NoLogs when they are not there."""
        with self._lock:
            if self._why:
                raise NoLogs(self._why)
            if self._log is None:
                text = self.store.read()
                try:
                    question = asked(parse(text), self.store.path.parent, self._given)
                    self._log = EventLog(question, sheet(text), text)
                except RetrologError as error:
                    self._why = str(error)
                    raise NoLogs(self._why) from error
                self.recount = Recount(question)
            return self._log

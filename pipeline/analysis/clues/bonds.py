"""Which rows tell of one and the same change, and when two names mean the same thing."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import pandas as pd

from ..traffic import SECOND
from .signs import records

#: Rows of one change (starting ..., ... is live) lie within this span.
ONE_CHANGE = 120 * SECOND
ANOTHER = 10 * SECOND

#: Programs that watch: what changes in them seldom breaks what they watch.
WATCHERS = re.compile(r"(?i)alertmanager|prometheus|grafana|zabbix|nagios|icinga|blackbox|exporter|telegraf|collectd|munin|netdata|uptime|filebeat|fluent|promtail|vector\b|logstash")


def known(value: Any) -> str | None:
    """The text of a value, None where it is missing in any of the ways a frame has."""
    return None if value is None or pd.isna(value) else str(value)


def changes(near: pd.DataFrame) -> list[pd.DataFrame]:
    """Rows that tell of one change, close together: the same writer and object, or what was changed speaking for itself.

    The latter joins a job that cron started to the error that the job then logs, and a configuration run to the reload
    it causes. Rows that name no object are joined by their process; the process of a daemon that manages others
    (systemd, the kernel) is no bond between rows that do name one.
    """
    groups: list[list[int]] = []
    last: dict[tuple[str, str], tuple[int, int]] = {}
    ended: dict[int, int] = {}  # by group: when what it tells of was done
    for index, row in zip(near.index.tolist(), records(near), strict=True):
        keys: list[tuple[str, str]] = []
        if known(row["subject"]):
            keys += [("subject", f"{row['who']}|{stem(row['subject'])}"), ("name", stem(row["subject"]))]
        else:
            keys.append(("group", str(row["group"])))
            if not pd.isna(row["pid"]):
                keys.append(("pid", f"{row['who']}|{row['pid']}|{row['host']}"))
        if ("name", stem(row["who"])) in last:
            keys.append(("name", stem(row["who"])))
        if row["kind"] in _ROLLED_OUT:
            # a tool writes a file and reloads the service, the service says so: one change, told by several writers
            keys.append(("rollout", row["where"]))
            if not known(row["subject"]):
                keys.append(("deploy", row["where"]))
        elif row["kind"] in ("deploy", "change"):
            keys.append(("deploy", row["where"]))
        if known(row["actor"]) and row["role"] == "action":
            # who edits a file and then loads it makes one change
            edit = ("edit", f"{row['where']}|{row['actor']}")
            if row["kind"] == "config" or (row["kind"] in _LOADING and edit in last):
                keys.append(edit)
        if row["role"] == "event":
            # several programs report one death: the kernel, the supervisor, the dead one's master
            keys.append(("death", f"{row['host']}|{int(row['time']) // (2 * SECOND)}|{row['kind'] in _DEATHS}"))
        at = next((last[k][0] for k in keys if k in last and int(row["time"]) - last[k][1] <= _REACH.get(k[0], ONE_CHANGE)), None)
        if at is not None and row["phase"] == "start" and int(row["time"]) - ended.get(at, int(row["time"])) > ANOTHER:
            at = None  # what begins long after the same thing was done is another change
        if at is None:
            at = len(groups)
            groups.append([])
        groups[at].append(index)
        if row["phase"] == "end":
            ended[at] = int(row["time"])
        for key in keys:
            last[key] = (at, int(row["time"]))
    return [near.loc[rows] for rows in groups]


_DEATHS = ("oom", "kill", "crash")
#: Kinds of which one brings about the next on the same host within seconds.
_ROLLED_OUT = ("config", "reload", "restart", "package", "scaling", "start", "stop")
_LOADING = ("reload", "restart")
_REACH = {"edit": 60 * SECOND, "rollout": 3 * SECOND, "deploy": 5 * SECOND}


@lru_cache(maxsize=10_000)
def stem(name: str) -> str:
    """A name as it is compared: `redis-server.service`, `redis@6379` and `/usr/bin/redis-server` are all `redis`."""
    text = str(name).lower().rstrip("/").rsplit("/", 1)[-1]
    text = re.sub(r"\.(service|socket|timer|scope|slice|target|log|conf|ya?ml|json|ini|toml|py|sh|jar)$", "", text)
    text = re.sub(r"-(?=[a-z0-9]*\d)[a-z0-9]{5,10}(?:-[a-z0-9]{5})?$", "", text)  # a replica set's and a pod's suffix
    text = re.sub(r"@.*$|[-_. ]v?\d[\w.]*$", "", text)
    short = re.sub(r"[-_](server|daemon|service|worker|agent|svc|app)$", "", text)
    return short if len(short) > 2 else text

"""What can go wrong in the simulator: the fault's own words, in the logs where they would stand.

Texts use `{app}`, `{version}`, `{old}`, `{path}`, `{pid}`, `{host}`. They are written from what such programs log in general
(systemd, kernel, PostgreSQL, haproxy, Ansible ...), and are not those of any recording that the analysis was tried on.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Said:
    """A line of a log: which log, who says it, what, and by what it is recognised."""

    log: str  # syslog, app, proxy
    tag: str
    text: str
    match: str
    severity: str = "info"


@dataclass(frozen=True, slots=True)
class Fault:
    """A way to fail: what sets it off, how users are failed, what is logged meanwhile, and what ends it."""

    name: str
    trigger: Said
    symptom: Said  # logged with a failed request
    resolution: Said
    status: int
    delay: tuple[float, float]  # seconds from the trigger to the first failure
    shapes: tuple[str, ...] = ("step",)
    partial: bool = False  # fails one endpoint only
    slow: float = 0.0  # seconds a failed request takes


FAULTS = (
    Fault(
        "release",
        Said("syslog", "ansible-playbook", "deployed {app} {version} (was {old})", r"deployed \S+ .*\(was "),
        Said("app", "web", "unhandled KeyError: 'tier' in view {path}", "unhandled KeyError", "error"),
        Said("syslog", "ansible-playbook", "rolled back {app} to {old}", "rolled back"),
        500,
        (1, 8),
        ("step", "flapping"),
        partial=True,
    ),
    Fault(
        "killed",
        Said(
            "syslog",
            "kernel",
            "Out of memory: Killed process {pid} ({app}) total-vm:9931220kB",
            "Out of memory: Killed",
        ),
        Said(
            "proxy",
            "",
            "connect() failed (111: Connection refused) while connecting to upstream",
            "Connection refused",
            "error",
        ),
        Said("syslog", "systemd", "Started {app}.service - application server.", r"Started \S+\.service"),
        502,
        (0, 1),
        ("step",),
    ),
    Fault(
        "failover",
        Said(
            "syslog",
            "patroni",
            "promoted self to leader by acquiring session lock",
            "promoted self to leader",
        ),
        Said(
            "app",
            "db",
            "could not execute query: cannot execute INSERT in a read-only transaction",
            "read-only transaction",
            "error",
        ),
        Said(
            "syslog",
            "patroni",
            "no action. I am the leader with the lock; clients reconnected",
            "clients reconnected",
        ),
        500,
        (0.5, 4),
        ("step", "flapping"),
        partial=True,
    ),
    Fault(
        "leak",
        Said("syslog", "systemd", "Reloaded {app}.service - application server.", r"Reloaded \S+\.service"),
        Said(
            "app",
            "pool",
            "no free connection in pool after 5 s (size 40)",
            "no free connection in pool",
            "error",
        ),
        Said(
            "syslog",
            "sudo",
            "ops : TTY=pts/1 ; PWD=/root ; USER=root ; COMMAND=/usr/bin/systemctl restart {app}",
            "COMMAND=.*restart",
        ),
        503,
        (5, 60),
        ("ramp",),
        slow=5.0,
    ),
    Fault(
        "disk",
        Said("syslog", "CRON", "(backup) CMD (/usr/local/bin/dump-all --to /srv/dumps)", "CMD .*dump-all"),
        Said(
            "app",
            "store",
            "cannot write upload: [Errno 28] No space left on device",
            "No space left on device",
            "error",
        ),
        Said(
            "syslog",
            "sudo",
            "ops : TTY=pts/0 ; PWD=/srv ; USER=root ; COMMAND=/usr/bin/rm -r /srv/dumps/old",
            "COMMAND=.*/rm",
        ),
        507,
        (10, 90),
        ("step", "flapping"),
        partial=True,
    ),
    Fault(
        "stall",
        Said(
            "syslog",
            "kernel",
            "nfs: server filer-2 not responding, still trying",
            "not responding, still trying",
        ),
        Said(
            "proxy",
            "",
            "upstream timed out (110: Connection timed out) while reading response header",
            "timed out",
            "error",
        ),
        Said("syslog", "kernel", "nfs: server filer-2 OK", "filer-2 OK"),
        504,
        (2, 15),
        ("stall", "step"),
        slow=20.0,
    ),
    Fault(
        "migration",
        Said("app", "migrate", "applying migration 0042_add_index (ALTER TABLE)", "applying migration"),
        Said("app", "db", "canceling statement due to lock timeout", "lock timeout", "error"),
        Said("app", "migrate", "migration 0042_add_index cancelled by operator", "migration .* cancelled"),
        503,
        (2, 10),
        ("ramp", "step"),
        slow=3.0,
    ),
)

#: A change that is real, once in a window, and to blame for nothing.
OTHER_CHANGE = Said("syslog", "ansible-playbook", "deployed docs 1.9.4 (was 1.9.3)", "deployed docs")

#: What goes on anyway, none of it to blame.
DECOYS = (
    Said("syslog", "CRON", "(root) CMD (command -v debian-sa1 > /dev/null && debian-sa1 1 1)", "debian-sa1"),
    Said("syslog", "systemd", "Starting logrotate.service - Rotate log files...", "logrotate"),
    Said(
        "syslog",
        "sshd",
        "Accepted publickey for ops from 192.0.2.9 port 50122 ssh2: ED25519 SHA256:x",
        "Accepted publickey",
    ),
    Said(
        "syslog",
        "sudo",
        "ops : TTY=pts/2 ; PWD=/home/ops ; USER=root ; COMMAND=/usr/bin/journalctl -n 50",
        "journalctl",
    ),
    Said("syslog", "chronyd", "Selected source 192.0.2.123", "Selected source"),
    Said("app", "jobs", "mail digest sent to 412 subscribers", "mail digest"),
)

#: Alerts and their end, as the monitors of that name write them.
ALERTS = (
    (
        Said(
            "syslog",
            "nagios",
            "SERVICE ALERT: web;HTTP;CRITICAL;HARD;3;HTTP CRITICAL: HTTP/1.1 {status}",
            ";CRITICAL;HARD",
        ),
        Said("syslog", "nagios", "SERVICE ALERT: web;HTTP;OK;HARD;3;HTTP OK: HTTP/1.1 200 OK", ";OK;HARD"),
    ),
    (
        Said(
            "syslog",
            "monit",
            "'{app}' failed protocol test [HTTP] at [app-3]:8080 -- HTTP error: status {status}",
            "failed protocol test",
        ),
        Said(
            "syslog", "monit", "'{app}' connection succeeded to [app-3]:8080 [TCP/IP]", "connection succeeded"
        ),
    ),
    (
        Said(
            "syslog",
            "haproxy",
            "Server {app}/app-3 is DOWN, reason: Layer7 wrong status, code: {status}",
            "is DOWN, reason",
        ),
        Said(
            "syslog",
            "haproxy",
            "Server {app}/app-3 is UP, reason: Layer7 check passed, code: 200",
            "is UP, reason",
        ),
    ),
)

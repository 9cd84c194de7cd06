"""Python: logging layouts, gunicorn, uvicorn, Flask, Django, Celery, loguru.

Columns: time, severity, service (the logger where the layout names one for certain), pid, message. Fields: logger (Flask's
module), process, caller; request columns where the message has `key=value`. Tracebacks
belong to their event.
References: docs.python.org/3/howto/logging.html, docs.gunicorn.org/en/stable/settings.html#logging,
flask.palletsprojects.com/logging, docs.celeryq.dev/en/stable/userguide/configuration.html#logging, loguru.readthedocs.io.
"""

from __future__ import annotations

from ..base import Format
from ..lazy import lazily
from ..shapes import ISO
from .platforms import close_headed

_LEVEL = r"(?P<level>TRACE|DEBUG|INFO|SUCCESS|WARNING|WARN|ERROR|CRITICAL|FATAL|debug|info|warning|error|critical)"
_NAME = r"(?P<service>[A-Za-z_][\w.-]*)"

FORMATS = (
    Format(
        name="gunicorn",
        title="Gunicorn error log",
        samples=(
            "[2026-11-23 10:40:29 +0100] [15151] [INFO] Starting gunicorn 27.0.1",
            "[2026-11-23 10:40:29 +0000] [7] [CRITICAL] WORKER TIMEOUT (pid:12)",
        ),
        reference="docs.gunicorn.org/en/stable/settings.html#logging",
        pattern=lazily(rf"(?s)\[(?P<time>{ISO})\] \[(?P<pid>\d+)\] \[{_LEVEL}\] ?(?P<message>.*)$"),
        priority=32,
        first="[",
    ),
    Format(
        name="celery",
        title="Celery worker",
        samples=(
            "[2026-11-23 10:40:29,123: INFO/MainProcess] celery@web-1 ready.",
            "[2026-11-23 10:40:29,123: ERROR/ForkPoolWorker-1] Task app.pay[5f] raised unexpected: OSError()",
        ),
        reference="docs.celeryq.dev/en/stable/userguide/configuration.html#worker-log-format",
        pattern=lazily(rf"(?s)\[(?P<time>{ISO}): {_LEVEL}/(?P<process>[^\]]+)\] ?(?P<message>.*)$"),
        priority=32,
        first="[",
    ),
    Format(
        name="flask",
        title="Flask default layout",
        samples=(
            "[2026-11-23 09:41:38,380] ERROR in app: Exception on /checkout [POST]",
            "[2026-11-23 09:41:38,380] INFO in worker: order placed order=1 request_id=ab12",
        ),
        reference="flask.palletsprojects.com/en/stable/logging",
        pattern=lazily(rf"(?s)\[(?P<time>{ISO})\] {_LEVEL} in (?P<logger>[\w.-]+): ?(?P<message>.*)$"),
        priority=32,
        first="[",
    ),
    Format(
        name="loguru",
        title="loguru",
        samples=(
            "2026-11-23 10:40:29.123 | INFO     | app.main:start:12 - ready",
            "2026-11-23 10:40:29.123 | ERROR    | __main__:<module>:7 - failed",
        ),
        reference="loguru.readthedocs.io/en/stable/api/logger.html",
        pattern=lazily(
            rf"(?s)(?P<time>{ISO}) +\| +{_LEVEL} *\| +(?P<caller>(?:__main__|(?P<service>[\w.<>-]+)):[\w.<>]+:\d+) - (?P<message>.*)$"
        ),
        priority=32,
        first="12",
    ),
    Format(
        name="python",
        title="Python logging, usual layouts",
        samples=(
            "2026-11-23 10:40:29,123 - app.db - WARNING - pool exhausted",
            "2026-11-23 10:43:02,712 INFO [shop] order placed order=20325 request_id=10946498",
            "2026-11-23 10:40:29,123 [INFO] app: ready",
            "2026-11-23 12:03:14,671 INFO Starting unattended upgrades script",
            "2026-11-23 10:40:29,123 app INFO ready",
        ),
        reference="docs.python.org/3/howto/logging.html",
        pattern=lazily(
            rf"(?s)(?P<time>{ISO})(?: - {_NAME} - (?P<level>[A-Z]+) - | \[(?P<level2>[A-Z]+)\s*\] (?:(?P<service2>[\w.-]+): )?| (?P<level3>DEBUG|"
            r"INFO|WARNING|ERROR|CRITICAL)\s+(?:\[(?P<service3>[\w.-]+)\] |(?!(?i:error|warning|note|exception|failed)\b)(?P<service4>[A-Za-z_][\w.-]*)(?::| -) |(?P<service6>[a-z_]\w*(?:\.[A-Za-z_]\w*)+) |(?P<service7>[a-z_]\w*):(?P<lineno>\d{1,5}):? |(?=\w))| (?P<service5>[a-z_][\w.-]*) (?P<level5>DEBUG|INFO|"
            r"WARNING|ERROR|CRITICAL):? )(?P<message>.*)$"
        ),
        priority=62,
        first="12",
    ),
    Format(
        name="uvicorn",
        title="uvicorn on a terminal (no time)",
        samples=('INFO:     192.0.2.1:5 - "GET /a?b=c HTTP/1.1" 200 OK', "INFO:     Started server process [7]", "ERROR:    Exception in ASGI application"),
        reference="uvicorn.org/settings/#logging; uvicorn/logging.py",
        pattern=lazily(
            r"(?s)(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL): {4,7}(?P<message>(?:(?P<client>[\w.:\[\]-]{2,60}):\d{1,5} - \"(?P<request>[^\"]{1,8000})\" (?P<status>\d{3})\b)?.*)$"
        ),
        close=close_headed,
        priority=84,
        first="IWEDC",
    ),
    Format(
        name="python_default",
        title="Python logging without a time (LEVEL:logger:message)",
        samples=("WARNING:root:disk is nearly full", "ERROR:app.db:lost connection", "INFO:werkzeug:Press CTRL+C to quit"),
        reference="docs.python.org/3/library/logging.html#logging.basicConfig",
        pattern=lazily(r"(?s)(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL):(?P<service>[\w.-]+):(?P<message>.*)$"),
        priority=85,
        first="DIWEC",
    ),
)

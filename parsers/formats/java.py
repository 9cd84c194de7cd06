"""Java: log4j and logback layouts, Spring Boot, java.util.logging in two rows, Tomcat (catalina), Cassandra, GC logs.

Columns: time, severity, service (the logger), pid, message. Fields: thread. Stack traces belong to their event. GC rows that
count from the start of the process have no time.
References: logging.apache.org/log4j/2.x/manual/pattern-layout.html, logback.qos.ch/manual/layouts.html,
docs.spring.io/spring-boot/reference/features/logging.html, docs.oracle.com SimpleFormatter, openjdk.org/jeps/158.
"""

from __future__ import annotations

from ..base import Event, Format
from ..columns import severity_of, take_trailing
from ..lazy import lazily
from ..shapes import CLOCK, ISO, MONTH
from ..timestamps import TimeContext

_LEVEL = r"(?P<level>TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|SEVERE|CONFIG|FINE|FINER|FINEST)"
_LEVEL2, _LEVEL3 = _LEVEL.replace("<level>", "<level2>"), _LEVEL.replace("<level>", "<level3>")
_DOTTED = r"[A-Za-z_$][\w$]*(?:\.[\w$]+)+"
_LOGGER = r"(?P<service>[A-Za-z_$][\w$.@/\[\]:-]*)"
_JUL = lazily(
    rf"(?s)(?P<time>{MONTH}[a-z]* \d{{1,2}}, \d{{4}},? \d{{1,2}}:\d\d:\d\d(?:[.,]\d{{1,9}})?(?:\s?[AP]M)?) (?P<service>[\w.$]+)(?: (?P<thread>[\w$<>]+))?$"
)
_JUL_LEVEL = lazily(r"(SEVERE|WARNING|INFO|CONFIG|FINE|FINER|FINEST): ?")


def close_jul(event: Event, context: TimeContext) -> None:
    """Takes level and text from the second row, where java.util.logging writes them."""
    del context
    rest = event.message.lstrip("\n")
    match = _JUL_LEVEL.match(rest)
    if match is not None:
        event.severity = severity_of(match[1])
        event.message = rest[match.end() :]
        take_trailing(event)


FORMATS = (
    Format(
        name="spring",
        title="Spring Boot",
        samples=(
            "2026-11-23 10:40:29.123  INFO 19872 --- [           main] o.s.b.w.e.tomcat.TomcatWebServer  : Tomcat started",
            "2026-11-23T10:40:29.123+01:00 ERROR 1 --- [shop] [nio-8080-exec-1] c.e.Checkout : boom",
        ),
        reference="docs.spring.io/spring-boot/reference/features/logging.html",
        pattern=lazily(
            rf"(?s)(?P<time>{ISO})\s+{_LEVEL}\s+(?P<pid>\d+) --- (?P<thread>(?:\[[^\]]*\] ?)+) ?{_LOGGER}\s*: ?(?P<message>.*)$"
        ),
        priority=30,
        first="12",
    ),
    Format(
        name="jul",
        title="java.util.logging, two rows an event",
        samples=(
            "Nov 23, 2026 10:40:29 AM org.apache.catalina.startup.Catalina start\nINFO: Server startup in 3 ms",
            "Nov 3, 2026 1:05:29 PM com.example.App main\nSEVERE: failed",
        ),
        reference="docs.oracle.com/en/java/javase/21/docs/api/java.logging/java/util/logging/SimpleFormatter.html",
        pattern=_JUL,
        close=close_jul,
        priority=29,
        first="JFMASOND",
    ),
    Format(
        name="tomcat",
        title="Tomcat (catalina.out, localhost.log)",
        samples=(
            "23-Nov-2026 10:40:29.123 INFO [main] org.apache.catalina.startup.Catalina.start Server startup in [3] ms",
            "23-Nov-2026 10:40:29.123 SEVERE [http-nio-8080-exec-1] org.apache.x.Y.z Servlet threw",
        ),
        reference="tomcat.apache.org/tomcat-10.1-doc/logging.html (OneLineFormatter)",
        pattern=lazily(
            rf"(?s)(?P<time>\d\d-{MONTH}-\d{{4}} {CLOCK}) {_LEVEL} \[(?P<thread>[^\]]*)\] {_LOGGER}(?: (?P<message>.*)|)$"
        ),
        priority=30,
        first="0123",
    ),
    Format(
        name="cassandra",
        title="Level, thread, then time (Cassandra and other log4j layouts)",
        samples=(
            "INFO  [main] 2026-11-23 10:40:29,123 StorageService.java:1234 - Node is up",
            "WARN [GossipStage:1] 2026-11-23 10:40:29,123 Gossiper.java (line 5) slow",
        ),
        reference="cassandra.apache.org/doc/latest/cassandra/troubleshooting/reading_logs.html",
        pattern=lazily(
            rf"(?s){_LEVEL}\s+\[(?P<thread>.{{1,120}}?)\] (?P<time>{ISO}) ?(?P<caller>[\w$]+\.java(?::\d+| \(line \d+\)))? ?(?:- )?(?P<message>.*)$"
        ),
        priority=40,
        first="TDIWEFSC",
    ),
    Format(
        name="log4j",
        title="log4j and logback with thread and logger",
        samples=(
            "2026-11-23 10:40:29,123 [main] INFO  com.example.App - started",
            "2026-11-23 10:40:29,123 INFO [main] org.apache.hadoop.mapreduce.v2.app.MRAppMaster: Created MRAppMaster",
            "2026-11-23 10:40:29,123 - WARN  [SendWorker:188978561024:QuorumCnxManager$SendWorker@679] - Interrupted",
            "17/06/09 20:10:40 INFO executor.CoarseGrainedExecutorBackend: Registered signal handlers",
        ),
        reference="logging.apache.org/log4j/2.x/manual/pattern-layout.html",
        pattern=lazily(
            rf"(?s)\[?(?P<time>{ISO}|\d\d/\d\d/\d\d {CLOCK})\]?(?: -)?(?:"
            rf" \[(?P<thread>[^\]]{{1,120}})\]\s+{_LEVEL}\s+(?:{_LOGGER}(?: -|:) )?"
            rf"|\s+{_LEVEL2}\s+\[(?P<thread2>[^\]]{{1,120}}(?:\][^\]\s]{{0,80}})?)\] (?:- |(?P<service2>{_DOTTED})(?::| -) )"
            rf"|\s+{_LEVEL3}\s+(?P<service3>{_DOTTED})(?: -|:) )(?P<message>.*)$"
        ),
        priority=60,
        first="[12",
    ),
    Format(
        name="kafka",
        title="Kafka and other layouts with the logger last",
        samples=(
            "[2026-11-23 10:40:29,123] INFO [KafkaServer id=0] started (kafka.server.KafkaServer)",
            "[2026-11-23 10:40:29,123] WARN Session expired (org.apache.zookeeper.ClientCnxn)",
        ),
        reference="github.com/apache/kafka, config/log4j.properties",
        pattern=lazily(rf"(?s)\[(?P<time>{ISO})\] {_LEVEL} {{1,4}}(?P<message>.*) \((?P<service>{_DOTTED})\)$"),
        priority=55,
        first="[",
    ),
    Format(
        name="elasticsearch",
        title="Elasticsearch and OpenSearch",
        samples=(
            "[2026-11-23T10:40:29,123][INFO ][o.e.n.Node               ] [node-1] started",
            "[2026-11-23T10:40:29,123][WARN ][o.e.m.j.JvmGcMonitorService] [node-1] [gc][123] overhead, spent [1.2s]",
        ),
        reference="elastic.co/guide/en/elasticsearch/reference/current/logging.html",
        pattern=lazily(
            rf"(?s)\[(?P<time>{ISO})\]\[{_LEVEL} *\]\[(?P<service>[^\]]+)\] (?:\[(?P<host>[^\]]+)\] ?)?(?P<message>.*)$"
        ),
        priority=33,
        first="[",
    ),
    Format(
        name="gc_dated",
        title="Java unified logging with the date",
        samples=(
            "[2026-11-23T10:40:29.123+0000][0.005s][info][gc] Using G1",
            "[2026-11-23T10:40:29.123+0000][1234ms][77][78][warning][gc,heap,exit ] Heap",
            "[2026-11-23T10:40:29.123+0000][debug][safepoint   ] Entering safepoint region",
        ),
        reference="openjdk.org/jeps/158; docs.oracle.com/en/java/javase/21/docs/specs/man/java.html (-Xlog)",
        pattern=lazily(
            rf"(?s)\[(?P<time>{ISO})\](?:\[(?P<uptime>[\d.]+[mn]?s)\])?(?:\[\d+\]){{0,2}}\[(?P<level>trace|debug|info|warning|error) *\]\[(?P<service>[a-z0-9,+_]+) *\] ?(?P<message>.*)$"
        ),
        priority=32,
        first="[",
    ),
    Format(
        name="gc",
        title="Java garbage collector, since the start of the process",
        samples=("[0.012s][info][gc] Using G1", "[12.345s][info][gc,start     ] GC(0) Pause Young", "12.345: [GC (Allocation Failure) 65536K->10720K(251392K), 0.01 secs]"),
        reference="openjdk.org/jeps/158",
        pattern=lazily(
            r"(?s)(?:\[(?P<uptime>\d+\.\d+)s\]\[(?P<level>[a-z]+) *\]\[(?P<service>[a-z0-9,]+) *\] ?|(?P<uptime_seconds>\d+\.\d{3}): (?=\[))"
            r"(?P<message>.*)$"
        ),
        priority=45,
        first="[0123456789",
    ),
)


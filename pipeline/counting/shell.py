"""Takes apart the shell commands that sudo, cron and their like write into logs."""

from __future__ import annotations

import re

_SEPARATOR = re.compile(r"\s*(?:&&|\|\||[;|\n]|(?<![<>&])&(?![>&]))\s*")
_REDIRECTION = re.compile(r"\s\d?(?:>>?|<)\s*(?:&\d|[^\s;|&]+)|\s&>>?\s*\S+")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_SHELL = re.compile(r"^(?:\S*/)?(?:ba|da|z|k|a)?sh\s+-\w*c\s+(?P<rest>\S.*)$", re.DOTALL)
_WRAPPER = re.compile(
    r"^(?:(?:\S*/)?(?:nohup|setsid|exec|time|chronic|command|ionice|nice|env|timeout|flock|sudo|doas|stdbuf|systemd-cat|cronitor)"
    r"(?=\s)(?:\s+(?:-\S+(?:\s+\d+)?|\d+[smh]?|\w+=\S*|/\S+\.lock))*|\w+=\S*)\s+(?=\S)"
)
_KEYWORD = re.compile(r"^(?:(?:if|then|else|elif|do|while|until|[!{(])\s+)+|\s*[)}]$")
_GUARD = re.compile(
    r"^(?:fi|done|esac|[})]|test|\[|cd|command -v|which|sleep|true|echo|date|umask|set|export|ulimit)(?=\s|$)"
)


def simple_commands(command: str) -> list[str]:
    """The simple commands of a shell line, each as `program arguments` with the program's folder left out."""
    command = command.strip()
    for _ in range(3):
        shell = _SHELL.match(command)
        if shell is None:
            break
        command = shell["rest"].strip("'\" ")
    # Separators inside quotes belong to the program (an SQL statement), not to the shell.
    inside: list[str] = []

    def keep(match: re.Match[str]) -> str:
        inside.append(match[0])
        return f"\0{len(inside) - 1}\0"

    parts: list[str] = []
    bare = _REDIRECTION.sub(" ", _QUOTED.sub(keep, command.replace("\0", "")))
    for part in _SEPARATOR.split(bare):
        part = re.sub(r"\0(\d+)\0", lambda mark: inside[int(mark[1])], part)
        part = _KEYWORD.sub("", part.strip())
        for _ in range(4):
            wrapper = _WRAPPER.match(part)
            if wrapper is None:
                break
            part = part[wrapper.end() :]
        if not part or _GUARD.match(part):
            continue
        called, space, arguments = part.partition(" ")
        name = called.rpartition("/")[2]
        if name:
            parts.append(name + space + arguments)
    return parts


def program(command: str) -> str | None:
    """The name of the first program that a shell line runs, without its folder."""
    parts = simple_commands(command)
    return parts[0].split(" ", 1)[0] if parts else None


_CLIENT = r"(?:\S*/)?(?:nc|ncat|netcat|telnet|socat|psql|mysql|mariadb|mongo|mongosh|redis-cli|sqlite3|clickhouse-client|cqlsh|sqlplus|rabbitmqctl)(?=\s|$)"
_FED = re.compile(
    rf"(?:^|[|;&]\s*)(?:(?:echo|printf)\s+(?:-\w+\s+)*(?P<said>.*?)|cat\s+\S+)\s*\|\s*{_CLIENT}|(?:^|[|;&]\s*){_CLIENT}[^|;&]*?(?:<<?<?\s*\S|\s-f\s*\S)", re.DOTALL
)
#: What asks and does not alter, as a protocol's first word.
_ASKS = re.compile(r"(?i)[\"'$]*\s*(?:stats?|info|show|status|version|ping|mntr|ruok|srvr|cons|get|select|explain|help|quit|GET |HEAD )")


def is_fed(command: str) -> bool:
    """Whether a shell line gives a client words to say to its server, other than ones that only ask."""
    found = _FED.search(command)
    return found is not None and not (found["said"] and _ASKS.match(found["said"]))

"""`retrolog.toml`: what a directory of logs needs to be read right, written down once beside it.

Options beat the file, the file beats the defaults. The file is searched from the log directory upward, so it may come
with logs that somebody else sent: what it says is data. Only a file named with --config may therefore choose a template
by path, unmask, or make other files and repositories be read. `docs/configuration.md` lists every key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import BadOption
from .reading.rules import SourceRule

if TYPE_CHECKING:
    from ..parsers.base import Format
    from .options import Options

#: The name that is searched for.
NAME = "retrolog.toml"
#: Every key, by table; "" is the top of the file.
KEYS: Mapping[str, tuple[str, ...]] = {
    "": ("read", "source", "format", "grok", "draft"),
    "[read]": ("tz", "year", "include", "exclude"),
    "[[source]]": ("glob", "tz", "year", "host", "service", "clock_offset", "clock_set"),
    "[[format]]": ("name", "title", "pattern", "grok", "samples", "severity", "time_format", "priority"),
    "[grok]": ("files", "patterns"),
    "[draft]": ("style", "slo", "max_entries", "no_mask", "lexicon", "changes", "git"),
}


@dataclass(frozen=True, slots=True)
class Config:
    """What a configuration file says; a default one says nothing."""

    path: Path | None = None
    zone: str | None = None
    year: int | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    rules: tuple[SourceRule, ...] = ()
    formats: tuple[Format, ...] = ()
    draft: Mapping[str, Any] | None = None

    def setting(self, key: str, default: Any = None) -> Any:
        """A value of the [draft] table."""
        return (self.draft or {}).get(key, default)

    def applied(self, options: Options, given: Sequence[str] = ()) -> Options:
        """The options with what the file adds; `given` are names of options on the command line, which stay as they are.

        The zone and the window are settled before, since bounds are read in the zone.
        """
        if self.path is None:
            return options
        return replace(
            options,
            zone_from=options.zone_from if "zone" in given or not self.zone else self.path.name,
            year=options.year if "year" in given else self.year,
            include=options.include or self.include,
            exclude=(*(options.exclude or self.exclude), self.path.name),
            offsets=(*((r.glob, r.clock_offset) for r in self.rules if r.clock_offset is not None), *options.offsets),
            set_offsets=(*self._set(options), *options.set_offsets),
            rules=tuple(self._left(rule, given) for rule in self.rules),
            formats=self.formats,
        )

    def _set(self, options: Options) -> tuple[tuple[str, float, int], ...]:
        """From which stamps on clocks are how far ahead, by glob."""
        from .options import set_offsets

        return set_offsets(tuple(f"{rule.glob}={text}" for rule in self.rules for text in rule.clock_set), options)

    def _left(self, rule: SourceRule, given: Sequence[str]) -> SourceRule:
        """What options leave of a rule."""
        return replace(
            rule, zone=None if "zone" in given else rule.zone, year=None if "year" in given else rule.year
        )


def find(paths: Sequence[str]) -> Path | None:
    """The nearest `retrolog.toml` in the folder of the first path that is on this machine, or in a folder above it."""
    for path in paths:
        here = Path(path)
        if path == "-" or "://" in path or not here.exists():
            continue
        start = here.resolve()
        for folder in (start, *start.parents) if start.is_dir() else start.parents:
            if (folder / NAME).is_file():
                return folder / NAME
        return None
    return None


def load(stated: Path | None, paths: Sequence[str] = ()) -> Config:
    """The configuration named with --config, else the one found from the logs upward, else an empty one.

    Raises BadOption with one sentence for a file that cannot be read, an unknown key, or a value of the wrong kind.
    """
    path = stated or find(paths)
    if path is None:
        return Config()
    import tomllib

    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadOption(f"the configuration {path} cannot be read ({error.strerror}); name an existing file with --config") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadOption(f"the configuration {path} is no TOML ({error}); see docs/configuration.md") from error
    except RecursionError as error:
        raise BadOption(f"the configuration {path} is nested too deep; see docs/configuration.md") from error
    return read(table, path, trusted=stated is not None)


def read(table: Mapping[str, Any], path: Path, trusted: bool = True) -> Config:
    """The configuration that a parsed TOML table says; `trusted` is one that the user named, not one that was found."""
    top = _Table(table, path, "")
    reading = _Table(top.table("read"), path, "[read]")
    zone = reading.text("tz")
    if zone is not None:
        _zone(zone, reading)
    return Config(
        path=path,
        zone=zone,
        year=reading.integer("year", 1970, 9999),
        include=reading.texts("include"),
        exclude=reading.texts("exclude"),
        rules=tuple(_rule(row, path) for row in top.rows("source")),
        formats=_formats(top, path, trusted),
        draft=_draft(top.table("draft"), path, trusted),
    )


def _rule(row: Mapping[str, Any], path: Path) -> SourceRule:
    source = _Table(row, path, "[[source]]")
    glob = source.text("glob")
    if not glob:
        raise source.wrong("needs a `glob` that says which logs it is for, such as glob = \"db-1/*\"")
    name = source.text("tz")
    return SourceRule(
        glob=glob,
        zone=None if name is None else _zone(name, source),
        zone_name=name or "",
        year=source.integer("year", 1970, 9999),
        host=source.text("host"),
        service=source.text("service"),
        clock_offset=source.number("clock_offset"),
        clock_set=_moments(source),
        path=path,
    )


def _moments(source: _Table) -> tuple[str, ...]:
    texts = source.texts("clock_set")
    for text in texts:
        if not re.fullmatch(r"[+-]?\d+(?:\.\d+)?@.*\S.*", text):
            raise source.wrong(f"has a `clock_set` that is no SECONDS@TIME: {text!r}, such as \"0@2026-11-23 10:31:07\"")
    return texts


def _zone(name: str, table: _Table) -> tzinfo:
    from .window import read_zone

    try:
        return read_zone(name)
    except BadOption as error:
        raise table.wrong(f"has a `tz` that cannot be used: {error}") from error


def _formats(top: _Table, path: Path, trusted: bool) -> tuple[Format, ...]:
    rows = top.rows("format")
    grok = _Table(top.table("grok"), path, "[grok]")
    if not rows:
        return ()
    from ..parsers.custom import PRIORITY, own_format
    from ..parsers.grok import PatternError

    pieces = _pieces(grok, path, trusted)
    formats: list[Format] = []
    for row in rows:
        table = _Table(row, path, "[[format]]")
        name = table.text("name") or ""
        table = replace(table, about=repr(name))
        if not (name.isascii() and name.isidentifier()):
            raise table.wrong("needs a `name` of letters, digits and underscores")
        if name in (form.name for form in formats):
            raise table.wrong("is declared twice; give one of them another name")
        try:
            formats.append(
                own_format(
                    name,
                    table.text("pattern"),
                    table.text("grok"),
                    title=table.text("title") or "",
                    samples=table.texts("samples"),
                    severity=table.words("severity"),
                    time_format=table.text("time_format"),
                    priority=table.integer("priority", 1, 99) or PRIORITY,
                    patterns=pieces,
                    reference=path.name,
                )
            )
        except PatternError as error:
            raise table.wrong(f"cannot be used: {error}") from error
    return tuple(formats)


def _pieces(grok: _Table, path: Path, trusted: bool) -> dict[str, str]:
    """Grok patterns by name: from files beside the configuration, then those written in it."""
    from ..parsers.grok import PatternError, read_definitions

    found: dict[str, str] = {}
    for name in grok.texts("files"):
        place = path.parent / name
        if not trusted and not place.resolve().is_relative_to(path.parent.resolve()):
            raise grok.wrong(f"names the pattern file {place} outside its folder; add --config {path} if you trust it")
        try:
            with place.open(encoding="utf-8") as lines:
                found |= read_definitions(lines)
        except OSError as error:
            raise grok.wrong(f"names the pattern file {place}, which cannot be read ({error.strerror})") from error
        except (UnicodeDecodeError, PatternError) as error:
            raise grok.wrong(f"names {place}, which is no file of grok patterns: {error}") from error
    return found | grok.words("patterns")


def _draft(table: Mapping[str, Any], path: Path, trusted: bool) -> dict[str, Any]:
    draft = _Table(table, path, "[draft]")
    slo = draft.number("slo")
    if slo is not None and not 0 < slo < 100:
        raise draft.wrong(f"has an `slo` of {slo:g}; give a percentage between 0 and 100, such as 99.9")
    said: dict[str, Any] = {
        "style": draft.text("style"),
        "slo": slo,
        "max_entries": draft.integer("max_entries", 5, 200),
        "no_mask": draft.flag("no_mask"),
        "lexicon": _beside(draft.text("lexicon"), path),
        "changes": tuple(_beside(name, path) for name in draft.texts("changes")),
        "git": tuple(_beside(name, path) for name in draft.texts("git")),
    }
    style = said["style"]
    if style is not None and ("/" in style or style.endswith(".j2")):
        said["style"] = str(_beside(style, path))
    if not trusted:
        reaching = [key for key in ("no_mask", "lexicon", "changes", "git") if said[key]]
        if style is not None and style != said["style"]:
            reaching.append("style")
        if reaching:
            raise draft.wrong(
                f"sets `{reaching[0]}`, which is only taken from a file that you name; add --config {path} if you trust it"
            )
    return {key: value for key, value in said.items() if value not in (None, ())}


def _beside(name: str | None, path: Path) -> Path | None:
    return None if name is None else path.parent / name


@dataclass(frozen=True, slots=True)
class _Table:
    """A TOML table whose values are asked for by kind; what is wrong is said with the file and the table."""

    values: Mapping[str, Any]
    path: Path
    title: str
    about: str = ""  # which of several such tables

    def __post_init__(self) -> None:
        keys = KEYS[self.title]
        for key in self.values:
            if key not in keys:
                import difflib

                near = difflib.get_close_matches(key, keys, 1)
                hint = f"did you mean `{near[0]}`?" if near else f"it knows {', '.join(keys)}"
                raise self.wrong(f"has the unknown key `{key}`; {hint}")

    def wrong(self, what: str) -> BadOption:
        return BadOption(" ".join(part for part in (f"{self.path}:", self.title, self.about, what) if part))

    def _value(self, key: str, kinds: type | tuple[type, ...], what: str) -> Any:
        value = self.values.get(key)
        if value is not None and (not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool)):
            raise self.wrong(f"has a `{key}` that is no {what}: {value!r}")
        return value

    def text(self, key: str) -> str | None:
        value: str | None = self._value(key, str, "text")
        return value

    def flag(self, key: str) -> bool | None:
        value: bool | None = self._value(key, bool, "true or false")
        return value

    def number(self, key: str) -> float | None:
        value = self._value(key, (int, float), "number")
        return None if value is None else float(value)

    def integer(self, key: str, least: int, most: int) -> int | None:
        value: int | None = self._value(key, int, "whole number")
        if value is not None and not least <= value <= most:
            raise self.wrong(f"has a `{key}` of {value}; give one from {least} to {most}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._value(key, (str, list), "text or list of texts")
        texts = [value] if isinstance(value, str) else value or []
        if not all(isinstance(text, str) for text in texts):
            raise self.wrong(f"has a `{key}` that is no list of texts: {value!r}")
        return tuple(texts)

    def words(self, key: str) -> dict[str, str]:
        value = self._value(key, dict, "table of texts") or {}
        if not all(isinstance(text, str) for text in value.values()):
            raise self.wrong(f"has a `{key}` that is no table of texts: {value!r}")
        return dict(value)

    def table(self, key: str) -> Mapping[str, Any]:
        value: Mapping[str, Any] = self._value(key, dict, f"table [{key}]") or {}
        return value

    def rows(self, key: str) -> list[Mapping[str, Any]]:
        rows = self._value(key, list, f"list of tables [[{key}]]") or []
        if not all(isinstance(row, Mapping) for row in rows):
            raise self.wrong(f"has a `{key}` that is no list of tables [[{key}]]")
        return list(rows)

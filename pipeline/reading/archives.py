"""Lists what is inside an archive (tar, zip, 7z), as steps that `containers` can open."""

from __future__ import annotations

import calendar
import importlib.util
import os
import struct
import tarfile
import zipfile
from collections.abc import Iterator

from .containers import open_slice
from .slices import Member, Slice, Step
from .unpack import ReadNote


def members(path: str, steps: tuple[Step, ...], kind: str, notes: list[ReadNote]) -> Iterator[Member]:
    """Yield the files of an archive in stored order; damage ends the list with a note instead of an error."""
    if kind == "7z":
        from .sevenzip import members_7z

        with open_slice(path, steps[:-1], notes) as packed:
            yield from members_7z(packed, steps, notes)
        return
    with open_slice(path, steps, notes) as place:
        yield from _tar(place, steps, notes) if kind == "tar" else _zip(place, steps, notes)


class _TarView(Slice):
    """The archive as `tarfile` sees it: a header that asks for absurd amounts of memory gets the end of file."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0 or size > 1 << 24:
            raise tarfile.ReadError("a header is too large")
        return super().read(size)


def _tar(place: Slice, steps: tuple[Step, ...], notes: list[ReadNote]) -> Iterator[Member]:
    view = _TarView(os.dup(place.fileno()), place.start, place.size)
    with view:
        try:
            with tarfile.open(fileobj=view, mode="r:", errors="surrogateescape") as archive:
                for info in archive:
                    yield from _tar_member(info, steps, place, notes)
        except (tarfile.TarError, ValueError, OSError, EOFError, OverflowError, struct.error) as error:
            # tarfile checks that a member's last byte is there when it goes on to the next one.
            if not notes:  # what is wrong with the wrapper around it is said already
                notes.append(ReadNote("truncated", f"the tar archive is damaged or ends early ({error})"))


def _tar_member(
    info: tarfile.TarInfo, steps: tuple[Step, ...], place: Slice, notes: list[ReadNote]
) -> Iterator[Member]:
    if info.isdir():
        return
    if info.issym() or info.islnk():
        yield Member(info.name, skip="a link inside the archive; the file it names is read where it stands")
    elif info.issparse():
        yield Member(info.name, skip="a sparse file inside a tar archive; unpack the archive first")
    elif not info.isfile():
        yield Member(info.name, skip="no regular file (a device or a pipe inside the archive)")
    else:
        missing = info.offset_data + info.size - place.size
        if missing > 0 and not notes:
            notes.append(
                ReadNote("truncated", f"the tar archive ends {missing:,} bytes before {info.name} does")
            )
        step = Step("tar", info.name, info.offset_data, info.size)
        mtime = int(info.mtime * 1_000_000) or None
        yield Member(info.name, (*steps, step), max(0, info.size - max(0, missing)), mtime)


#: Compression methods of zip entries that can be read (APPNOTE.TXT, 4.4.5).
_ZIP_METHODS = {0: None, 8: "deflate", 9: "deflate64", 12: "bzip2", 14: "lzma", 20: "zstd", 93: "zstd", 95: "xz"}


def _zip(place: Slice, steps: tuple[Step, ...], notes: list[ReadNote]) -> Iterator[Member]:
    try:
        with zipfile.ZipFile(place) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError, struct.error) as error:
        notes.append(ReadNote("corrupt", f"the zip archive's directory cannot be read ({error})"))
        return
    for info in infos:
        if info.is_dir():
            continue
        if info.flag_bits & 1:
            yield Member(info.filename, skip="encrypted; unpack it first with its password")
            continue
        if info.compress_type not in _ZIP_METHODS:
            method = zipfile.compressor_names.get(info.compress_type, str(info.compress_type))  # type: ignore[attr-defined]
            yield Member(info.filename, skip=f"packed by a zip method that is not read ({method})")
            continue
        if info.compress_type == 9 and importlib.util.find_spec("inflate64") is None:
            yield Member(info.filename, skip="packed by deflate64, which needs inflate64: pip install 'retrolog[7z]'")
            continue
        start = _zip_data(place, info.header_offset)
        if start is None:
            yield Member(info.filename, skip="its header inside the zip archive is damaged")
            continue
        chain = (*steps, Step("zip", info.filename, start, info.compress_size))
        codec = _ZIP_METHODS[info.compress_type]
        if codec:
            chain = (*chain, Step(codec))
        yield Member(info.filename, chain, info.compress_size, _zip_time(info))


def _zip_data(place: Slice, header: int) -> int | None:
    """Where an entry's data begins: after its local header, whose name and extra field have their own lengths."""
    local = place.pread(header, 30)
    if len(local) < 30 or local[:4] != b"PK\x03\x04":
        return None
    name, extra = struct.unpack_from("<HH", local, 26)
    return header + 30 + int(name) + int(extra)


def _zip_time(info: zipfile.ZipInfo) -> int | None:
    """The entry's time: the extended timestamp where there is one (UTC), else the DOS time taken as UTC."""
    extra = info.extra
    while len(extra) >= 4:
        tag, length = struct.unpack_from("<HH", extra)
        if tag == 0x5455 and length >= 5 and len(extra) >= 9 and extra[4] & 1:
            seconds: int = struct.unpack_from("<i", extra, 5)[0]
            return seconds * 1_000_000
        extra = extra[4 + length :]
    try:
        stamp = calendar.timegm((*info.date_time, 0, 0, 0))
    except (ValueError, OverflowError):
        return None
    return stamp * 1_000_000 if info.date_time > (1980, 1, 1, 0, 0, 0) else None


def printable_member(name: str) -> str:
    """A member's name as a relative POSIX path of printable Unicode: no drive, no leading slash, no `..`."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    parts = [part for part in text.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return "/".join(parts) or "unnamed"

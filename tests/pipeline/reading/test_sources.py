"""Every file behind the given paths is found once, named by the contract, or skipped with a reason."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import shutil
import socket
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrolog.pipeline.errors import NothingToRead
from retrolog.pipeline.reading import decoders, sources, unpack
from retrolog.pipeline.reading.logfile import LogFile
from retrolog.pipeline.reading.read import read_blocks
from retrolog.pipeline.reading.sources import Discovery, discover

LINE = b"2026-11-23 10:00:00 something happened\n"


def fill(folder: Path, names: dict[str, bytes]) -> Path:
    for name, data in names.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def names(found: Discovery) -> list[str]:
    return [file.file for file in found.files]


def reasons(found: Discovery) -> dict[str, str]:
    return {skip.file: skip.reason for skip in found.skipped}


def text_of(file: LogFile) -> bytes:
    return b"".join(block.data for block in read_blocks(file))


def tar_of(members: dict[str, bytes], mode: str = "w:gz") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), 1_600_000_000
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zip_of(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2021, 5, 4, 3, 2, 2)), data)
    return out.getvalue()


# Names.


def test_names_are_relative_to_the_directory_given(tmp_path: Path) -> None:
    fill(tmp_path, {"nginx/access.log": LINE, "nginx/access.log.1": LINE, "syslog.2.gz": gzip.compress(LINE)})
    assert names(discover([tmp_path])) == ["nginx/access.log.1", "nginx/access.log", "syslog.2.gz"]
    assert names(discover([str(tmp_path) + "/"])) == ["nginx/access.log.1", "nginx/access.log", "syslog.2.gz"]


def test_a_file_given_by_itself_has_its_name_alone(tmp_path: Path) -> None:
    fill(tmp_path, {"deep/er/app.log": LINE})
    assert names(discover([tmp_path / "deep/er/app.log"])) == ["app.log"]


def test_names_do_not_depend_on_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, {"logs/app.log": LINE})
    monkeypatch.chdir(tmp_path)
    assert names(discover(["logs"])) == names(discover(["./logs"])) == ["app.log"]
    monkeypatch.chdir(tmp_path / "logs")
    assert names(discover(["."])) == ["app.log"]


def test_clashing_names_of_several_directories_stay_distinct(tmp_path: Path) -> None:
    fill(tmp_path, {"web1/syslog": LINE, "web2/syslog": LINE, "web2/only.log": LINE})
    assert names(discover([tmp_path / "web1", tmp_path / "web2"])) == [
        "only.log",
        "web1/syslog",
        "web2/syslog",
    ]


def test_clashing_directories_of_one_name_take_more_of_the_path(tmp_path: Path) -> None:
    fill(tmp_path, {"a/log/syslog": LINE, "b/log/syslog": LINE})
    assert names(discover([tmp_path / "a/log", tmp_path / "b/log"])) == ["a/log/syslog", "b/log/syslog"]
    assert names(discover([tmp_path / "a/log/syslog", tmp_path / "b/log/syslog"])) == [
        "a/log/syslog",
        "b/log/syslog",
    ]


def test_members_of_archives(tmp_path: Path) -> None:
    inner = tar_of({"var/log/syslog": LINE, "./var/log/syslog.1.gz": gzip.compress(LINE)})
    fill(tmp_path, {"bundle.zip": zip_of({"host/logs.tar.gz": inner, "host/app.log": LINE}), "x.tgz": inner})
    found = discover([tmp_path])
    assert {(file.file, file.container) for file in found.files} == {
        ("bundle.zip/host/app.log", "zip"),
        ("bundle.zip/host/logs.tar.gz/var/log/syslog", "zip/tar.gz"),
        ("bundle.zip/host/logs.tar.gz/var/log/syslog.1.gz", "zip/tar.gz/gzip"),
        ("x.tgz/var/log/syslog", "tar.gz"),
        ("x.tgz/var/log/syslog.1.gz", "tar.gz/gzip"),
    }
    assert {text_of(file) for file in found.files} == {LINE}


@pytest.mark.parametrize(
    ("member", "name"),
    [
        ("../../etc/passwd", "etc/passwd"),
        ("/var/log/x", "var/log/x"),
        ("C:\\logs\\x.log", "C:/logs/x.log"),
        ("a/./b//c", "a/b/c"),
        ("..", "unnamed"),
    ],
)
def test_hostile_member_names_stay_inside_the_archive(tmp_path: Path, member: str, name: str) -> None:
    fill(tmp_path, {"a.tar": tar_of({member: LINE}, "w")})
    assert names(discover([tmp_path])) == [f"a.tar/{name}"]


def test_a_member_stored_twice_is_two_files(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for text in (b"old\n", b"new\n"):
            info = tarfile.TarInfo("x.log")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text))
    fill(tmp_path, {"a.tar": out.getvalue()})
    found = discover([tmp_path])
    assert {file.file: text_of(file) for file in found.files} == {
        "a.tar/x.log": b"old\n",
        "a.tar/x.log#2": b"new\n",
    }


def test_names_that_are_no_unicode_can_be_written(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/caf\xe9.log", "wb") as file:
        file.write(LINE)
    (found,) = discover([tmp_path]).files
    assert found.file.encode() == b"caf\\xe9.log"
    assert text_of(found) == LINE


# What is skipped, and why.


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"SQLite format 3\0" + bytes(100), "SQLite"),
        (b"\x7fELF\x02\x01\x01" + bytes(200), "program"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "image"),
        (bytes(range(256)) * 40, "binary"),
        (b"\x06\0\0\0tty1" + bytes(370), "binary"),
        (bytes(20_000), "NUL"),
        (os.urandom(8192).replace(b"\x1f\x8b", b"__"), "binary"),
    ],
)
def test_binaries_are_skipped_and_named(tmp_path: Path, data: bytes, says: str) -> None:
    fill(tmp_path, {"odd.bin": data, "app.log": LINE})
    found = discover([tmp_path])
    assert names(found) == ["app.log"]
    assert says in reasons(found)["odd.bin"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        "10:00 größe überall für Ärger\n".encode("latin-1") * 50,
        "2026-11-23 ошибка соединения с базой данных\n".encode("cp1251") * 50,
        "2026-11-23 接続エラー\n".encode("shift-jis") * 50,
        b"\x1b[31merror\x1b[0m colours\n" * 50,
        b"GET \x16\x03\x01\x02\0\x01 400\n" + LINE * 20,
        b"\0" * 100_000 + LINE * 3,
        b"MZ is how this line begins\n",
        b"\x1f\x8bno gzip at all\n",
        b"BZh9 is no bzip2\n",
        b"PK is no zip\n",
    ],
)
def test_odd_texts_are_not_taken_for_binaries(tmp_path: Path, data: bytes) -> None:
    fill(tmp_path, {"app.log": data})
    assert names(discover([tmp_path])) == ["app.log"]


def test_empty_files_are_kept(tmp_path: Path) -> None:
    fill(tmp_path, {"empty.log": b"", "packed.gz": gzip.compress(b"")})
    found = discover([tmp_path])
    assert names(found) == ["empty.log", "packed.gz"]
    assert [text_of(file) for file in found.files] == [b"", b""]


def test_pipes_sockets_and_devices_are_not_opened(tmp_path: Path) -> None:
    fill(tmp_path, {"app.log": LINE})
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "null").symlink_to("/dev/null")
    here = os.open(tmp_path, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(f"/proc/self/fd/{here}/sock")
        found = discover([tmp_path])
    os.close(here)
    assert names(found) == ["app.log"]
    assert {name: reason.split(",")[0] for name, reason in reasons(found).items()} == {
        "pipe": "a named pipe",
        "null": "a device",
        "sock": "a socket",
    }


def test_links_are_followed_once_and_circles_end(tmp_path: Path) -> None:
    fill(tmp_path, {"logs/app-2026-11-23.log": LINE, "elsewhere/pod.log": LINE, "elsewhere/more/x.log": LINE})
    (tmp_path / "logs/current.log").symlink_to("app-2026-11-23.log")
    (tmp_path / "logs/pod.log").symlink_to(tmp_path / "elsewhere/pod.log")
    (tmp_path / "logs/loop").symlink_to(tmp_path / "logs")
    (tmp_path / "logs/more").symlink_to(tmp_path / "elsewhere/more")
    (tmp_path / "logs/self").symlink_to("self")
    (tmp_path / "logs/gone").symlink_to("nowhere")
    found = discover([tmp_path / "logs"])
    assert names(found) == ["app-2026-11-23.log", "more/x.log", "pod.log"]
    assert set(reasons(found)) == {"current.log", "loop", "self", "gone"}
    assert "app-2026-11-23.log" in reasons(found)["current.log"]
    assert "circle" in reasons(found)["self"]


def test_overlapping_paths_are_read_once(tmp_path: Path) -> None:
    fill(tmp_path, {"a/x.log": LINE})
    found = discover([tmp_path, tmp_path / "a", tmp_path / "a/x.log"])
    assert names(found) == ["a/x.log"]
    assert "same file" in reasons(found)["x.log"]


def test_what_may_not_be_read_never_stops_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, {"app.log": LINE, "secret.log": LINE, "closed/x.log": LINE})
    real_open, real_scan = os.open, os.scandir

    def no_open(path: str, *more: int) -> int:
        if "secret" in str(path):
            raise PermissionError(13, "Permission denied")
        return real_open(path, *more)

    def no_scan(path: str) -> object:
        if "closed" in str(path):
            raise PermissionError(13, "Permission denied")
        return real_scan(path)

    monkeypatch.setattr(os, "open", no_open)
    monkeypatch.setattr(os, "scandir", no_scan)
    found = discover([tmp_path, tmp_path / "missing"])
    assert names(found) == ["app.log"]
    assert set(reasons(found)) == {"secret.log", "closed", "missing"}
    assert "permission denied" in reasons(found)["secret.log"]
    assert "no such file" in reasons(found)["missing"]


def test_damaged_archives_give_what_they_can(tmp_path: Path) -> None:
    whole = tar_of({f"log{n}": LINE * 5000 for n in range(5)}, "w")
    cut = whole[: len(whole) * 2 // 3]
    fill(
        tmp_path, {"a.tar": cut, "b.tar.gz": gzip.compress(whole)[:-600], "c.zip": zip_of({"x": LINE})[:-30]}
    )
    found = discover([tmp_path])
    assert {"a.tar/log0", "a.tar/log1", "a.tar/log2", "b.tar.gz/log0"} <= set(names(found))
    assert set(reasons(found)) == {"a.tar", "b.tar.gz", "c.zip"}
    assert text_of(found.files[0]) == LINE * 5000


def test_links_and_encrypted_members_are_named(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        link = tarfile.TarInfo("current")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        folder = tarfile.TarInfo("empty")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
    locked = bytearray(zip_of({"x.log": LINE}))
    for at in (locked.index(b"PK\x03\x04") + 6, locked.index(b"PK\x01\x02") + 8):
        locked[at] |= 1
    fill(tmp_path, {"a.tar": out.getvalue(), "b.zip": bytes(locked), "c.log": LINE})
    found = discover([tmp_path])
    assert names(found) == ["c.log"]
    assert "link" in reasons(found)["a.tar/current"]
    assert "password" in reasons(found)["b.zip/x.log"]


def test_wrappers_without_end_are_refused(tmp_path: Path) -> None:
    data = LINE
    for _ in range(decoders.LIMITS.depth + 1):
        data = gzip.compress(data)
    fill(tmp_path, {"deep.gz": data, "app.log": LINE})
    found = discover([tmp_path])
    assert names(found) == ["app.log"]
    assert "deep" in reasons(found)["deep.gz"]


def test_archives_of_too_many_files_are_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "LIMITS", decoders.Limits(members=10))
    fill(tmp_path, {"many.tar": tar_of({f"{n:02}.x": LINE for n in range(30)}, "w")})
    found = discover([tmp_path])
    assert len(found.files) == 10
    assert "more than 10" in reasons(found)["many.tar"]


# Nothing to read.


@pytest.mark.parametrize("kind", ["missing", "empty folder", "binary only", "patterns", "no path"])
def test_nothing_to_read_is_one_clear_sentence(tmp_path: Path, kind: str) -> None:
    paths, include = [tmp_path / "logs"], []
    if kind != "missing":
        paths[0].mkdir()
    if kind == "binary only":
        fill(paths[0], {"x.db": b"SQLite format 3\0" + bytes(99)})
    if kind == "patterns":
        fill(paths[0], {"x.log": LINE})
        include = ["*.gz"]
    with pytest.raises(NothingToRead) as caught:
        discover([] if kind == "no path" else paths, include=include)
    text = str(caught.value)
    expected = {
        "missing": "no such file",
        "empty folder": "no file in",
        "binary only": "SQLite",
        "patterns": "patterns",
        "no path": "No path",
    }
    assert expected[kind] in text
    assert text.endswith(".")
    assert "\n" not in text


# Include and exclude.


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        (["*.log"], [], ["app/x.log", "nginx/access.log"]),
        (["nginx"], [], ["nginx/access.log", "nginx/access.log.1"]),
        (["nginx/"], ["*.1"], ["nginx/access.log"]),
        (["nginx/*.log"], [], ["nginx/access.log"]),
        ([], ["nginx", "*.tgz"], ["app/x.log"]),
        (["b.tgz"], [], ["b.tgz/sys.log.2"]),
        (["sys*"], [], ["b.tgz/sys.log.2"]),
        (["**/access*"], [], ["nginx/access.log", "nginx/access.log.1"]),
    ],
)
def test_patterns(tmp_path: Path, include: list[str], exclude: list[str], expected: list[str]) -> None:
    fill(
        tmp_path,
        {
            "nginx/access.log": LINE,
            "nginx/access.log.1": LINE,
            "app/x.log": LINE,
            "b.tgz": tar_of({"sys.log.2": LINE}),
        },
    )
    assert sorted(names(discover([tmp_path], include, exclude))) == expected


# Times, standard input, and the like.


def test_reference_times(tmp_path: Path) -> None:
    stamp = 1_700_000_000
    fill(
        tmp_path,
        {
            "a.log": LINE,
            "b.gz": gzip.compress(LINE, mtime=1_500_000_000),
            "c.gz": gzip.compress(LINE, mtime=0),
            "d.tar": tar_of({"x.log": LINE, "y.gz": gzip.compress(LINE, mtime=1_400_000_000)}, "w"),
            "e.zip": zip_of({"x.log": LINE}),
        },
    )
    for path in tmp_path.iterdir():
        os.utime(path, (stamp, stamp))
    times = {file.file: (file.mtime or 0) // 1_000_000 for file in discover([tmp_path]).files}
    assert times == {
        "a.log": stamp,
        "b.gz": 1_500_000_000,
        "c.gz": stamp,
        "d.tar/x.log": 1_600_000_000,
        "d.tar/y.gz": 1_400_000_000,
        "e.zip/x.log": 1_620_097_322,
    }


@pytest.mark.parametrize("data", [LINE, gzip.compress(LINE), b""], ids=["plain", "gzip", "empty"])
def test_standard_input(data: bytes) -> None:
    found = discover(["-", "-"], stdin=io.BytesIO(data))
    (file,) = found.files
    assert (file.file, file.mtime) == ("-", file.mtime)
    assert text_of(file) == text_of(file) == (b"" if not data else LINE)
    assert "twice" in reasons(found)["-"]


def test_an_archive_on_standard_input() -> None:
    found = discover(["-"], stdin=io.BytesIO(tar_of({"a.log": LINE, "b.log": LINE})))
    assert names(found) == ["-/a.log", "-/b.log"]
    assert [text_of(file) for file in found.files] == [LINE, LINE]


def test_a_log_file_can_be_sent_to_another_process(tmp_path: Path) -> None:
    fill(tmp_path, {"a.tgz": tar_of({"x.log": LINE})})
    (file,) = discover([tmp_path]).files
    assert pickle.loads(pickle.dumps(file)) == file


def test_an_archive_replaced_under_its_name_is_read_anew(tmp_path: Path) -> None:
    for text in (b"one\n", b"two and more\n"):
        fill(tmp_path, {"a.tgz": tar_of({"x.log": text})})
        (file,) = discover([tmp_path]).files
        assert text_of(file) == text


def test_parts_of_one_log_are_one_source(tmp_path: Path) -> None:
    fill(tmp_path, {f"nginx/access.log{end}": LINE + end.encode() for end in ("", ".1", ".2.gz", ".10.gz")})
    fill(tmp_path, {"nginx/error.log": LINE})
    found = discover([tmp_path])
    assert [(source.name, [file.file for file in source.files]) for source in found.sources] == [
        (
            "nginx/access.log",
            ["nginx/access.log.10.gz", "nginx/access.log.2.gz", "nginx/access.log.1", "nginx/access.log"],
        ),
        ("nginx/error.log", ["nginx/error.log"]),
    ]


def test_finding_logs_imports_nothing_heavy() -> None:
    import subprocess

    code = "import sys, retrolog.pipeline.reading.read, retrolog.pipeline.reading.seek; print({'pandas', 'pyarrow', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_only_members_that_are_cut_are_called_damaged(tmp_path: Path) -> None:
    whole = tar_of({f"log{n}": LINE * 5000 for n in range(3)}, "w")
    fill(tmp_path, {"a.tar.gz": gzip.compress(whole)[:-400]})
    notes = {}
    for file in discover([tmp_path]).files:
        blocks = read_blocks(file)
        text = b"".join(block.data for block in blocks)
        notes[file.file] = [note.kind for note in blocks.notes]
        assert (text == LINE * 5000) == (not blocks.notes)
    assert notes["a.tar.gz/log0"] == []
    assert notes[max(notes)] == ["truncated"]


def test_archives_leave_room_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type(shutil.disk_usage(tmp_path))(10, 10, 100_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    fill(tmp_path, {"a.tar.gz": tar_of({"x.log": LINE * 1000, "y.log": LINE * 90_000})})
    found = discover([tmp_path])
    assert "a.tar.gz/x.log" in names(found)
    assert "room" in reasons(found)["a.tar.gz"]


def test_spooled_archives_leave_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    fill(tmp_path, {"logs/a.tgz": tar_of({"x.log": LINE})})
    (file,) = discover([tmp_path / "logs"]).files
    assert text_of(file) == LINE
    assert list((tmp_path / "tmp").iterdir()) == []


_ARCHIVES = {
    "tar": tar_of({"a/x.log": LINE * 9, "b.gz": gzip.compress(LINE), "c" * 120: b""}, "w"),
    "tgz": tar_of({"a/x.log": LINE * 9, "b.log": LINE}),
    "zip": zip_of({"a/x.log": LINE * 9, "b.gz": gzip.compress(LINE), "c.log": b""}),
}


@settings(max_examples=200, deadline=None)
@given(
    kind=st.sampled_from(sorted(_ARCHIVES)),
    flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6),
    cut=st.floats(0, 1),
)
def test_damaged_archives_never_raise(
    tmp_path_factory: pytest.TempPathFactory, kind: str, flips: list[tuple[float, int]], cut: float
) -> None:
    data = bytearray(_ARCHIVES[kind])
    for at, value in flips:
        data[int(at * len(data))] = value
    folder = fill(
        tmp_path_factory.mktemp("fuzz"), {"x": bytes(data[: int(cut * len(data))]), "app.log": LINE}
    )
    found = discover([folder])
    assert "app.log" in names(found)
    for file in found.files:
        text_of(file).decode()
    assert len(names(found)) == len(set(names(found)))


@settings(max_examples=200, deadline=None)
@given(head=st.sampled_from([b"", *(magic for magic, _ in unpack._MAGIC)]), rest=st.binary(max_size=600))
def test_any_bytes_are_read_or_skipped(
    tmp_path_factory: pytest.TempPathFactory, head: bytes, rest: bytes
) -> None:
    folder = fill(tmp_path_factory.mktemp("fuzz"), {"x": head + rest, "app.log": LINE})
    found = discover([folder])
    assert {name.split("/")[0] for name in [*names(found), *reasons(found)]} == {"x", "app.log"}
    for file in found.files:
        text_of(file).decode()

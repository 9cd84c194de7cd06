"""Secrets and personal data are masked by rules that hold for logs in general; what readers need stays readable."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrolog.pipeline.drafting import mask
from retrolog.pipeline.drafting.mask import Masker
from retrolog.pipeline.drafting.persons import programs_in

from ..example import FINDINGS, NOTE, TIMELINE

SECRET = "Zx9QpL77vT"

HIDDEN = [
    f"login password={SECRET} ok",
    f"password: {SECRET}",
    f'{{"user_password":"{SECRET}","n":1}}',
    f'{{\\"apiKey\\":\\"{SECRET}\\"}}',
    f"DB_PASSWORD={SECRET} ./run",
    f"api_key='{SECRET}'",
    f"clientSecret={SECRET}",
    f"Authorization: Bearer {SECRET}",
    f"Authorization: Basic {SECRET}==",
    f'"authorization":"Bearer {SECRET}"',
    f"-H 'Authorization: token {SECRET}'",
    f"sent Bearer {SECRET}abc",
    f"Cookie: sid={SECRET}; theme=dark",
    f"Set-Cookie: session={SECRET}; Path=/",
    f"GET /reset?token={SECRET}&x=1",
    f"GET /cb?code={SECRET}&state=1",
    f"GET /a?X-Amz-Signature={SECRET}",
    f"postgres://shop:{SECRET}@db-1:5432/shop",
    f"https://user:{SECRET}@example.com/x",
    f"redis://:{SECRET}@cache:6379/0",
    f"backup --password {SECRET} --host db-1",
    f"mysql -u root -p{SECRET} shop",
    f"jwt=eyJhbGciOiJIUzI1NiJ9.eyJ{SECRET}.{SECRET}",
    f"token eyJhbGciOiJIUzI1NiJ9.eyJ{SECRET}.{SECRET} expired",
    f"x-session-id: {SECRET}",
    f"PGPASSWORD={SECRET}",
    f"secret => {SECRET}",
    f"csrf_token={SECRET}",
]


@pytest.mark.parametrize("line", HIDDEN)
def test_secrets_are_hidden(line: str) -> None:
    assert SECRET not in Masker().text(line)
    assert SECRET in Masker(False).text(line)


@pytest.mark.parametrize(
    "line",
    [
        "key AKIAIOSFODNN7EXAMPLE used",
        "pushed with ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "glpat-abcdefghij0123456789",
        "xoxb-123456789012-abcdefghij",
        "sk_live_abcdefghijklmnop1234",
        "-----BEGIN RSA PRIVATE KEY-----MIIEabc-----END RSA PRIVATE KEY-----",
        "card 4111 1111 1111 1111 declined",
        "card=4111111111111111",
    ],
)
def test_well_known_forms_are_hidden(line: str) -> None:
    assert mask.HIDDEN in Masker().text(line)


PEOPLE = [
    "deploy[12]: starting deploy of shop 1.2 requested by NAME",
    "release approved by NAME",
    "sudo:    NAME : TTY=pts/0 ; PWD=/srv ; USER=root ; COMMAND=/bin/ls",
    "sudo[99]: NAME : command not allowed ; TTY=pts/0",
    "sshd[1]: Accepted publickey for NAME from 203.0.113.9 port 1 ssh2",
    "sshd[1]: Failed password for NAME from 203.0.113.9 port 1 ssh2",
    "sshd[1]: Failed password for invalid user NAME from 203.0.113.9 port 1",
    "sshd[1]: Disconnected from user NAME 203.0.113.9 port 1",
    "sshd[1]: pam_unix(sshd:session): session opened for user NAME(uid=1000) by (uid=0)",
    "systemd-logind[1]: New session 4 of user NAME.",
    "su[3]: (to root) NAME on pts/0",
    'audit: acct="NAME" exe="/usr/bin/sudo"',
    "cd /home/NAME/releases",
    r"C:\Users\NAME\app",
    '{"actor":"NAME","action":"deploy"}',
    "triggered_by=NAME pipeline=77",
    "@NAME is looking into it",
    "incident acknowledged by @NAME",
]


@pytest.mark.parametrize("line", PEOPLE)
@pytest.mark.parametrize("name", ["marta", "j.doe", "Oksana"])
def test_people_get_pseudonyms(line: str, name: str) -> None:
    masked = Masker().text(line.replace("NAME", name))
    assert name not in masked
    assert "person-1" in masked


@pytest.mark.parametrize("role", ["root", "www-data", "postgres", "jenkins", "ubuntu", "deploy"])
@pytest.mark.parametrize("line", PEOPLE)
def test_roles_are_no_people(line: str, role: str) -> None:
    assert "person-" not in Masker().text(line.replace("NAME", role))


def test_a_name_learned_once_is_masked_everywhere() -> None:
    masker = Masker()
    masker.learn("sudo:  marta : TTY=pts/0 ; PWD=/home/marta ; USER=root ; COMMAND=/bin/true")
    assert (
        masker.text("Nov 23 12:05:16 web-1 marta[3153]: looking")
        == "Nov 23 12:05:16 web-1 person-1[3153]: looking"
    )
    assert masker.text("Marta said so; martaban did not") == "person-1 said so; martaban did not"


def test_two_words_of_a_name_are_one_person() -> None:
    masker = Masker()
    assert masker.text("approved by Marta Novak at noon") == "approved by person-1 at noon"


def test_hosts_and_services_are_kept_by_name() -> None:
    assert Masker(keep=["shop"]).text("user=shop database=shop") == "user=shop database=shop"


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        ("203.0.113.9 - - [x] GET /", "client-1 - - [x] GET /"),
        ('10.1.2.3 - - "GET /"', 'client-1 - - "GET /"'),
        ("client: 10.1.2.3, server: _", "client: client-1, server: _"),
        ("from 2001:db8::7 port 22", "from client-1 port 22"),
        ('upstream: "http://10.0.0.5:8000/"', 'upstream: "http://10.0.0.5:8000/"'),
        ("upstream: http://203.0.113.5:8000/", "upstream: http://203.0.113.5:8000/"),
        ("connecting to 198.51.100.4:5432", "connecting to 198.51.100.4:5432"),
        ("listening on 0.0.0.0:80", "listening on 0.0.0.0:80"),
        ("127.0.0.1 - - GET /health", "127.0.0.1 - - GET /health"),
        ("Chrome/130.0.0.0 Safari/537.36", "Chrome/130.0.0.0 Safari/537.36"),
        ("upgraded to version 1.2.3.4", "upgraded to version 1.2.3.4"),
        ("at 12:03:51 mac 52:54:00:1b:77:0e", "at 12:03:51 mac 52:54:00:1b:77:0e"),
        ("std::vector dead::end", "std::vector dead::end"),
        ("X-Forwarded-For: 203.0.113.9, 10.0.0.1", "X-Forwarded-For: client-1, client-2"),
        ("mail to a.b+c@example.com", "mail to email-1"),
        ("getty@tty1.service started", "getty@tty1.service started"),
        ("git@example.com:org/repo.git", "git@example.com:org/repo.git"),
    ],
)
def test_addresses(line: str, masked: str) -> None:
    assert Masker().text(line) == masked


@pytest.mark.parametrize(
    "line",
    [
        "syntax error: unexpected token: end of file",
        "max_tokens=4096 tokens: 12",
        "password authentication failed for role reader",
        "session opened, auth: ok",
        "token expired",
        "commit 4be21d7a9c0e4be21d7a9c0e4be21d7a9c0e4be2",
        "request_id=edea01b20d970c39baba4b8e1af3e61e",
        "deploy of shop 2026.11.23-1 (4be21d7) finished",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "GET /product/3?page=2&sort=price",
        "psycopg.OperationalError: connection to server failed",
        "kernel: Out of memory: Killed process 4242 (gunicorn)",
        "2026-11-23T12:03:51.123456+01:00",
        "PWD=/srv/app ; USER=root ; COMMAND=/usr/bin/systemctl restart nginx",
        "session terminated by signal 15",
        "connection closed by peer",
        "started by cron",
    ],
)
def test_ordinary_lines_stay_readable(line: str) -> None:
    assert Masker().text(line) == line


@given(st.sampled_from([*HIDDEN, *(line.replace("NAME", "marta") for line in PEOPLE)]))
def test_masking_twice_changes_nothing(line: str) -> None:
    masker = Masker()
    once = masker.text(line)
    assert masker.text(once) == once


@given(st.text(max_size=200))
def test_any_text_can_be_masked(text: str) -> None:
    once = Masker().text(text)
    assert isinstance(once, str)


def test_equal_values_get_equal_pseudonyms_within_a_document() -> None:
    found = mask.masked(FINDINGS, Masker())
    assert found.timeline[0].summary.endswith("requested by person-1")
    assert found.timeline[4].service == "person-1"
    assert "person-1[3153]" in found.timeline[4].evidence[0].text
    assert found.timeline[0].evidence[0].digest == FINDINGS.timeline[0].evidence[0].digest


def test_the_tag_of_a_persons_note_is_a_name() -> None:
    note = replace(
        TIMELINE[4],
        service="yusuf",
        evidence=(replace(NOTE, text="Nov 23 12:05:16 app-1 yusuf[3]: looking"),),
    )
    found = mask.masked(replace(FINDINGS, timeline=(note,)), Masker())
    assert "yusuf" not in str(found.timeline)


def test_a_person_called_like_a_word_of_the_draft_changes_no_sentence_of_it() -> None:
    """Somebody logs in as `first`: their line is masked, the sentence on the first failed request is not."""
    line = "Nov 23 12:02:10 web-1 sudo:    first : TTY=pts/0 ; PWD=/root ; USER=root ; COMMAND=/usr/bin/less x"
    theirs = replace(TIMELINE[4], summary="first ran less", evidence=(replace(NOTE, text=line),))
    ours = replace(TIMELINE[0], summary="First failed request: GET / was answered 500")
    found = mask.masked(replace(FINDINGS, timeline=(theirs, ours), prompts=(("impact", "What came first?"),)), Masker())
    assert found.timeline[0].summary == "person-2 ran less"
    assert "sudo:    person-2 :" in found.timeline[0].evidence[0].text
    assert found.timeline[1].summary == ours.summary
    assert found.prompts == (("impact", "What came first?"),)


def test_a_question_about_a_candidate_names_nobody_either() -> None:
    question = f"Why did {FINDINGS.incidents[0].candidates[0].summary} lead to failures?"
    found = mask.masked(replace(FINDINGS, prompts=(("root_cause", question),)), Masker())
    assert "person-1" in found.prompts[0][1]


def test_an_address_that_a_line_calls_a_server_is_the_same_in_every_text() -> None:
    masker = Masker()
    masker.learn("kernel: nfs: server 192.0.2.71 not responding, still trying")
    said = ("192.0.2.71", "no error names 192.0.2.71", "nfs: server 192.0.2.71 not responding")
    assert [masker.text(one) for one in said] == list(said)
    assert masker.text('192.0.2.8 - - "GET / HTTP/1.1" 200') == 'client-1 - - "GET / HTTP/1.1" 200'


@pytest.mark.parametrize(
    ("text", "masked_text", "why"),
    [
        ("kiri ran /usr/local/bin/kiri", "person-1 ran /usr/local/bin/kiri", "a program's path names no person"),
        ("kiri read /etc/kiri/conf.d", "person-1 read /etc/kiri/conf.d", "nor does a folder of settings"),
        ("kiri left /home/kiri/notes", "person-1 left /home/person-1/notes", "a home is named for its owner"),
        ("kiri asked GET /users/kiri", "person-1 asked GET /users/person-1", "a page of a person is personal"),
        ("kiri, and Kiri again", "person-1, and person-1 again", "a word of its own is, in any case"),
    ],
)
def test_a_name_stands_in_a_path_only_where_paths_are_of_people(text: str, masked_text: str, why: str) -> None:
    masker = Masker()
    masker.person("kiri")
    assert masker.text(text) == masked_text, why


def test_an_account_called_like_the_program_it_runs_is_no_person() -> None:
    line = "web-1 sudo[31]: kiri : TTY=pts/0 ; PWD=/srv ; USER=zonepull ; COMMAND=/usr/local/bin/zonepull apply"
    masker = Masker()
    masker.spare(programs_in(line))
    assert masker.text(line) == line.replace("kiri", "person-1")


@pytest.mark.parametrize(
    ("text", "programs"),
    [
        ("COMMAND=/usr/local/bin/zonepull apply", {"zonepull"}),
        ("ExecStart=/usr/lib/x/libexec/run-it, then /sbin/ip", {"run-it", "ip"}),
        ("GET /bin HTTP/1.1, /home/kiri/cabin/note", set()),
    ],
)
def test_programs_are_known_by_their_path(text: str, programs: set[str]) -> None:
    assert programs_in(text) == programs

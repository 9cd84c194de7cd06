"""Knows where in a text a person's name stands, and which words in such a place are no person.

The rules are about how logs write names in general: sudo, PAM and sshd, keys such as `author=`, homes, `requested by`.
"""

from __future__ import annotations

import re

# Accounts that are roles or software, not people: masking them would hide what acted and protect nobody.
_ROLE_WORDS = """
root admin administrator system daemon nobody user users users guest test anonymous default unknown none null
www-data www apache apache2 httpd nginx caddy haproxy envoy traefik varnish squid
postgres postgresql mysql mariadb redis mongodb mongo oracle elasticsearch kafka zookeeper rabbitmq etcd consul vault
deploy deployer deployment deployments release releases ci cd cicd build builder jenkins gitlab gitlab-runner github
actions runner buildkite circleci travis argocd argo flux helm spinnaker ansible puppet chef salt terraform packer
ops sre devops oncall on-call operator operators support helpdesk monitoring monitor nagios icinga zabbix
prometheus grafana datadog newrelic sensu pagerduty opsgenie alertmanager backup backups bacula
ubuntu debian centos fedora ec2-user core vagrant pi rocky almalinux cloud-user azureuser git svn hg bot robot
app application service services server worker web api job jobs cron crond scheduler batch
systemd kernel dbus messagebus syslog rsyslog journal polkitd avahi chrony chronyd ntp ntpd sshd sudo su docker
containerd podman kubelet kube-proxy kubernetes k8s dnsmasq named bind unbound postfix dovecot exim mail ftp lp
tomcat jetty java node python php php-fpm ruby rails django flask gunicorn uwsgi celery sidekiq puma
autoscaler autoscale autopilot controller automation pipeline policy watchdog supervisor supervisord signal
timer timeout client peer upstream downstream host remote local localhost everyone someone nobody-else
the a an this that it its him her them which what who when where us me you your our their all any each other
another by for from to of on in at and or not is was has had be been with without via due per hand manual manually
mistake accident itself themselves here there channel team
pid ppid uid gid tid process thread task container pod node instance replica cluster unit request response rule hook
webhook alert alarm event schedule push commit merge change version signal interrupt time date name size id number
priority init reboot boot trigger check probe healthcheck quota limit threshold error exception message command script
program module plugin package manager leader primary standby proxy firewall balancer loadbalancer provider vendor customer
ok success successful succeeded equals required valid enabled disabled changed expired locked denied granted
"""
ROLES = frozenset(_ROLE_WORDS.split())
# A compound with one of these is software: shop-ci, thread-3, report.worker.
_SOFTWARE = frozenset(
    "agent alert api app autoscaler backup bot broker cd ci cli client cloud controller cron ctl daemon db deploy deployer"
    " exporter gateway helper job kube lambda manager monitor node operator pipeline pod pool proxy queue runner scheduler"
    " channel oncall pagerduty slack script server service srv supervisor svc sync system systemd task thread timer watchdog web worker".split()
)
_SIGNAL = re.compile(r"SIG[A-Z]{2,6}\d?")
_VERSION = re.compile(r"[vV]?\d[\w.]*|[vV]\d[\w.]*")
# ThreadPool, GitHub; not McDonald, DeVries, LaSalle.
_CAMEL = re.compile(r"(?!(?:Mc|Mac|De|Di|Du|La|Le|Van|Von|Fitz|O)[A-Z])[A-Z][a-z]+(?:[A-Z][a-z]*)+")
# Key=value pairs of a database session: an account called like its database belongs to a program.
_DATABASE = re.compile(r"\b(?:db|database|dbname)=[\"']?(?P<name>[\w.-]+)")

_NAME = r"[^\W\d_][\w'’-]*(?:\.[^\W\d_][\w'’-]*)*"
_FULL = rf"{_NAME}(?:[ ][A-Z][^\W\d_][\w'’-]*){{0,2}}"

# Where a person's name stands. The group `who` is the name.
_PEOPLE = tuple(
    re.compile(pattern)
    for pattern in (
        # sudo(8): "sudo: name : TTY=… ; PWD=…"; sudo's own refusals put a sentence before TTY.
        rf"\bsudo(?:\[\d+\])?:\s+(?P<who>{_NAME}) : ",
        rf"(?:^|\s)(?P<who>{_NAME}) : (?:[^;]{{0,80}}; )?TTY=",
        # PAM and login: "session opened for user name(uid=0) by other(uid=1000)".
        rf"\bfor (?:invalid |illegal )?user (?P<who>{_NAME})",
        rf"\bsession (?:opened|closed) for user \S+ by (?P<who>{_NAME})\(uid=",
        rf"\bsession \S+ of user (?P<who>{_NAME})",
        # sshd: accepted, failed, disconnected, invalid.
        rf"\b(?:Accepted|Failed|Postponed) [\w/-]+ for (?:invalid user )?(?P<who>{_NAME}) from ",
        rf"\b(?i:invalid|authenticating|disconnected from) user (?P<who>{_NAME})",
        rf"\b(?i:Invalid user|Disconnected from user|User) (?P<who>{_NAME}) from ",
        # su and audit records.
        rf"\bsu(?:\[\d+\])?: (?:\(to \S+\)|\+ \S+|FAILED SU \(to \S+\)) (?P<who>{_NAME}) on ",
        r"\b(?:acct|AUID|UID|auid)=\"(?P<who>[^\"\s]+)\"",
        # Who asked for, approved or took up something; case of the verb is free, names after it may be two words.
        (
            r"\b(?i:requested|approved|acknowledged|acked|authori[sz]ed|initiated|triggered|deployed|authored|committed|"
            r"reviewed|signed[ -]off|invoked|ordered|reported|escalated|assigned|confirmed|rolled back|released|merged|"
            rf"cancelled|canceled|silenced|started|stopped|restarted|executed|run|launched|(?:command|order) issued)[ ]by:?[ ]@?(?P<who>{_FULL})"
        ),
        rf"\b(?i:assigned to|escalated to|handed over to|paged|paging|on behalf of)[ ]@?(?P<who>(?=[A-Z]){_FULL})",
        # Who did it, before what was done with a version of something: "anna deployed shop@1a2b3c4".
        rf"(?:^|[:\]] )(?P<who>(?=[a-z]){_NAME}) (?:deployed|released|shipped|reverted) [\w./-]+(?:@| v?\d)",
        # Keys whose value is a person, in any of the key=value, key: value and JSON spellings.
        (
            r"(?i:\b(?:requested|triggered|deployed|approved|created|started|initiated|acknowledged|committed)_?by|"
            r"\b(?:actor|author|committer|deployer|requester|requestor|assignee|approver|on_?call|username|user_?name|login|"
            r"full_?name|first_?name|last_?name|display_?name|given_?name|sur_?name|operator|user|ruser|logname|PRINCIPAL))"
            rf"\\?[\"']?\s?[=:]\s?\\?[\"']?@?(?P<who>{_FULL})"
        ),
        # Who did it by hand, in brackets before what was done.
        rf"\[(?i:manual|by|operator)[ :=]+@?(?P<who>{_NAME})\]",
        # Homes: they are named for their owner.
        rf"(?:/home/|/Users/|[A-Za-z]:\\+Users\\+)(?P<who>{_NAME})",
        rf"(?<![\w@/.])@(?P<who>{_NAME})(?![\w.]*[./])",
        rf"(?:^|[\s\"'=(])(?P<who>{_NAME})@(?:\d{{1,3}}\.){{3}}\d{{1,3}}\b",
    )
)

# A program by where it is installed (FHS 3.0, 3.4, 3.16, 4.4): what is called like one is an account of it, no person.
_PROGRAM = re.compile(r"(?<![\w.-])(?:/[\w.+-]+)*/(?:s?bin|libexec)/(?P<name>[\w.+-]*\w)")
# In a path a name stands for its owner only below what holds one folder, box or page a person.
_IN_PATH = r"(?<!/)|(?<=/home/)|(?<=/Users/)|(?<=/users/)|(?<=/user/)|(?<=/mail/)|(?<=/people/)|(?<=/profiles/)|(?<=/members/)|(?<=/crontabs/)|(?<=/cron/)"


def programs_in(text: str) -> set[str]:
    """The programs, in lower case, that a text calls by their path."""
    return {match["name"].casefold() for match in _PROGRAM.finditer(text)}


def any_of(names: set[str]) -> re.Pattern[str]:
    """Finds any of the names as a word of its own, not inside a path unless it is a person's there."""
    # Longest first, so that a full name goes before the first name it begins with; of no name, what never matches.
    joined = "|".join(re.escape(name) for name in sorted(names, key=lambda name: (-len(name), name)))
    return re.compile(rf"(?:(?<![\w.-])|(?<=\bsudo_)|(?<=\bby_))(?:{_IN_PATH})(?:{joined or '(?!)'})(?![\w-])", re.IGNORECASE)


def given_away(text: str) -> list[str]:
    """The names of people that a text gives away by their place, as written there."""
    found = []
    for pattern in _PEOPLE:
        for match in pattern.finditer(text):
            name = _trimmed(match["who"])
            # "issued by: CN=R3": what has a value of its own is a key.
            if name and not text.startswith("=", match.start("who") + len(name)):
                found.append(name)
    accounts = {match["name"].casefold() for match in _DATABASE.finditer(text)} if found else set()
    return [name for name in found if name.casefold() not in accounts and not is_software(name)]


def is_software(name: str) -> bool:
    """Whether what stands in a person's place is plainly none: a role, an account of software, a signal, a version."""
    if name.casefold() in ROLES or len(name) < 2:
        return True
    if _SIGNAL.fullmatch(name) or _VERSION.fullmatch(name) or _CAMEL.fullmatch(name):
        return True
    parts = re.split(r"[-_.]", name.casefold())
    return len(parts) > 1 and any(part in _SOFTWARE for part in parts)


def _trimmed(name: str) -> str:
    """A name without what the pattern took too much of: a possessive, or words that are no part of it."""
    words = name.removesuffix("'s").removesuffix("’s").rstrip("'’-.").split()
    while len(words) > 1 and words[-1].casefold() in ROLES:
        words.pop()
    return " ".join(words)

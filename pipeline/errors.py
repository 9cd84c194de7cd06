"""The troubles a user can have; each is one sentence that says what was found, where, and what to try."""


class RetrologError(Exception):
    """Base of every error whose text is meant for the user; `exit_status` is what the command returns."""

    exit_status = 1


class NothingToRead(RetrologError):
    """No path given could be read, or none of them holds a log."""


class BadWindow(RetrologError):
    """The window cannot be understood, or ends before it starts."""

    exit_status = 2


class BadOption(RetrologError):
    """An option's value cannot be used (an unknown zone, a pattern that does not compile)."""

    exit_status = 2


class NotADraft(RetrologError):
    """The file named is no retrolog document, so it is not touched."""


class MissingExtra(RetrologError):
    """An optional dependency is not installed; the text names the command that installs it."""


class CannotWrite(RetrologError):
    """What was made cannot be written where it was asked for (a folder that is missing, a full disk, a closed output)."""

"""Decides who may talk to the review page: the browser that opened the link of the terminal, and nobody else.

The page is served on a loopback address to one browser. Another site in that browser must neither read nor change
anything (cookie, `Origin`, `Sec-Fetch-Site`), nor reach it under a name of its own (DNS rebinding: `Host`); another user
of the machine lacks the token; another server on the machine does not get the cookie, whose path nobody else knows.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from hmac import compare_digest

from flask import Request, Response

COOKIE = "retrolog"
#: Nothing from elsewhere, nothing inline, no framing; `'self'` is this server on this port.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
MOST = 1 << 20  # bytes of a request's body


def _secret() -> str:
    return secrets.token_urlsafe(24)


@dataclass(slots=True)
class Guard:
    """The secrets of one run: `room` is in every path, `token` is for the first visit, `session` for those after it."""

    host: str = "127.0.0.1"
    port: int = 0
    room: str = field(default_factory=_secret)
    token: str = field(default_factory=_secret)
    session: str = field(default_factory=_secret)
    used: bool = False

    @property
    def url(self) -> str:
        """The link for the browser; it works once."""
        return f"http://{self.host}:{self.port}/{self.room}/enter?token={self.token}"

    @property
    def hosts(self) -> tuple[str, ...]:
        return (f"{self.host}:{self.port}", f"localhost:{self.port}")

    def refusal(self, request: Request) -> str:
        """Why a request is refused; empty when it may pass. The token's exchange passes without a cookie."""
        if request.host not in self.hosts:
            return "This page answers to its own address only."
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            return "Requests from other pages are refused."
        origin = request.headers.get("Origin")
        if origin is not None and origin != f"http://{request.host}":
            return "Requests from other pages are refused."
        entering = request.method == "GET" and request.path == f"/{self.room}/enter"
        if not entering and not compare_digest(
            request.cookies.get(COOKIE, "").encode(), self.session.encode()
        ):
            return "This page opens with the link that `retrolog review` prints."
        if request.method in ("GET", "HEAD"):
            return ""
        # A form of another site can send neither JSON nor an own header without asking first (CORS preflight).
        if origin is None or not request.is_json or "X-Retrolog" not in request.headers:
            return "Changes come from the page itself only."
        return ""

    def enter(self, token: str) -> bool:
        """Takes the token; it opens the page once."""
        if self.used or not compare_digest(token.encode(), self.token.encode()):
            return False
        self.used = True
        return True

    def admit(self, response: Response) -> None:
        """Gives the browser its cookie, which no script, no other site and no other path sees."""
        response.set_cookie(COOKIE, self.session, path=f"/{self.room}/", httponly=True, samesite="Strict")


def harden(response: Response) -> Response:
    """The headers of every answer."""
    for name, value in HEADERS.items():
        response.headers[name] = value
    return response

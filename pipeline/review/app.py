"""Serves the review page: one document, one browser, on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from flask import Blueprint, Flask, Response, abort, jsonify, render_template, request
from markupsafe import Markup

from ..drafting.document import parse
from ..errors import RetrologError
from ..finishing.check import check
from ..finishing.render import markdown
from . import actions, deciding, figures, security, sheet
from .desk import Desk
from .logs import Filter
from .security import Guard
from .store import Store, fingerprint

#: What the page loads besides itself, as it stands in templates/.
ASSETS = {
    name.rpartition("/")[2]: name
    for name in (
        "shared.css",
        "review/review.css",
        "review/review.js",
        "review/keys.js",
        "review/log.js",
        "review/plot.js",
        "review/forms.js",
        "review/net.js",
    )
}
#: Told here: what a machine knows of types may be anything.
TYPES = {"css": "text/css", "js": "text/javascript"}
# The figure is not among them: the page asks for the part of it that it shows.
REGIONS = ("head", "incidents", "entries", "triggers", "questions", "measures", "checks")


def create_app(store: Store, guard: Guard, logs: Sequence[str] = ()) -> Flask:
    """The page as a Flask application; `guard` must know the port before the first request."""
    desk = Desk(store, logs)
    app = Flask(__name__, static_folder=None, template_folder=str(files("retrolog.templates") / "review"))
    app.config["MAX_CONTENT_LENGTH"] = security.MOST
    app.jinja_env.autoescape = True  # by itself Flask escapes in templates whose name ends in .html only
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters["markdown"] = _inline
    app.jinja_env.filters["plain_words"] = sheet.uncited
    app.after_request(security.harden)

    @app.before_request
    def guarded() -> Response | None:
        refused = guard.refusal(request)
        return _refused(refused, 403) if refused else None

    @app.errorhandler(RetrologError)
    def troubled(error: RetrologError) -> Response:
        answer = jsonify(error=str(error), current=getattr(error, "current", ""))
        answer.status_code = 409
        return answer

    for status in (400, 404, 405, 413, 500):
        app.register_error_handler(status, _plain)
    app.register_blueprint(_pages(desk, guard), url_prefix=f"/{guard.room}")
    return app


def _plain(error: Any) -> Response:
    return _refused(
        str(getattr(error, "name", "Internal Server Error")), int(getattr(error, "code", 500) or 500)
    )


def _refused(why: str, status: int) -> Response:
    answer = jsonify(error=why)
    answer.status_code = status
    return answer


def _inline(text: str) -> Markup:
    """An entry's words as HTML: what a renderer of the document would show, references as marks."""
    return Markup(markdown().renderInline(text))


def _pages(desk: Desk, guard: Guard) -> Blueprint:
    pages = Blueprint("review", __name__)

    @pages.get("/enter")
    def enter() -> Response:
        if not guard.enter(request.args.get("token", "")):
            return _refused(
                "This link was used before or is not complete; run `retrolog review` again for a new one.",
                403,
            )
        # A redirect from a link on another site would not carry a SameSite=Strict cookie; a page of our own does.
        answer = Response(
            '<!DOCTYPE html><html lang="en"><meta http-equiv="refresh" content="0;url=./"><link rel="icon" href="data:,"><title>retrolog</title></html>'
        )
        guard.admit(answer)
        return answer

    @pages.get("/")
    def page() -> str:
        text = desk.store.read()
        return render_template("page.html.j2", **_context(desk, text), labels=actions.LABELS)

    @pages.get("/asset/<name>")
    def asset(name: str) -> Response:
        if name not in ASSETS:
            abort(404)
        body = (files("retrolog.templates") / ASSETS[name]).read_bytes()
        return Response(body, mimetype=TYPES[name.rpartition(".")[2]])

    @pages.get("/state")
    def state() -> Response:
        text = desk.store.read()
        if request.args.get("seen") == fingerprint(text):
            return Response(status=204)
        return jsonify(_state(desk, text))

    @pages.post("/edit")
    def edit() -> Response:
        body = request.get_json()
        if not isinstance(body, dict) or not isinstance(body.get("args"), dict):
            abort(400)
        try:
            text, said = actions.perform(desk, str(body.get("op")), body["args"])
        except actions.Unusable:
            abort(400)
        return jsonify({**_state(desk, text), "said": said})

    @pages.get("/figure")
    def figure() -> Response:
        text = desk.store.read()
        drawn = figures.draw(parse(text), sheet.sheet(text), _number("from"), _number("to"))
        return jsonify(html=render_template("figure.html.j2", figure=drawn))

    @pages.get("/log")
    def log() -> Response:
        return jsonify(_log(desk))

    @pages.get("/line")
    def line() -> Response:
        number = _number("line")
        if number is None:
            abort(400)
        item, _ = desk.log().quote(request.args.get("file", ""), number)
        return jsonify(text=desk.log().lines(item), where=f"{item.file}:{item.line}", digest=item.digest)

    return pages


def _number(name: str) -> int | None:
    try:
        return int(request.args[name])
    except (KeyError, ValueError):
        return None


def _context(desk: Desk, text: str) -> dict[str, Any]:
    page = sheet.sheet(text)
    findings = check(text)
    return {
        "sheet": page,
        "figure": figures.draw(parse(text), page),
        "findings": findings,
        "errors": sum(one.severity == "error" for one in findings),
        "undoable": desk.store.undoable,
        "redoable": desk.store.redoable,
        "seen": fingerprint(text),
        "file": desk.store.path.name,
        "incidents": [actions.incident(page, at) for at in range(len(page.incidents))],
        "triggers": [(deciding.decision(text, at), deciding.choices(text, at)) for at in range(len(page.incidents))],
    }


def _state(desk: Desk, text: str) -> dict[str, Any]:
    """What the page replaces after a change: its regions as HTML, and what tells this state from the next."""
    context = _context(desk, text)
    regions = {name: render_template(f"{name}.html.j2", **context) for name in REGIONS}
    return {"seen": context["seen"], "regions": regions}


def _log(desk: Desk) -> dict[str, Any]:
    """The lines that an entry quotes, and the log around them (or around a moment, or those that fit a search)."""
    page = sheet.sheet(desk.store.read())
    ref = request.args.get("ref", "")
    entry = next((item for item in page.items if item.ref == ref), None)
    quoted = [
        (number, page.evidence[number])
        for number in (entry.cites if entry else ())
        if number in page.evidence
    ]
    moment = _number("moment")
    if moment is None and entry is not None:
        moment = entry.moment
    shown: dict[str, Any] = {"view": None, "why": "", "sources": (), "services": ()}
    cited = {(one.file, one.line): number for number, one in page.evidence.items()}
    chosen = Filter(
        text=request.args.get("q", "")[:200], level=request.args.get("level", ""), source=request.args.get("source", ""),
        service=request.args.get("service", ""), gist=request.args.get("all") != "1",
    )  # fmt: skip
    try:
        log = desk.log()
        shown["view"] = log.view(page.clock, chosen, moment=moment, first=_number("first"), cited=cited)
        shown["sources"], shown["services"] = log.names()
    except RetrologError as error:
        shown["why"] = str(error)
    here = {(one.file, one.line) for _, one in quoted}
    seen = {(row.file, row.line) for row in shown["view"].rows} if shown["view"] else set()
    quoted = [(number, one) for number, one in quoted if (one.file, one.line) not in seen]
    html = render_template(
        "log.html.j2", **shown, quoted=quoted, entry=entry, here=here, moment=moment, chosen=chosen
    )
    view = shown["view"]
    return {
        "html": html,
        "first": view.first if view else 0,
        "rows": len(view.rows) if view else 0,
        "total": view.total if view else 0,
        "sources": list(shown["sources"]),
        "services": list(shown["services"]),
    }

"""Runs the review page on a loopback port until it is interrupted."""

from __future__ import annotations

import logging
import socket
import webbrowser
from collections.abc import Sequence
from pathlib import Path

import click
from werkzeug.serving import BaseWSGIServer, make_server

from ..errors import BadOption
from .app import create_app
from .security import Guard
from .store import Store


def start(file: Path, logs: Sequence[str] = (), port: int = 0) -> tuple[BaseWSGIServer, Guard]:
    """The server, not yet running, and the guard that knows its link. Raises BadOption for a port that is taken."""
    guard = Guard()
    app = create_app(Store(file), guard, logs)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # its log would show the token
    with socket.socket() as place:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            place.bind((guard.host, port))
        except OSError as error:
            raise BadOption(
                f"Port {port} of {guard.host} cannot be used ({error.strerror}); leave --port out for a free one."
            ) from error
        place.listen()
        guard.port = int(place.getsockname()[1])
        server = make_server(guard.host, port, app, threaded=True, fd=place.fileno())  # it takes a copy
    return server, guard


def serve(file: Path, logs: Sequence[str], port: int, *, browser: bool) -> None:
    """Serves the page, says where, and stops at Ctrl+C."""
    server, guard = start(file, logs, port)
    click.echo(f"retrolog: {file} is open at {guard.url}", err=True)
    click.echo("retrolog: the link works once; every change is saved; Ctrl+C ends it", err=True)
    if browser:
        webbrowser.open(guard.url)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        click.echo("", err=True)
    finally:
        server.server_close()

"""Endpoints: which parts of a path are values, and which are pages."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrolog.pipeline.counting.endpoints import OTHER, _of, coarser, endpoints, forms, grouped

PATHS = [
    ("/product/42", "/product/{id}"),
    ("/product/42/image?w=300", "/product/{id}/image"),
    ("/v1/users/12/34/orders", "/v1/users/{id}/{id}/orders"),
    ("/a/550e8400-e29b-41d4-a716-446655440000/b", "/a/{id}/b"),
    ("/api/v2/items/abc12def3", "/api/v2/items/{id}"),
    ("/orders/order-10482", "/orders/{id}"),
    ("/calendar/2026-11-23", "/calendar/{id}"),
    ("/u/@anna", "/u/{id}"),
    ("/mail/anna@example.com", "/mail/{id}"),
    ("/tag/caf%C3%A9", "/tag/{id}"),
    ("/share/kJ8sPq2LmN4vB7xZ1cDe", "/share/{id}"),
    ("/static/app.js", "/static/app.js"),
    ("/static/app.3f9a2b1c.js", "/static/app.{id}.js"),
    ("/img/1234.jpg", "/img/{id}.jpg"),
    ("/feed.xml", "/feed.xml"),
    ("/wp-login.php", "/wp-login.php"),
    ("/oauth2/token", "/oauth2/token"),
    ("/account/orders", "/account/orders"),
    ("/account/orders/", "/account/orders/"),
    ("http://shop.example/z/12/?q", "/z/{id}/"),
    ("/search;jsessionid=1A2B?q=x", "/search"),
    ("//double//slash", "/double/slash"),
    ("/", "/"),
    ("", "/"),
    ("?q=1", "/"),
    ("*", "*"),
    (None, None),
]


@pytest.mark.parametrize(("path", "endpoint"), PATHS)
def test_endpoint(path: str | None, endpoint: str | None) -> None:
    assert endpoints(pa.array([path], pa.string())).to_pylist() == [endpoint]


def test_whole_column_at_once() -> None:
    paths = pa.array([path for path, _ in PATHS], pa.string())
    expected = [endpoint for _, endpoint in PATHS]
    assert endpoints(paths).to_pylist() == expected
    assert endpoints(paths.dictionary_encode()).to_pylist() == expected
    assert endpoints(pa.chunked_array([paths[:3], paths[3:]])).to_pylist() == expected
    assert endpoints(paths[5:9]).to_pylist() == expected[5:9]
    assert endpoints(paths[:0]).to_pylist() == []


PART = st.text("ab/019.-_?%é", max_size=12)


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), PART, PART.map(lambda path: "/" + path + "/12345")), max_size=20))
def test_numbers_of_one_length_are_told_once(paths: list[str | None]) -> None:
    column = pa.array(paths, pa.string())
    assert endpoints(column).to_pylist() == [endpoints_one_by_one(path) for path in paths]
    forms(column).validate(full=True)


def endpoints_one_by_one(path: str | None) -> str | None:
    text = pa.array([path], pa.string())
    return str(_of(text)[0].as_py()) if path is not None else None


def test_pages_are_never_one_endpoint_because_there_are_many() -> None:
    words = ["about", "contact", "cart", "checkout", "login", "logout", "search", "terms", "jobs", "press"]
    assert endpoints(pa.array(["/" + word for word in words])).to_pylist() == ["/" + word for word in words]


def test_deep_and_long_paths_are_cut() -> None:
    (deep,) = endpoints(pa.array(["/a/b/c" * 50])).to_pylist()
    assert deep.endswith("/...")
    (long,) = endpoints(pa.array(["/" + "x y" * 10_000])).to_pylist()
    assert len(long) < 500


def test_names_in_paths_are_grouped_when_there_are_too_many() -> None:
    pages = [f"/wiki/Page_{chr(97 + k // 26)}{chr(97 + k % 26)}/history" for k in range(50)]
    found = grouped([*pages, "/wiki/Main", "/login"])
    assert set(found[:50]) == {"/wiki/{name}/history"}
    assert found[50:] == ["/wiki/Main", "/login"]
    assert grouped(list(reversed(pages))) == ["/wiki/{name}/history"] * 50
    assert grouped(pages[:20]) == pages[:20]


def test_coarser_in_steps_is_coarser_at_once() -> None:
    values = pa.array(["/a/b/c/d/e/f", "/a/b", "/", None, "*"])
    for low in range(5):
        for high in range(low, 5):
            assert coarser(coarser(values, low), high).equals(coarser(values, high))
    assert coarser(values, 2).to_pylist() == ["/a/b/...", "/a/b", "/", None, "*"]
    assert coarser(values, 4).to_pylist() == [OTHER, OTHER, OTHER, None, OTHER]


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=50)), max_size=10))
def test_any_text_has_an_endpoint_that_stays(paths: list[str | None]) -> None:
    once = endpoints(pa.array(paths, pa.string()))
    once.validate(full=True)
    assert len(once) == len(paths)
    apart = [endpoints(pa.array([path], pa.string())).to_pylist()[0] for path in paths]
    assert once.to_pylist() == apart

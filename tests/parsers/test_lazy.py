"""Patterns that wait: they answer like compiled ones, and every one that the formats hold can be compiled."""

from __future__ import annotations

import copy
import pickle
import pkgutil
import re
from importlib import import_module

import pytest

from retrolog.parsers import formats
from retrolog.parsers.lazy import lazily

MODULES = [module.name for module in pkgutil.iter_modules(formats.__path__)]


def test_it_answers_like_the_compiled_one() -> None:
    waiting, compiled = lazily(r"(?P<word>[a-z]+)\.", re.IGNORECASE), re.compile(r"(?P<word>[a-z]+)\.", re.IGNORECASE)
    for _ in range(2):
        found = waiting.search("1 Word. x")
        assert found is not None
        assert found.re == compiled
        assert found["word"] == "Word"
    assert waiting.pattern == compiled.pattern
    assert waiting.groupindex == compiled.groupindex
    assert waiting.sub("", "a.b.") == ""
    assert lazily(rb"\d+").findall(b"1 22") == [b"1", b"22"]


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_it_may_be_sent_to_a_worker_before_and_after_its_first_use(again) -> None:  # type: ignore[no-untyped-def]
    pattern = lazily("a+")
    assert again(pattern).fullmatch("aa")
    assert pattern.match("a")
    assert again(pattern).fullmatch("aa")


def test_a_wrong_pattern_raises_at_its_first_use() -> None:
    wrong = lazily("(")
    with pytest.raises(re.error):
        wrong.match("")


@pytest.mark.parametrize("name", MODULES)
def test_every_pattern_of_a_format_compiles(name: str) -> None:
    module = import_module(f"{formats.__name__}.{name}")
    held = [value for value in vars(module).values() if type(value) is type(lazily(""))]
    held += [form.pattern for form in getattr(module, "FORMATS", ()) if form.pattern is not None]
    for pattern in held:
        assert pattern.groups >= 0

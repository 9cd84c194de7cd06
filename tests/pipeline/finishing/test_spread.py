"""How an outage spread, drawn from the steps of a document."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from retrolog.pipeline.finishing import spread

BODY = """**How it spread**, by the first error of each writer:

1. **db** at 10:42:01, 2 s before the onset: db: too many connections. [E3]
2. **`shop/app.log`** at 10:42:03, with the onset: shop: order 7 failed. [E4]
"""


def test_steps_are_read_from_the_list() -> None:
    assert spread.steps(BODY) == [spread.Step("10:42:01", "db"), spread.Step("10:42:03", "shop/app.log")]


def test_a_flowchart_has_a_node_a_step_and_an_arrow_between() -> None:
    chart = spread.mermaid(spread.steps(BODY))
    assert chart.startswith("```mermaid\nflowchart LR\n")
    assert chart.count("-->") == 1
    assert "shop/app.log" in chart


def test_one_writer_alone_is_no_spread() -> None:
    assert spread.mermaid(spread.steps(BODY)[:1]) == spread.svg(spread.steps(BODY)[:1]) == ""


@given(st.lists(st.text(max_size=40), min_size=2, max_size=6))
def test_names_of_writers_stay_text(names: list[str]) -> None:
    body = "\n".join(f"{at}. **{name}** at 10:00:0{at}, 1 s after the onset: x" for at, name in enumerate(names, 1))
    found = spread.steps(body)
    drawing = spread.svg(found)
    if drawing:
        assert all(node.tag.endswith(("figure", "svg", "rect", "text", "path")) for node in ElementTree.fromstring(drawing).iter())
        assert not set('"<>{}[]|;#') & set("".join(step.name for step in found))

# `make demo` drafts and renders the sample outage on a fresh machine; `make test` sets up and tests.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test lint score clean

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

demo: $(STAMP)
	mkdir -p out
	$(BIN)/retrolog draft samples/db-connections/logs --from "2026-11-23 12:02" --to 12:08 --tz Europe/Berlin -o out/postmortem.md
	$(BIN)/retrolog render out/postmortem.md -o out/postmortem.html
	@echo
	@echo "The draft:  out/postmortem.md    (edit it, or: $(BIN)/retrolog review out/postmortem.md)"
	@echo "The report: out/postmortem.html  (open it in a browser)"
	@echo "Next: answer the questions in the draft, then render it again."

test: $(STAMP) lint
	$(BIN)/python -m pytest

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pyright

# OUTAGES is a folder of recorded outages with ground truth and its score.py
OUTAGES ?= ../shared/outages
score: $(STAMP)
	RETROLOG="$(abspath $(BIN))/retrolog" $(PYTHON) $(OUTAGES)/score.py

clean:
	rm -rf $(VENV) out build dist *.egg-info

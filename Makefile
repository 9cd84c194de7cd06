# `make demo` drafts and renders the sample outage on a fresh machine; `make test` sets up, checks and tests.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# tests run in so many processes
JOBS ?= auto

.PHONY: demo test lint score clean

demo: $(VENV)/.installed
	mkdir -p out
	$(BIN)/retrolog draft samples/db-connections/logs --from "2026-11-23 12:02" --to 12:08 --tz Europe/Berlin -o out/postmortem.md
	$(BIN)/retrolog render out/postmortem.md -o out/postmortem.html
	@echo
	@echo "The draft:  out/postmortem.md    (edit it, or: $(BIN)/retrolog review out/postmortem.md)"
	@echo "The report: out/postmortem.html  (open it in a browser)"
	@echo "Next: answer the questions in the draft, then render it again."
	@echo "Your own logs: $(BIN)/retrolog find /var/log --tz Europe/Berlin"

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.developing: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $(VENV)/.installed $@

test: lint
	$(BIN)/python -m pytest -n $(JOBS)

lint: $(VENV)/.developing
	$(BIN)/ruff check .
# mypy takes the checkout for a package of its folder's name, which may be none (postmortem-tool): it gets one that is
	mkdir -p $(VENV)/checked && ln -sfn "$(CURDIR)" $(VENV)/checked/retrolog
	MYPYPATH=$(VENV)/checked $(BIN)/mypy -p retrolog.pipeline -p retrolog.parsers
	$(BIN)/pyright --pythonpath $(BIN)/python

# make score OUTAGES=FOLDER, a folder of recorded outages with ground truth and its score.py
score: $(VENV)/.installed
	@test -n "$(OUTAGES)" || { echo "name the recorded outages: make score OUTAGES=FOLDER"; exit 2; }
	RETROLOG="$(abspath $(BIN))/retrolog" $(PYTHON) $(OUTAGES)/score.py

clean:
	rm -rf $(VENV) out build dist *.egg-info

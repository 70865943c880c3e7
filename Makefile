# Everything sets itself up: all that is needed is make and Python 3.11 or newer (PYTHON=python3.12 to choose one).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
EXAMPLE := examples/sast-2026

# Tests start kpixl some hundred times: without compiled modules each start takes three times as long.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test applications coverage portability lint docs bench fuzz edits sheet-law byte-equality clean laws

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(STAMP): setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "kpixl needs Python 3.11 or newer: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(STAMP) ## consolidate the example's returned files into out/
	@mkdir -p out
	$(BIN)/kpixl consolidate $(EXAMPLE)/returned --roster $(EXAMPLE)/roster.yaml -o out/2026.yaml
	$(BIN)/kpixl publish out/2026.yaml -o out/2026.html
	@echo
	@echo "Wrote into out/, from the workbooks in $(EXAMPLE)/returned:"
	@echo "  2026.yaml          the consolidated data"
	@echo "  2026.sources.json  the file, sheet and cell that each value came from"
	@echo "  2026.xlsx          the summary workbook: open it in Excel, WPS Office or LibreOffice"
	@echo "  2026.html          the page for publication: open it in a browser"

# Tests that share what takes long to make are a group, and a group stays in one worker.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadgroup
QUICK := not application and not slow

test: $(STAMP) ## run the tests that are quick and start no other program
	$(PYTEST) -m "$(QUICK)"

coverage: $(STAMP) ## run the tests of portfolio, problems and checks; hold their floor of lines and branches (setup.cfg)
	$(PYTEST) -m "$(QUICK)" --cov --cov-report=term tests/portfolio tests/problems tests/checks

applications: $(STAMP) ## run the others: they drive LibreOffice, Gnumeric, a browser and more, or are slow
	$(PYTEST) -m "not ($(QUICK))"

portability: $(STAMP) ## run the tests of processes, disk and interrupts without what Windows lacks
	PYTHONPATH=tests/windows $(BIN)/python -m pytest -q -n 2 --dist worksteal tests/test_parallel.py tests/test_disk.py \
	    tests/test_interrupts.py tests/collection/test_executors.py tests/readers/test_hostile.py \
	    tests/output/test_annotate.py

lint: $(STAMP) ## check style, types, layers and complexity
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/complexipy

docs: $(STAMP) ## regenerate the generated parts of the documentation
	$(BIN)/python docs/generate.py

bench: $(STAMP) ## measure time and memory; takes some minutes
	$(BIN)/python benchmarks/run.py

fuzz: $(STAMP) ## read 20,000 broken files; takes some minutes
	$(BIN)/python tests/fuzz/run.py --count 20000

laws: $(STAMP) ## hold the laws of merging in 10,000 cases each; takes some minutes
	KPIXL_LAW_CASES=10000 $(BIN)/python -m pytest tests/laws/test_merging.py -q

edits: $(STAMP) ## read 2,000 workbooks edited in four applications; takes some minutes
	$(BIN)/python tests/laws/run_edits.py --count 2000

sheet-law: $(STAMP) ## compare the status of 600 recalculated sheets with the check; takes some minutes
	$(BIN)/python tests/laws/run_sheet.py --count 600

byte-equality: $(STAMP) ## compare what is read with what an earlier commit read; takes some minutes
	$(BIN)/python tests/laws/run_byte_equality.py

clean: ## remove everything that was built
	rm -rf $(VENV) out build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .complexipy_cache
	rm -rf tests/node/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

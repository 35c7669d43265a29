# make app: set up and open the demo. make web: build the static site, whose networks run in the browser,
# and serve it (make web-build: the first alone). make test: set up, then style, types, layers and every behaviour.
# make test-all: that, and the slow tests: browsers, kills, many processes, hostile requests. make check:
# style, types, layers, and the quick tests of the folders that were changed. All may be repeated.
# After new weights: make gallery draws what the demo opens with; make evaluation measures both networks
# (with DATA=folder); make results writes the figures into README.md and the model cards; and
# python -m tests.tools.golden draws the images that every machine must repeat.
# make audit: are there known vulnerabilities in what is installed? make licences: its licences.

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3.14 python3,\
	$(shell command -v $(name))))
VENV := .venv
BIN := $(VENV)/bin

.PHONY: app web web-build static check test test-all audit licences gallery evaluation results clean

app: $(VENV)/app-ready
	$(BIN)/python app.py

web: $(VENV)/web-ready
	$(BIN)/python -m fashion_ddpm export-web --output build/web --serve

web-build: $(VENV)/web-ready
	$(BIN)/python -m fashion_ddpm export-web --output build/web

# There is a test process for each core; with more than one thread each, they would wait for one
# another at every operation. Files are begun in their order, not those with the most tests first:
# the longest has few.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses logical --maxprocesses 8 \
	--dist loadfile --no-loadscope-reorder

# The tests of what differs from the last commit: tests/core for fashion_ddpm/core/x.py, tests/test_app.py
# for app.py. What all tests share (tests/tools, tests/conftest.py) is left to make test.
CHANGED = $(filter-out tests/tools,$(wildcard $(sort $(shell \
	{ git diff --name-only HEAD; git ls-files --others --exclude-standard; } | sed -nE \
		-e 's,^(fashion_ddpm|tests)/([a-z_]+)/.*,tests/\2,p' -e 's,^(tests/test_[a-z_]+\.py)$$,\1,p' \
		-e 's,^(fashion_ddpm/)?_*([a-z_]*[a-z])_*\.py$$,tests/test_\2.py,p'))))

static: $(VENV)/test-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m tests.tools.check_types

check: static
	$(if $(CHANGED),$(PYTEST) -m "not slow" $(CHANGED),@echo "No package differs from the last commit.")

test: static
	$(PYTEST) -m "not slow"

test-all: test
	$(PYTEST) -m slow

# pip-audit ends with 1 for a vulnerability, and also where it cannot ask: only that is no failure.
audit: $(VENV)/test-ready
	@said=$$($(BIN)/pip-audit --progress-spinner off --timeout 5 2>&1) && echo "$$said" || \
	case "$$said" in \
		*"Found "*" known vulnerabilit"*) echo "$$said"; exit 1 ;; \
		*) echo "audit skipped: the vulnerability database cannot be reached:"; \
			echo "$$said" | tail -n 1 ;; \
	esac

licences: $(VENV)/test-ready
	$(BIN)/pip-licenses --from=mixed --format=markdown --order=license

gallery: $(VENV)/app-ready
	$(BIN)/python -m fashion_ddpm gallery

evaluation: $(VENV)/app-ready
	$(BIN)/python -m fashion_ddpm evaluate --output docs/evaluation $(if $(DATA),--data-dir $(DATA))
	$(BIN)/python -m fashion_ddpm evaluate --output docs/evaluation/distilled --sampler turbo \
		--checkpoint checkpoints/fashion-mnist-turbo $(if $(DATA),--data-dir $(DATA))

results: $(VENV)/app-ready
	$(BIN)/python -m fashion_ddpm results

$(VENV)/app-ready: requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --requirement requirements.txt
	touch $@

$(VENV)/web-ready: requirements-web.txt requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --requirement requirements-web.txt
	touch $@ $(VENV)/app-ready

# The tests use no network, so the npm packages of the site and of its checks are installed first.
$(VENV)/test-ready: requirements-dev.txt requirements-web.txt requirements.txt \
		fashion_ddpm/web/package-lock.json | $(BIN)/python
	$(BIN)/python -m pip install --requirement requirements-dev.txt
	$(BIN)/python -m tests.tools.node
	touch $@ $(VENV)/app-ready $(VENV)/web-ready

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)

clean:
	rm -rf $(VENV)

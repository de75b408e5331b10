# The two commands of the README on a fresh machine: make demo [TASK=anomaly], make test. And make reference, which takes
# hours: all networks, studies, figures and numbers of the documents.
TASK ?= jets
jets_EXPERIMENT := jets_qat
anomaly_EXPERIMENT := ad_ae_qat
EXPERIMENT := $($(TASK)_EXPERIMENT)
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test reference
demo: .venv/installed
	@test -n "$(EXPERIMENT)" || { echo "TASK=$(TASK): must be jets or anomaly"; exit 2; }
	@$(BIN)/python docs/demo.py experiment=$(EXPERIMENT) output=checkpoints/$(EXPERIMENT)/$$(date +%Y-%m-%d_%H-%M-%S)

# tests in the order of their names: those of tests/pipeline, the longest, must not come last
test: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

reference: .venv/installed-dev
	$(BIN)/python docs/make.py

.venv/installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "nanotrigger needs Python 3.11 or newer; give PYTHON=...")'
	@echo "installing into .venv: about 1 GB to download, several with the CUDA libraries of a GPU"
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --disable-pip-version-check --editable .
	touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/pip install --quiet --editable ".[dev,simulate,synthesis]"
	touch $@

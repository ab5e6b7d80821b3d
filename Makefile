# One command for each thing one does here; `make` alone lists them.
#
#   make lab PYTHON=python3.12          with another Python (`make clean` first if there is a .venv)
#   make lab ARGS=--no-browser          options for JupyterLab
#   make test ARGS="tests -k schedule"  options for pytest (`-n 0` runs one test after the other)

PYTHON ?= python3
ARGS =

BIN = .venv/bin
# Processes with one thread each: busy threads that wait for each other cost more than they bring.
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder
# Where torch publishes its builds without CUDA. Other names may be given: make lab TORCH_CPU=ADDRESS
TORCH_CPU = https://download.pytorch.org/whl/cpu
INSTALL = PYTHON="$(PYTHON)" TORCH_CPU="$(TORCH_CPU)" sh tools/install.sh

# Containers set it: then each of a thousand processes would compile torch and Jupyter for itself, eight seconds each.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help lab test test-all test-matrix lint bench book address clean

help:
	@echo "make lab            open the lessons in JupyterLab (the first time: install everything in .venv)"
	@echo "make test           run every lesson, and every test but the long ones"
	@echo "make test-all       run everything: also optional notebooks, website, JupyterLab, the grading's sandbox (Linux)"
	@echo "make test-matrix    run the fast tests with the lowest, tested, newest and Colab's versions (uv, hours)"
	@echo "make lint           check the style and the types of the code, and the form of the notebooks"
	@echo "make bench          measure the course, some of it beside other packages: ten minutes, tables"
	@echo "make book           make the website of the course in build/book"
	@echo "make address        set the repository's address in every file: make address REPO=owner/name"
	@echo "make clean          remove .venv, to start afresh"

lab: .venv/lab-installed
	@echo "Opening JupyterLab in notebooks/. Begin with 01_intuition.ipynb. Stop with Ctrl-C."
	$(BIN)/python -m jupyterlab --notebook-dir=notebooks $(ARGS)

test: .venv/test-installed
	@echo "Running every test and every lesson: some minutes."
	$(PYTEST) $(ARGS)

test-all: .venv/test-installed
	$(PYTEST) -m "long or not long" $(ARGS)

test-matrix: .venv/matrix-installed
	$(BIN)/python tools/matrix.py $(ARGS)

lint: .venv/test-installed
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/python tests/lint_notebooks.py

bench: .venv/bench-installed
	$(BIN)/python benchmarks/bench.py $(ARGS)

book: .venv/book-installed
	@echo "Making the website in build/book. The first time it runs every notebook: some minutes."
	$(BIN)/python tools/book.py $(ARGS)

address:
	@$(PYTHON) tools/address.py "$(REPO)"

clean:
	rm -rf .venv

# The files below are written only after an installation has succeeded. So an interrupted one
# is taken up again by the next command, a finished one is never repeated, and a change of
# pyproject.toml or constraints.txt installs what is new.

.venv/lab-installed: pyproject.toml constraints.txt
	@echo "Installing the course in .venv: a few minutes, once. Safe to interrupt and to repeat."
	@$(INSTALL) lab
	@touch $@

.venv/test-installed: pyproject.toml constraints.txt  # all that the lab needs is among it
	@echo "Installing what the tests need in .venv: a few minutes, once. Safe to interrupt and to repeat."
	@$(INSTALL) test,lint
	@touch .venv/lab-installed $@

.venv/matrix-installed: .venv/lab-installed
	@$(INSTALL) matrix
	@touch $@

.venv/bench-installed: .venv/lab-installed
	@echo "Installing what the course is compared with in .venv: about a minute, once."
	@$(INSTALL) bench
	@touch $@

.venv/book-installed: .venv/lab-installed
	@echo "Installing what the website needs in .venv: less than a minute, once."
	@$(INSTALL) book
	@touch $@

# Where the Python behind .venv has gone, or the folder has moved since, all is installed anew.
ifneq ($(shell test -x $(BIN)/python && $(BIN)/python -I -c "import pip, diffusion_course" 2>&1 && echo whole),whole)
.PHONY: .venv/lab-installed .venv/test-installed
endif

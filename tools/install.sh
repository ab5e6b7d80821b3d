#!/bin/sh
# Installs the course in .venv with the extras named: `sh tools/install.sh lab`. Safe to interrupt and to repeat.
# From the environment: PYTHON, and TORCH_CPU, the index where torch publishes its builds without CUDA.
set -eu

stop() {
  echo "$1" >&2
  exit 1
}

say_how_far() { # pip can be silent for minutes
  begin=$(date +%s)
  while sleep 8 >/dev/null 2>&1; do
    echo "  … $(($(date +%s) - begin)) s, $(du -sm .venv 2>/dev/null | cut -f 1) MB in .venv"
  done
}

pip() { # without compiling all that most learners never import: quicker, and 220 MB less
  .venv/bin/python -m pip install --quiet --progress-bar off --no-compile --constraint constraints.txt "$@"
}

make_environment() {
  [ -e .venv/lab-installed ] && .venv/bin/python -m pip --version >/dev/null 2>&1 && return
  "$PYTHON" -c "import sys; sys.exit(sys.version_info < (3, 10))" ||
    stop "The course needs Python 3.10 or newer. Name one: make lab PYTHON=python3.12"
  "$PYTHON" -c "import ensurepip, venv" ||
    stop "This Python cannot make environments. On Debian or Ubuntu: apt install python3-venv"
  "$PYTHON" -m venv --clear .venv # what an interruption has left is of no use; pip still has what it downloaded
}

install_torch() { # alone and first, for only Linux has several builds of it under one name
  [ "$(uname -s)" = Linux ] || return 0
  if nvidia-smi -L >/dev/null 2>&1; then
    echo "There is an NVIDIA card: torch comes with CUDA, 5 GB in all."
    return
  fi
  echo "There is no NVIDIA card (nvidia-smi finds none): torch comes without CUDA, 1.2 GB in all."
  pip --index-url "$TORCH_CPU" --timeout 10 --retries 0 --no-deps torch 2>/dev/null ||
    echo "But $TORCH_CPU does not answer: torch comes from where pip finds it, perhaps with CUDA, 5 GB in all."
}

say_how_far &
trap 'kill $! 2>/dev/null || true' EXIT
trap 'echo "Stopped. What was downloaded is kept: the same command goes on."; exit 130' INT TERM
make_environment
install_torch
pip --editable ".[$1]" || stop "The installation failed, for the reason above. What was downloaded is kept: try again."

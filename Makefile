# Each target sets up what it needs on first use: R, .venv, the package (see .ci/setup).
# Options: PYTHON=/path/to/python3, and ARGS="…" handed to `matbackprop verify` or pytest.

.PHONY: help verify test lint vignettes clean
.NOTPARALLEL:
# IPython would put the packages of whatever environment is active before those of .venv.
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME

help:
	@echo 'make verify     compare R with Python, number by number'
	@echo 'make test       run all tests, those with R too'
	@echo 'make lint       check style, format and types'
	@echo 'make vignettes  build the pages, into vignettes/_build/html'
	@echo 'make clean      remove .venv and everything built'

verify:
	@sh .ci/setup verify
	@.venv/bin/matbackprop verify $(ARGS)

test:
	@sh .ci/setup develop
	@.venv/bin/python -m pytest $(ARGS)

lint:
	@sh .ci/setup develop
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

# -E reads every page again, so that every cell runs; -W makes a warning an error.
vignettes:
	@sh .ci/setup develop
	.venv/bin/sphinx-build -E -W --keep-going -q -d vignettes/_build/doctrees vignettes vignettes/_build/html
	@echo 'built vignettes/_build/html/index.html'

clean:
	rm -rf .venv build dist vignettes/_build .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

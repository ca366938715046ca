# Every target sets up .venv first; once that is done it costs nothing.
PYTEST := .venv/bin/python -m pytest
# as many processes as there are cores, within reason: each loads torch
SPREAD := -n auto --maxprocesses 8
# exit code 5: the lane holds no test
LANE = $(PYTEST) -m "$(1)" $(2) || [ $$? -eq 5 ]

# where it is set, every program that a test starts would compile all it imports again
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test test-slow test-full test-properties test-browser test-gpu sites sites-large test-sites lint lock docs clean

help:                 ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1 /p' Makefile | awk '{n=$$1; $$1=""; printf "  make %-16s%s\n", n, $$0}'

setup:                ## make .venv ready
	@bash scripts/setup.sh

demo: setup           ## answer a question in a website generated on this machine, without a model
	@.venv/bin/webfarer demo

test: setup           ## run the fast lane: no network, a minute or two
	$(PYTEST) $(SPREAD)

test-slow: setup      ## run the slow lane
	$(call LANE,slow and not full and not sites and not browser and not gpu,$(SPREAD))

test-full: setup      ## run the slow tests at the size of the claims they stand for: half an hour
	$(call LANE,full,$(SPREAD))

test-properties: setup ## run the property tests of the fast lane with more examples
	HYPOTHESIS_PROFILE=wide $(call LANE,hypothesis and not slow and not full and not sites and not browser and not gpu,$(SPREAD))

test-browser: setup   ## run the tests that start Chromium
	$(call LANE,browser,)

test-gpu: setup       ## run the tests that need a GPU; without one they skip
	$(call LANE,gpu,)

sites:                ## unpack five documentation sites (Debian packages) into .cache/sites
	@bash scripts/sites.sh

sites-large: sites    ## … and seven larger ones: the 10,000 pages that `webfarer bench search` asks for (0.6 GB)
	@bash scripts/sites.sh python-django-doc postgresql-doc-15 cmake-doc python-sqlalchemy-doc \
	  libstdc++-12-doc openjdk-17-doc debian-faq-zh-cn

test-sites: setup     ## run the tests that walk those sites
	$(call LANE,sites,)

lint: setup           ## check style, types and the floors
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

lock: setup           ## pin the versions that pyproject.toml allows
	UV_FIND_LINKS="$$(.venv/bin/python -m pip config get global.find-links 2>/dev/null)" .venv/bin/uv pip compile -q pyproject.toml --group dev --all-extras --universal --python-version 3.11 \
	  --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" -o requirements.lock
	@# one torch, whose own build names what it needs: CPU or CUDA
	sed -i -e '/^\(cuda-\|nvidia-\|triton==\|torch==[0-9.]* ;\)/d' -e 's/^\(torch==[0-9.]*\)+.*/\1/' requirements.lock

docs: setup           ## rewrite what is generated in docs/
	.venv/bin/python scripts/docs.py
	.venv/bin/python scripts/reference.py

clean:                ## remove .venv and every cache
	rm -rf .venv .cache .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache dist

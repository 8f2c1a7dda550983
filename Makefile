# Two commands on a fresh machine: `make demo` and `make test`. They set up what they need.
# Needed beforehand: Python >= 3.10, make, git; for the Pulumi engine see tools/engine/find.py.
PY := .venv/bin/python
STAMP := .venv/.installed
SDKS := .venv/sdks
OLDEST := .venv/oldest
OLDEST_PYTHON = python3.10
PYTHON = python3.13
OTHER = .venv/other/$(notdir $(PYTHON))
OTHER_ARGS = tests/unit tests/contract tests/upgrades tests/engine/test_state.py
PIP := $(PY) -m pip install --quiet --disable-pip-version-check
# Twice as many as there are cores: tests of interrupted updates mostly wait, and each worker collects all tests.
PYTEST_ARGS = -n $$(python3 -c 'import os; print(2 * (os.cpu_count() or 1))') --dist worksteal

# .venv/bin comes first because a language host that we built runs the `python3` of PATH.
WITH_ENGINE = engine="$$($(PY) tools/engine/find.py)" && PATH="$(CURDIR)/.venv/bin:$$engine:$$PATH"

.PHONY: help venv sdks pyright judges engine demo test test-long oldest other soak track-record bench site template lint types format check-format docs check-docs imports shell env lock clean

help:  ## this list
	@awk -F ':.*## *' '/^[a-z-]+:.*##/ { printf "%-14s %s\n", $$1, $$2 }' Makefile

venv: $(STAMP)  ## the Python environment .venv, from the hash-locked requirements.lock

# pip brings an older .venv up to date, so it is not thrown away when the lock changes.
$(STAMP): requirements.lock pyproject.toml
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 10) and "python3 on PATH is %d.%d, but 3.10 or later is needed" % sys.version_info[:2])'
	python3 -m venv .venv
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

sdks: $(SDKS)/.installed  ## the vendors' SDKs for tests/vendor, in a folder of their own in .venv

# Two of them come as source only; setuptools of the lock builds them, as pip would fetch another from outside of it.
# crcmod does without a C compiler. What they need beside these, the environment has.
$(SDKS)/.installed: tests/vendor/requirements.txt $(STAMP)
	rm -rf $(SDKS)
	$(PIP) --require-hashes --no-deps --use-pep517 --no-build-isolation --target $(SDKS) -r $<
	@touch $@

# One program a language; those whose compilers are here are built. Versions are pinned with checksums: go.sum,
# package-lock.json, and a list of our own for Maven, which has none.
JUDGES := .venv/judges
JUDGED := $(foreach pair,go:go node:npm java:mvn,$(if $(shell command -v $(lastword $(subst :, ,$(pair)))),$(firstword $(subst :, ,$(pair)))))

PYRIGHT := .venv/pyright

$(PYRIGHT)/.installed: tests/packaging/pyright/requirements.txt $(STAMP)
	rm -rf $(PYRIGHT)
	$(PIP) --require-hashes --no-deps --target $(PYRIGHT) -r $<
	@touch $@

pyright: venv $(PYRIGHT)/.installed  ## the type checker of editors finds what is misspelt in a program
	$(PY) -m pytest tests/packaging/test_pyright.py -rs

judges: venv sdks $(JUDGED:%=$(JUDGES)/%/.built)  ## the vendors' SDKs in Go, Node.js and Java against the emulator, by https
	$(PY) -m pytest tests/vendor/test_judges.py -rs

$(JUDGES)/go/.built: $(wildcard tests/vendor/judges/go/*)
	@mkdir -p $(@D)
	cd tests/vendor/judges/go && go build -mod=readonly -o $(CURDIR)/$(@D)/judge .
	@touch $@

$(JUDGES)/node/.built: $(wildcard tests/vendor/judges/node/*)
	@mkdir -p $(@D)
	cp $^ $(@D)
	cd $(@D) && npm ci --silent --ignore-scripts --no-audit --no-fund
	@touch $@

$(JUDGES)/java/.built: $(wildcard tests/vendor/judges/java/*)
	@mkdir -p $(@D)
	mvn --quiet --batch-mode --strict-checksums --file tests/vendor/judges/java/pom.xml \
	  dependency:copy-dependencies -DoutputDirectory=$(CURDIR)/$(@D)/lib
	cd $(@D)/lib && sha256sum --check --strict --quiet $(CURDIR)/tests/vendor/judges/java/checksums
	javac -cp '$(@D)/lib/*' -d $(@D) tests/vendor/judges/java/Judge.java
	@touch $@

engine: venv  ## a Pulumi engine; the last line is the folder that holds it
	@$(PY) tools/engine/find.py

demo: venv  ## the main job, against the emulated clouds
	@$(WITH_ENGINE) exec $(PY) -m tools.demo  # exec: so that a signal to make reaches the demo

test: venv sdks  ## the tests, but the long ones (fewer: make test PYTEST_ARGS='tests/setup -x')
	@$(WITH_ENGINE) $(PY) -m pytest -m 'not long' $(PYTEST_ARGS)

test-long: venv sdks  ## the long tests: each mistake of docs/errors.md, the how-tos, the template, campaigns, more of what `make test` tries
	@$(WITH_ENGINE) ALL_EXAMPLES=1 $(PY) -m pytest -m 'long or examples' $(PYTEST_ARGS)

SITE := .venv/site

$(SITE)/.installed: tools/site/requirements.txt $(STAMP)
	rm -rf $(SITE)
	$(PY) -m venv $(SITE)
	$(SITE)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $<
	@touch $@

site: $(SITE)/.installed  ## the documentation as a site in build/site/html; fails for a link that leads nowhere
	@$(PY) -m tools.site

# The lock's tools, and over them the oldest of everything that users may have beside the package.
$(OLDEST)/.installed: requirements.lock tests/packaging/oldest.txt pyproject.toml $(STAMP)
	$(OLDEST_PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/packaging/oldest.txt
	$(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# urllib3 2.2 leaves sockets to the collector, which may find them in any test.
oldest: $(OLDEST)/.installed  ## tests with the oldest Python and dependencies that are supported
	@$(WITH_ENGINE) && PATH="$(CURDIR)/$(OLDEST)/bin:$$PATH" && \
	python -m pytest -W ignore::pytest.PytestUnraisableExceptionWarning $(PYTEST_ARGS) $(OTHER_ARGS)

$(OTHER)/.installed: requirements.lock pyproject.toml $(STAMP)
	$(PYTHON) -m venv $(OTHER)
	$(OTHER)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(OTHER)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

other: $(OTHER)/.installed  ## tests with another Python: make other PYTHON=python3.13
	@$(WITH_ENGINE) && PATH="$(CURDIR)/$(OTHER)/bin:$$PATH" && python -m pytest $(PYTEST_ARGS) $(OTHER_ARGS)

SOAK_EXAMPLES = 20000
soak: venv  ## the long campaigns (fewer: SOAK_ARGS='--kills 20 --pauses 8 --clocks 12 --cases 40 --random-kills 4' HOSTILE_ARGS='--seconds 30' SOAK_EXAMPLES=500)
	@$(WITH_ENGINE) $(PY) -m tests.campaigns $(SOAK_ARGS)
	@$(PY) -m tests.hostile $(HOSTILE_ARGS)
	@$(PY) -m tests.hostile.bombs
	@PROMISE_EXAMPLES=$(SOAK_EXAMPLES) $(PY) -m pytest -q tests/promise/test_model.py::test_random_histories
	@ALL_EXAMPLES=others $(PY) -m pytest -q -m examples

track-record: venv  ## puts back each breach that there was, and expects the campaigns to find it (others: TRACK_ARGS='--seed 7')
	@$(WITH_ENGINE) $(PY) -m tests.campaigns.track_record $(TRACK_ARGS)

bench: venv sdks  ## what runs cost, beside other ways to start them (less: make bench BENCH_ARGS='--sizes 10 --rounds 1')
	@$(WITH_ENGINE) $(PY) -m bench $(BENCH_ARGS)

template: venv  ## puts the package into templates/, for `pulumi new` with the path of the folder there
	rm -rf build/lib build/bdist.* templates/cloud-runs-python/wheels
	$(PY) -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir templates/cloud-runs-python/wheels .

lint: venv  ## ruff
	$(PY) -m ruff check .

types: venv  ## mypy, strict
	$(PY) -m mypy

format: venv  ## put the code in ruff's format
	$(PY) -m ruff format .

check-format: venv  ## fail if `make format` would change something
	$(PY) -m ruff format --check .

docs: venv  ## write docs/resources/ anew, from the docstrings
	$(PY) -m tools.docs

check-docs: venv  ## fail if `make docs` would change something
	$(PY) -m tools.docs --check

imports: venv  ## the import contract of pyproject.toml
	.venv/bin/lint-imports

env: venv  ## settings for plain `pulumi up`: eval "$(make -s env)"
	@mkdir -p .pulumi-state
	@$(WITH_ENGINE) && quoted() { printf "%s='%s'" "$$1" "$$(printf %s "$$2" | sed "s/'/'\\\\''/g")"; } && \
	if [ -n "$$PULUMI_CONFIG_PASSPHRASE_FILE" ]; then \
	  phrase="$$(quoted PULUMI_CONFIG_PASSPHRASE_FILE "$$PULUMI_CONFIG_PASSPHRASE_FILE")"; \
	else phrase="$$(quoted PULUMI_CONFIG_PASSPHRASE "$$PULUMI_CONFIG_PASSPHRASE")"; fi && printf 'export %s\n' \
	  "PATH='$$PATH'" \
	  "PULUMI_HOME='$(CURDIR)/.pulumi-state/home'" \
	  "PULUMI_BACKEND_URL='file://$(CURDIR)/.pulumi-state'" \
	  "$$phrase" \
	  "PULUMI_PYTHON_CMD='$(CURDIR)/.venv/bin/python'" \
	  "PULUMI_SKIP_UPDATE_CHECK=1"

# A bash reads the user's start-up file first: it may put another Python, or another pulumi, in front of ours.
shell: venv  ## a shell in which plain `pulumi up` works, with its state in .pulumi-state
	@settings="$$($(MAKE) -s env)" && eval "$$settings" && unset MAKEFLAGS MFLAGS MAKELEVEL && \
	case "$$SHELL" in */bash) \
	  rc="$$(mktemp)" && printf '%s\n' "rm -f '$$rc'" '[ ! -f ~/.bashrc ] || . ~/.bashrc' \
	    'eval "$$(make -s -C "$(CURDIR)" env)"' >"$$rc" && exec "$$SHELL" --rcfile "$$rc" ;; \
	esac && exec "$${SHELL:-/bin/sh}"

COMPILE = uv pip compile --universal --python-version 3.10 --no-emit-index-url --no-header --no-annotate
NEWEST = $(COMPILE) --upgrade --generate-hashes
SHARED = certifi charset-normalizer idna requests urllib3 xmltodict

lock:  ## write the pinned versions anew, with the newest that are allowed (needs uv)
	$(NEWEST) --extra emulator --output-file requirements.lock pyproject.toml requirements.in
	$(NEWEST) --constraint requirements.lock $(SHARED:%=--no-emit-package %) \
	  --output-file tests/vendor/requirements.txt tests/vendor/requirements.in
	$(NEWEST) --output-file tools/site/requirements.txt tools/site/requirements.in
	$(NEWEST) --output-file tests/packaging/pyright/requirements.txt tests/packaging/pyright/requirements.in
	$(NEWEST) --resolution lowest-direct --extra emulator --output-file tests/packaging/oldest.txt pyproject.toml
	sed '/^-e/q' requirements.txt >requirements.new  # the head
	$(COMPILE) --quiet --constraint requirements.lock --extra emulator pyproject.toml >>requirements.new
	mv requirements.new requirements.txt

clean:  ## remove the environment and the caches in this checkout (not the engine, not .pulumi-state)
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

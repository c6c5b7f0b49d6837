# Each target installs what it needs.
PYTHON ?= python3.11
SEED ?= 0
WORKDIR ?= runs/demo-seed$(SEED)
PY = .venv/bin/python
export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: demo demo-seeds install test test-slow test-web

# Trains on images of shapes, evaluates, exports, and segments held-out images without TensorFlow.
demo: .venv/installed .venv-edge/installed
	$(PY) -m tf_layered_gan.main --config=configs/shapes.py --config.seed=$(SEED) --workdir=$(WORKDIR)
	$(PY) -m export.main --workdir=$(WORKDIR)
	.venv-edge/bin/edge-segmenter segment --model $(WORKDIR)/export/segmenter_int8.tflite \
		--input $(WORKDIR)/test/images --output $(WORKDIR)/segmented
	@echo "Look at $(WORKDIR)/report.html, $(WORKDIR)/samples and $(WORKDIR)/segmented"

# The figures of the README: trains with three seeds and reports each.
demo-seeds: .venv/installed
	for seed in 0 1 2; do \
		$(PY) -m tf_layered_gan.main --config=configs/shapes.py --config.seed=$$seed --workdir=runs/demo-seed$$seed \
			|| exit 1; \
	done
	$(PY) -m benchmarks.seeds runs/demo-seed0 runs/demo-seed1 runs/demo-seed2

# Both environments: .venv to train and export, .venv-edge to segment. The console commands are in their bin/.
install: .venv/installed .venv-edge/installed

test: .venv/installed
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) -W "ignore:Unable to activate pytest branch coverage" -m slipcover -m pytest -q -n 2 --dist loadfile -m "not slow and not browser"

test-slow: .venv/installed
	$(PY) -m pytest -q -m slow

# The web page in Chromium. Chromium and npm must be installed already.
test-web: .venv/web-installed export/web/runtime/core/dist/index.js
	$(PY) -m pytest -q -m browser

.venv/installed: pyproject.toml requirements.txt requirements-dev.txt constraints.txt
	@echo "Installing TensorFlow and the other packages into .venv: a few minutes"
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt -c constraints.txt
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

.venv-edge/installed: edge_segmenter/pyproject.toml $(wildcard edge_segmenter/*.py edge_segmenter/*/*.py) constraints.txt
	$(PYTHON) -m venv .venv-edge
	.venv-edge/bin/python -m pip install --quiet --disable-pip-version-check ./edge_segmenter -c constraints.txt
	touch $@

.venv/web-installed: .venv/installed requirements-web.txt constraints.txt
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-web.txt -c constraints.txt
	touch $@

export/web/runtime/core/dist/index.js: export/web/package-lock.json export/web/vendor.mjs
	@command -v npm > /dev/null || { echo "npm is missing: install Node.js, https://nodejs.org"; exit 1; }
	cd export/web && npm ci --no-audit --no-fund
	touch $@

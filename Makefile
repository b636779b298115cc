# The course's commands: `make` alone lists them. Each sets up what it needs first, in this folder only.

.DEFAULT_GOAL := help
.PHONY: help lab test test-all run outputs exercises slides site site-test quiz front bench falsify matrix
.PHONY: colab publish bundle room hub-test clean
.PHONY: environment test-environment browser-environment hub-environment

# Choices, given as `make test NAME=value`:
#   PYTHON      the Python to set up with, where the one found is not the one wanted
#   TENSORFLOW  another version, such as 2.20.*, in an environment of its own; KERAS likewise
#   COLAB_PYTHON  the Python of `make colab`, where it is not the same
#   JOBS        how many notebooks or test files run at a time
#   REPO, REF   where the course is published, for `make publish`: owner/name and a tag, or nowhere
#   LEARNERS    how many come to the room of `make room`
#   ARGS        passed on: to JupyterLab, pytest or nox; notebooks, for `make run` and `make outputs`
TENSORFLOW ?=
KERAS ?=
COLAB_PYTHON ?= $(PYTHON)
JOBS ?= 2
REPO ?=
REF ?=
LEARNERS ?= 5
ARGS :=

ENV := .venv$(if $(TENSORFLOW),-tensorflow-$(TENSORFLOW:.*=))$(if $(KERAS),-keras-$(KERAS:.*=))
IN_ENV := $(ENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)/python -m

# Jupyter, IPython, Matplotlib and Keras keep their settings here and read none of the user's.
HOME_HERE := $(CURDIR)/build/home
export IPYTHONDIR := $(HOME_HERE)/ipython
export JUPYTER_CONFIG_DIR := $(HOME_HERE)/jupyter
export JUPYTER_DATA_DIR := $(HOME_HERE)/jupyter
export JUPYTERLAB_SETTINGS_DIR := $(HOME_HERE)/jupyter/lab/user-settings
export JUPYTERLAB_WORKSPACES_DIR := $(HOME_HERE)/jupyter/lab/workspaces
export JUPYTER_PREFER_ENV_PATH := 1
export KERAS_HOME := $(HOME_HERE)/keras
export MPLCONFIGDIR := $(HOME_HERE)/matplotlib
unexport JUPYTER_CONFIG_PATH JUPYTER_PATH JUPYTER_RUNTIME_DIR PYTHONHOME PYTHONPATH

# A container has no user but root, whom Jupyter refuses unless told. It serves this machine only.
AS_ROOT = $(if $(filter 0,$(shell id -u)),--allow-root)

# One file on one worker, in order: a notebook's cells share a kernel.
PYTEST = $(IN_ENV) pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder \
    --color=$(if $(MAKE_TERMOUT),auto,no)
COMMIT = git describe --always --dirty 2>/dev/null || echo 'no commit'

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

lab: environment ## open the course in JupyterLab, at lesson 00
	$(IN_ENV) jupyterlab --ServerApp.root_dir=. --LanguageServerManager.autodetect=False \
	    --LabApp.default_url=/lab/tree/notebooks/00_overfitting.ipynb $(AS_ROOT) $(ARGS)

test: test-environment ## lint, unit tests, notebook guards, and every notebook's outputs compared
	@$(PYTEST) $(ARGS)

test-all: browser-environment ## that, and the slow tests: browsers, foreign models; notes that all passed
	@$(PYTEST) -m '' -rs $(ARGS)
	@$(if $(ARGS),,echo "$$(date +%F), $$($(COMMIT))" >tests/ALL_PASSED)

run: environment ## execute the lessons (or ARGS=notebooks); copies of them go to build/run/
	@$(IN_ENV) tools.run $(ARGS)

outputs: environment ## execute the notebooks (or ARGS=notebooks) and refresh their stored outputs
	@$(IN_ENV) tools.execute $(ARGS)

exercises: environment ## make the exercises from their solutions, where these have changed
	@$(IN_ENV) tools.write.exercises $(ARGS)

slides: environment ## write slides of the lessons to build/slides/, from their stored outputs
	@$(IN_ENV) tools.write.slides $(ARGS)

site: test-environment ## write the course as a site to build/site/, from its stored outputs
	@$(IN_ENV) tools.write.site $(ARGS)

site-test: browser-environment ## try every page of the site in a browser: accessibility, search
	@$(IN_ENV) pytest -m slow tests/site $(ARGS)

quiz: environment ## make the quiz and its answers from notebooks/quiz/quiz.toml
	@$(IN_ENV) tools.write.quiz

front: environment ## write the README's table and figure from the runs that the lessons store
	@$(IN_ENV) tools.write.front

bench: environment ## time the repeats against model.fit
	@$(IN_ENV) tools.verify.bench $(ARGS)

falsify: environment ## take each lesson's fix away, and see that its claims notice
	@$(IN_ENV) tools.verify.falsify $(ARGS)

matrix: test-environment ## run the notebooks under several versions, threads, kernels and seeds
	@$(IN_ENV) nox $(ARGS)

colab: environment ## run the lessons (or ARGS=notebooks) as Colab would, with its versions
	@PYTHON='$(COLAB_PYTHON)' sh tools/setup/environment.sh .venv-colab tools/verify/colab.txt
	@$(IN_ENV) tools.verify.colab $(ARGS)

publish: environment ## write where the course is published into badges, setup cells and README
	@$(IN_ENV) tools.write.publish $(if $(REPO),'$(REPO)' '$(REF)')

bundle: environment ## write build/course.zip, for those who cannot fetch the course
	@$(IN_ENV) tools.write.bundle

room: hub-environment ## let LEARNERS log in to a hub on this machine at once; how long each waits
	@$(IN_ENV) tools.verify.room --learners $(LEARNERS) $(ARGS)

hub-test: hub-environment ## try deploy/, .binder/ and .devcontainer/ on this machine, step by step
	@$(PYTEST) -m '' -rs tests/deploy tests/tools/verify/test_hub.py $(ARGS)

clean: ## remove what these commands made: site, caches, environments
	rm -rf build .venv .venv-*

environment:
	@sh tools/setup/environment.sh $(ENV) requirements.txt

test-environment:
	@sh tools/setup/environment.sh $(ENV) requirements.txt requirements-dev.txt

hub-environment: test-environment
	@sh tools/setup/environment.sh $(ENV) requirements.txt requirements-dev.txt requirements-hub.txt
	@[ -e build/hub/node_modules ] || npm install --silent --prefix build/hub \
	    configurable-http-proxy@5 @devcontainers/cli@0

browser-environment:
	@sh tools/setup/environment.sh $(ENV) requirements.txt requirements-dev.txt requirements-browser.txt

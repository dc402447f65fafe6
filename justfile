# Tests on the real stack. `./just RECIPE` makes what this machine lacks first; with a virtual
# environment of your own, `just RECIPE` is the same. Arguments pass through unharmed: "$@".

set positional-arguments

export PATH := justfile_directory() / ".venv/bin" + (if os_family() == "windows" { ";" } else { ":" }) + env("PATH")

just := quote(just_executable()) + " --justfile " + quote(justfile())

# list every recipe
[private]
default:
    @{{ just }} --list --unsorted

# start the stack: rebuild what changed, wait until every service is ready
[group('stack')]
up: _images
    nomock up

# stop the stack; keep its volumes
[group('stack')]
down:
    nomock down

# stop the stack and delete its volumes
[confirm("Delete every volume of this stack?")]
[group('stack')]
reset:
    nomock down --volumes

# how each service is, and whether it is what the files say
[group('stack')]
status:
    nomock status

# resolve each base image: already here, pulled, or built from packages
[group('stack')]
images:
    nomock images

# what the services logged: just logs -f auth
[group('stack')]
logs *arguments:
    nomock logs "$@"

# run a command in a service: just exec postgres psql -U postgres app
[group('stack')]
exec *arguments:
    nomock exec "$@"

# the one interface to pytest: just test tests/test_x.py -k "a and not b" --pdb -s
[group('test')]
test *arguments: _images
    pytest "$@"

# in parallel: as many workers as there is room for, each with a stack of its own
[group('test')]
test-parallel *arguments: _images
    pytest -n auto "$@"

# on this many workers: just test-n 4
[group('test')]
test-n workers *arguments: _images
    pytest -n "$@"

# the best distribution; what CI runs
[group('test')]
test-fast *arguments: _images
    pytest -n logical --dist worksteal "$@"

# in parallel, a file stays on one worker
[group('test')]
test-by-module *arguments: _images
    pytest -n auto --dist loadfile "$@"

# in parallel, a class stays on one worker
[group('test')]
test-by-class *arguments: _images
    pytest -n auto --dist loadscope "$@"

# only the tests marked serial
[group('test')]
test-serial *arguments: _images
    pytest --nomock-serial only "$@"

# the tests that break the stack on purpose, and what they show of its recovery
[group('test')]
test-faults *arguments: _images
    pytest tests/test_faults.py tests/test_recovery.py "$@"

# the tests that assert on traces, with OpenTelemetry and its backend
[group('test')]
test-traces *arguments: _images
    pytest --nomock-traces tests/test_traces.py "$@"

# which faults on which edges and services the tests have, holes first: just edges "a->b"
[group('test')]
edges *arguments:
    nomock edges "$@"

# heal the faults that killed runs left, which the next run does as well
[group('test')]
heal:
    nomock heal

# all tests but those marked serial, in parallel
[group('test')]
test-parallel-safe *arguments: _images
    pytest -n auto --nomock-serial without "$@"

# nomock's own tests, on tiny stacks of their own
[group('test')]
test-harness *arguments: _images
    cd tests/harness && pytest "$@"

# put small defects into the running services; which does no test notice: just test-mutation PATH
[group('test')]
test-mutation *arguments: _images
    nomock test-mutation "$@"

# which seeded defects the suite finds, and which its twin with mocks: just test-defects --budget 10m
[group('test')]
test-defects *arguments: _images
    cd tests/harness && python -m defects "$@"

# which variables services read and do not get, and get and do not read; before anything starts
[group('test')]
contracts *arguments:
    nomock contracts "$@"

# why did the last run fail, the likeliest cause first; the services, what changed: --json
[group('test')]
diagnose-tests *arguments:
    nomock diagnose "$@"

# run a failed test again, with the same seeds, and say what is not the same: just replay test_x
[group('test')]
replay test *arguments:
    nomock replay "$@"

# which test does another one depend on, or is it broken by: just test-order --bisect TEST
[group('test')]
test-order *arguments: _images
    nomock test-order "$@"

# which tests passed and failed on the same files, and why: just test-flaky --hunt 10m
[group('test')]
test-flaky *arguments: _images
    nomock flaky "$@"

# which modules to test next, and why: those of high risk and shallow tests first; --json
[group('test')]
risk *arguments:
    nomock risk "$@"

# one page of all that was measured of the tests: mutants, defects, stability, speed, names, risk
[group('test')]
quality *arguments:
    nomock quality "$@"

# list what tests left, by table and run: --json
[group('test')]
test-cleanup-show *arguments:
    nomock cleanup "$@"

# remove it, after showing what it is: --yes, --older-than 2h, --run ID
[group('test')]
test-cleanup *arguments:
    nomock cleanup --remove "$@"

# which lines of the services do the tests run: table, and reports under coverage-report/
[group('coverage')]
test-sidecar-coverage *arguments: _images
    pytest -n logical --dist worksteal --nomock-sidecar-coverage "$@"

# only the tests that what changed needs, since the last covered run or --since main; says why
[group('coverage')]
test-affected *arguments: _images
    pytest --nomock-affected "$@"

# wait for changes of services and tests, and run what they need, until Ctrl-C: just watch -x
[group('coverage')]
watch *arguments: _images
    nomock watch "$@"

# the tests that ran a line: just who-tests services/auth/auth/app.py:120
[group('coverage')]
who-tests *arguments:
    nomock who-tests "$@"

# which lines ran only while a fault was on, and which error handlers never ran
[group('coverage')]
coverage-resilience *arguments:
    nomock resilience "$@"

# what the running stack has covered so far: just coverage-live --watch
[group('coverage')]
coverage-live *arguments:
    nomock coverage-live "$@"

# write docker-compose.coverage.yml: ask each service for its Python, and say what was chosen
[group('coverage')]
coverage-overlay *arguments:
    nomock overlay "$@"

# an empty sandbox with its quota, and the local node where no --context is named; promote fills it
[group('sandbox')]
sandbox-up *arguments:
    nomock sandbox up "$@"

# build, push and apply the stack as a sandbox; just promote --render DIR only writes its objects
[group('sandbox')]
promote *arguments: _images
    nomock promote "$@"

# the suite on the promoted stack; any pytest argument
[group('sandbox')]
test-sandbox *arguments:
    pytest --nomock-target sandbox --nomock-lanes shared "$@"

# the suite on compose and on the promoted stack (just promote --sidecar-coverage --traces), and what differs
[group('sandbox')]
parity *arguments:
    -pytest --nomock-evidence all --sidecar-coverage --traces "$@"; nomock parity --take .nomock/compose.json
    -pytest --nomock-target sandbox --nomock-lanes shared --nomock-evidence all --sidecar-coverage --traces "$@"; nomock parity --take .nomock/sandbox.json
    nomock parity .nomock/compose.json .nomock/sandbox.json

# each service of the sandbox, and whether it is ready
[group('sandbox')]
sandbox-status *arguments:
    nomock sandbox status "$@"

# what a service of the sandbox logged last: just sandbox-logs auth
[group('sandbox')]
sandbox-logs *arguments:
    nomock sandbox logs "$@"

# remove the sandbox with all that is in it
[group('sandbox')]
sandbox-down *arguments:
    nomock sandbox down "$@"

# remove the sandboxes whose time is over, as killed runs leave them
[group('sandbox')]
sandbox-reap *arguments:
    nomock sandbox reap "$@"

# a Kubernetes and a registry on this machine, one for all checkouts; --down takes them away
[group('sandbox')]
sandbox-local *arguments:
    nomock sandbox local "$@"

# style, format, recipes; changes nothing
[group('check')]
lint:
    ruff check .
    ruff format --check .
    {{ just }} --unstable --fmt --check

# types, strictly
[group('check')]
typecheck:
    mypy
    mypy --python-version 3.13 coverage-spy

# build the docs as a site that needs no network, and check every link within it
[group('check')]
docs:
    @test -d .nomock/docs-env || python -m venv .nomock/docs-env
    @.nomock/docs-env/bin/pip install --quiet --require-hashes -r requirements-docs.lock
    .nomock/docs-env/bin/sphinx-build -W -n --keep-going -q docs .nomock/site

# make docs/api.md anew from the docstrings of what is public
[group('check')]
api-page:
    python tests/harness/support/api_page.py

# the wheel in an environment of each Python that it is for; check runs it, too
[group('check')]
check-wheel *arguments:
    cd tests/harness && pytest repo/test_wheel.py "$@"

# lint, types, the suite, its quick tests under the spy, nomock's own tests but for the slow ones
[group('check')]
check: lint typecheck docs _images _browser _render _tests

# Offline: what the reference stack would be in a sandbox, checked against Kubernetes' schema.
_render:
    nomock promote --render .nomock/rendered

# The suite first, by itself: beside nomock's own tests the health checks of a first start ran out
# of time on a slow machine. Under the spy without the tests that wait for time-outs: each kind of
# fault is in an example of docs/faults.md, too.
_tests: test-fast test-traces _covered (test-harness "-n" "auto" "-m" "not slow")

_covered: (test-sidecar-coverage "--deselect=tests/test_faults.py" "--deselect=tests/test_recovery.py")

# a figure, by its script in bench/: just bench warm --rounds 3; without a name the list of them
[group('check')]
bench *arguments: _images
    @python bench "$@"

# the README's pictures, light and dark, from real runs: just pictures red-test
[group('check')]
pictures *arguments: _images
    python bench/pictures.py "$@"

# lock the development dependencies; no package registry's address goes into the file
[group('check')]
lock:
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --group dev pyproject.toml -o requirements-dev.lock
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --group pyproject.toml:docs --no-annotate -o requirements-docs.lock
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --group pyproject.toml:beside --constraint requirements-dev.lock --no-annotate -o requirements-beside.lock

# nomock's own tests that take ten seconds or more: other servers, Pythons and shapes of projects
[group('check')]
check-slow *arguments: _images _browser
    cd tests/harness && pytest -n auto -m slow "$@"

# what CI runs after check: the reference stack as a sandbox of the local node, nomock's own tests there
[group('check')]
check-sandbox: _images (_sandbox "check" "tests/test_kubernetes.py" "tests/test_oauth_flow.py" "tests/test_integration.py") _sandbox-harness

# the other way of promotion, by Argo CD; its programs are built once, a quarter of an hour
[group('check')]
check-argo: _images (test-sandbox-harness "test_promoted_by_argo.py")

# A promotion, faults and coverage; what befalls the node itself is in the rest.
_sandbox-harness: (test-sandbox-harness "test_promoted.py" "test_broken_sandbox.py" "test_covered.py")

# nomock's own tests that need a cluster, on a local node of their own
[group('check')]
test-sandbox-harness *arguments:
    cd tests/harness/sandbox/node/live && pytest "$@"

# A part of the suite on a sandbox that is there for it alone.
_sandbox id *tests:
    nomock sandbox local
    nomock promote --id {{ id }}
    @pytest --nomock-target sandbox --nomock-sandbox "$@"; ended=$?; nomock sandbox down --id {{ id }}; exit $ended

# On a bare Debian: the tests that open pages have a browser (docs/browser.md), else they are skipped.
_browser:
    @images/browser.sh

# the images are resolved once; .env says how
_images:
    @test -e .env || {{ just }} images

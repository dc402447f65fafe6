"""coverage.py in each process of a package's tests, as the spy is: with its C tracer, for lines."""

import coverage

coverage.process_startup()

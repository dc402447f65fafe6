"""``python -m nomock.cli``."""

import sys

from nomock.cli.main import main

sys.exit(main())

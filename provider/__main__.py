"""`python -m provider status`: see docs/status.md."""

import sys

from provider.status.command import main

sys.exit(main())

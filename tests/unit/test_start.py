"""What a program must not pay for when it starts."""

from __future__ import annotations

import subprocess
import sys


def test_a_program_does_not_load_what_only_the_host_needs() -> None:
    """It sends nothing; requests and what that needs would be a fifth of the time that `import cloud_runs` takes."""
    code = "import sys, cloud_runs; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "pulumi" in loaded
    assert not {"requests", "urllib3", "certifi", "charset_normalizer", "idna"} & set(loaded)

"""The process of one visitor of the public demo: ``python -m movietui.web TEMPLATE``."""

import sys
from pathlib import Path

from movietui.protocol.code_path import leave_working_folder

leave_working_folder()

from movietui.web.demo import visit  # noqa: E402

if __name__ == "__main__":
    sys.exit(visit(Path(sys.argv[1])))

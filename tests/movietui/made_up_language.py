"""Show screens in a made-up language, in a process of its own, since constants are translated when they are imported.

    python -m tests.movietui.made_up_language FOLDER

``FOLDER`` has the catalogue; see ``tests/movietui/test_language.py``. Prints the lines of each screen as JSON.
"""

import asyncio
import json
import sys
from pathlib import Path

from movietui.data import language

language.FOLDER = Path(sys.argv[1])

from tests.movietui.driving import LARGE, lines, started  # noqa: E402

SCREENS = {
    "browse": (),
    "rated": ("down", "5"),
    "pair": ("left", "down", "down", "p"),
    "why": ("enter",),
    "help": ("question_mark",),
    "orders": ("o",),
    "lists": ("l",),
    "data": ("d",),
    "train": ("t",),
    "runs": ("g",),
}
"""For each screen, the keys that lead to it from Browse."""


async def shown(keys: tuple[str, ...]) -> list[str]:
    """Return what is on screen after some keys."""
    async with started(LARGE) as driver:
        for key in keys:
            await driver.press(key)
            await driver.pilot.pause(0.3)
        return lines(driver.app)


async def main() -> None:
    json.dump({name: await shown(keys) for name, keys in SCREENS.items()}, sys.stdout)


if __name__ == "__main__":
    asyncio.run(main())

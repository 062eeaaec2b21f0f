"""The base class of the controllers of Train."""

from __future__ import annotations

from typing import TYPE_CHECKING

from movietui.ui.controller import Controller

if TYPE_CHECKING:
    from movietui.ui.train.screen import TrainScreen


class TrainController(Controller):
    """A controller of Train."""

    screen: TrainScreen

"""The look of the app: its own themes, and the one table that says how each kind of text and chart is drawn.

``tests/contrast.py`` measures that both themes meet WCAG 2.2, level AA, on every screen.
"""

from collections.abc import Mapping

from rich.style import Style
from rich.text import Text
from rich.theme import Theme as RichTheme
from textual.color import Color
from textual.theme import Theme

DARK = Theme(
    name="movietui-dark",
    dark=True,
    primary="#6ea8fe",
    secondary="#c3a6ff",
    accent="#8fc1ff",
    warning="#f2c14e",
    error="#ff8787",
    success="#6fd08c",
    foreground="#e8e8ee",
    background="#13151b",
    surface="#1b1e27",
    panel="#262b37",
    variables={
        "text": "#e8e8ee",
        "text-muted": "#e8e8ee 66%",
        "text-disabled": "#e8e8ee 66%",
        "text-primary": "#8fc1ff",
        "text-accent": "#9ecbff",
        "text-warning": "#f2c14e",
        "text-error": "#ff8787",
        "text-success": "#6fd08c",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-background": "#3566ad",
        "block-cursor-blurred-foreground": "#e8e8ee",
        "block-cursor-blurred-background": "#2a3750",
        "scrollbar": "#5f6880",
        "scrollbar-hover": "#7a86a5",
        "scrollbar-background": "#0e1015",
    },
)
"""A dim cinema: quiet blues around gold stars."""

LIGHT = Theme(
    name="movietui-light",
    dark=False,
    primary="#2450a8",
    secondary="#6a3fb0",
    accent="#1f4aa0",
    warning="#8c5a00",
    error="#a8262b",
    success="#1b6631",
    foreground="#1a1b20",
    background="#f7f5f0",
    surface="#ece8df",
    panel="#ddd7ca",
    variables={
        "text": "#1a1b20",
        "text-muted": "#1a1b20 66%",
        "text-disabled": "#1a1b20 66%",
        "text-primary": "#2450a8",
        "text-accent": "#1f4aa0",
        "text-warning": "#8c5a00",
        "text-error": "#a8262b",
        "text-success": "#1b6631",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-background": "#2450a8",
        "block-cursor-blurred-foreground": "#1a1b20",
        "block-cursor-blurred-background": "#d6dfef",
        "scrollbar": "#8a8577",
        "scrollbar-hover": "#6b675c",
        "scrollbar-background": "#f7f5f0",
    },
)
"""A poster on warm paper: the same blues, and stars in dark gold."""

THEMES = (DARK, LIGHT)
"""The app's own themes. The first is the default."""

STYLES: Mapping[str, str] = {
    "head": "$foreground 66%",
    "quiet": "$foreground 66%",
    "stars": "$text-warning",
    "up": "$text-success",
    "down": "$text-error",
    "group": "bold $text-accent",
    "best": "underline",
    "bar": "$primary",
}
"""What is drawn, by name, and how, in terms of the theme.

``head`` is for headings of columns, and ``group`` for headings between rows or paragraphs. ``up`` and ``down`` are
changes for the better and the worse. ``bar`` is for everything whose length, height or number of dots is a figure.
"""
CURSOR = "bold $block-cursor-foreground on $block-cursor-background"
CURSOR_ELSEWHERE = "on $block-cursor-blurred-background"
"""The row under the cursor of a list that has the focus, and of one that does not."""
SERIES = ("$primary", "$text-warning", "$text-success", "$text-error", "$secondary", "$foreground")
"""The colours of several curves. Their signs differ too."""

_IN_TEXT = ("stars", "up", "down", "group", "bar")
"""The styles that Rich text can name."""
_DRAWN = {"stars": "★", "bar": "[●○]{2,}|[▁-█]{2,}"}
"""What ``drawn`` finds in a text, as regular expressions."""


def text_styles(variables: Mapping[str, str]) -> RichTheme:
    """Return the styles that Rich text names, such as ``Text("★", "stars")``, for the variables of a theme."""
    styles = {}
    for name in _IN_TEXT:
        *bold, color = STYLES[name].split()
        styles[name] = Style(color=Color.parse(variables[color[1:]]).rich_color, bold=bool(bold) or None, dim=False)
    return RichTheme(styles, inherit=False)


def drawn(words: Text) -> Text:
    """Return a text in which stars, dots and small bars look as they do in lists."""
    styled = words.copy()
    for style, pattern in _DRAWN.items():
        styled.highlight_regex(pattern, style)
    return styled


def starred(words: str, style: str) -> list[tuple[str, str]]:
    """Return a piece of a line as pieces, of which the stars have their own style.

    >>> starred("given ★ 4½", "quiet")
    [('given ', 'quiet'), ('★', 'stars'), (' 4½', 'quiet')]
    """
    first, *others = words.split("★")
    return [(first, style)] * bool(first) + [piece for rest in others for piece in (("★", "stars"), (rest, style))]

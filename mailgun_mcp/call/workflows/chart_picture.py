"""Draws figures as a picture, as PNG or SVG. The background is transparent, and all colours can be read on white and on black."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal
from warnings import catch_warnings, filterwarnings

from mailgun_mcp.errors import CallError
from mailgun_mcp.text.characters import excerpt

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PictureFormat = Literal["png", "svg"]
MIME_TYPES: Mapping[str, str] = {"png": "image/png", "svg": "image/svg+xml"}
TEXT_COLOUR = "#808080"
"""Nearly 4 to 1 or more against white and against black."""
COLOURS = ("#2a7de1", "#d9660d", "#16a060", "#b05cc6")
MARKERS = ("o", "s", "^", "D")
SIZE = (6.4, 4.2)
"""Inches. With the text this large, a picture of 400 pixels can be read."""
DPI = 150
FONT_SIZE = 15
PAD = 0.12
"""Inches around the parts."""
FEWEST_SLOTS = 3
"""Bars are as thin as with so many names."""
LONGEST_LABEL = 22
MOST_TICKS = 5
INSTALL = (
    "Charts need matplotlib, which is not installed here. A person installs it with the extra `charts`: "
    "`pip install 'mailgun-mcp-server[charts]'`. The same figures are in query_metrics."
)


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn."""

    title: str
    unit: str
    labels: Sequence[str]
    """Of the points: times, or names."""
    series: Mapping[str, Sequence[float]]
    """Name in the legend -> a value for each label."""
    over_time: bool


def check_installed() -> None:
    """Raise CallError, which says how to install it, without the plotting library."""
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        raise CallError(INSTALL)


def draw(chart: Chart, form: PictureFormat) -> bytes:
    """Return the picture. Takes some tenths of a second: call it in a thread."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    # Names come from the account: none of them is a formula.
    settings: dict[Any, Any] = {
        "font.size": FONT_SIZE,
        "svg.hashsalt": "mailgun-mcp",
        "text.parse_math": False,
        "svg.fonttype": "path",
    }
    with rc_context(settings), catch_warnings():
        # Letters that the font does not have are drawn as boxes; the figures have them.
        filterwarnings("ignore", message="Glyph ")
        figure = Figure(figsize=SIZE, dpi=DPI, layout=ConstrainedLayoutEngine(w_pad=PAD, h_pad=PAD))
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        (_lines if chart.over_time else _bars)(axes, chart)
        _style(figure, axes, chart)
        picture = BytesIO()
        figure.savefig(picture, format=form, transparent=True, metadata={"Date": None} if form == "svg" else None)
    return picture.getvalue()


def _lines(axes: "Axes", chart: Chart) -> None:
    positions = range(len(chart.labels))
    for (name, values), colour, marker in zip(chart.series.items(), COLOURS, MARKERS, strict=False):
        axes.plot(
            positions, values, label=name, color=colour, marker=marker, linewidth=2.5, markersize=7, clip_on=False
        )
    step = max(1, -(-len(chart.labels) // MOST_TICKS))
    shown = list(positions)[::step]
    axes.set_xticks(shown, [_day(chart.labels[position]) for position in shown])
    axes.set_ylabel(chart.unit)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(_number)


def _bars(axes: "Axes", chart: Chart) -> None:
    height = 0.8 / len(chart.series)
    for number, ((name, values), colour) in enumerate(zip(chart.series.items(), COLOURS, strict=False)):
        offset = (number - (len(chart.series) - 1) / 2) * height
        positions = [position + offset for position in range(len(chart.labels))]
        axes.barh(positions, values, height=height * 0.9, label=name, color=colour)
    axes.set_yticks(range(len(chart.labels)), [shortened(label) for label in chart.labels])
    axes.set_ylim(max(len(chart.labels), FEWEST_SLOTS) - 0.5, -0.5)
    axes.set_xlabel(chart.unit)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter(_number)
    axes.locator_params(axis="x", nbins=4)


def _style(figure: "Figure", axes: "Axes", chart: Chart) -> None:
    figure.suptitle(chart.title, color=TEXT_COLOUR, fontsize=FONT_SIZE + 1, fontweight="bold")
    axes.tick_params(colors=TEXT_COLOUR, length=0, pad=10)
    axes.xaxis.label.set_color(TEXT_COLOUR)
    axes.yaxis.label.set_color(TEXT_COLOUR)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(TEXT_COLOUR)
    axes.grid(visible=True, axis="y" if chart.over_time else "x", color=TEXT_COLOUR, alpha=0.3)
    axes.set_axisbelow(True)
    figure.legend(
        loc="outside lower center", ncols=len(chart.series), frameon=False, labelcolor=TEXT_COLOUR, handlelength=1.2
    )


def shortened(label: str) -> str:
    """Return a name that fits beside a bar."""
    return excerpt(label, LONGEST_LABEL)


def _day(label: str) -> str:
    try:
        return datetime.fromisoformat(label).strftime("%d %b").lstrip("0")
    except ValueError:
        return shortened(label)


def _number(value: float, _: Any) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:g}"

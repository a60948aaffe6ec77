"""The one-line diagram of a radial feeder as inline SVG: values by colour, trades as arrows.

html = one_line(feeder, Shade(lmp_usd_per_kwh[:, 12], "LMP", "$/kWh"), prosumers={"p1": "18"})
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import inf, isfinite
from xml.etree.ElementTree import Element

from ...network.arrays import FloatArray
from ...network.feeder import Feeder
from .arrows import draw_trades
from .colours import GREY, ORANGE, RED, SKY, UNKNOWN
from .frame import Frame
from .legend import Drawn, colour_bar, generator_key, keys, line_key, prosumer_key, trade_key
from .marks import INK, names_of, square, triangle
from .shade import Shade
from .svg import add, sheet, written

MOST_NAMED = 60
"""Feeders with more buses are drawn without names; pointing at a bus tells its name."""
_LOADING = (
    (0.5, GREY, 1.6, "line below 50 %"),
    (0.8, SKY, 2.8, "line below 80 %"),
    (1.0, ORANGE, 4.0, "line below 100 %"),
    (inf, RED, 5.2, "line overloaded"),
)
"""Up to which share of its rating a line has a colour and a width, and what that is called."""
_FULL = 1e-4
"""Beyond its rating by less than this share a line is full, not overloaded: so exact are solvers."""
_SMALL = {"font_size": "11", "text_anchor": "middle", "fill": INK}
_RIM = {"stroke": "#ffffff", "stroke_width": "3", "stroke_linejoin": "round", "paint_order": "stroke"}
"""Around names, so that they can be read where an arrow or a line goes by."""


def one_line(
    feeder: Feeder,
    shade: Shade | None = None,
    *,
    loading: FloatArray | None = None,
    prosumers: Mapping[str, str] | None = None,
    trades: Sequence[tuple[str, str, float]] = (),
    title: str = "one-line diagram of the feeder",
) -> str:
    """The feeder as an `<svg>` element, as wide as where it stands; whatever is pointed at tells its numbers.

    Args:
        feeder: The feeder.
        shade: What its buses are coloured by; all grey by default.
        loading: Share of its rating that the line feeding each bus is used to, (bus,); entry 0 is not looked at, nan
            stands where a line has no rating. Lines are plain by default.
        prosumers: The bus of each prosumer by name.
        trades: Seller, buyer and power in kW; both are among the `prosumers`. Arrows are as wide as the power is large.
        title: What the drawing shows, for those who cannot see it.

    Raises:
        ValueError: There is not one value per bus.
        KeyError: A trade names nobody of the prosumers.
        FeederError: A prosumer names a bus that is not there.
    """
    for what, values in (("shade", shade.values if shade else None), ("loading", loading)):
        if values is not None and values.shape != (len(feeder.buses),):
            raise ValueError(f"{what} has shape {values.shape}, not one value for each of {len(feeder.buses)} buses")
    homes = {name: feeder.index(bus) for name, bus in (prosumers or {}).items()}
    frame = Frame.of(feeder, named=len(feeder.buses) <= MOST_NAMED)
    drawing = sheet(frame.width, frame.height, title)
    _draw_lines(drawing, feeder, frame, loading)
    _draw_buses(drawing, feeder, frame, shade, homes)
    draw_trades(drawing, frame, homes, trades)
    if frame.named:
        _write_names(drawing, feeder, frame, homes)
    if shade:
        colour_bar(drawing, frame, shade)
    keys(drawing, frame, _keys(loading, homes=bool(homes), trades=bool(trades)))
    return written(drawing)


def _draw_lines(drawing: Element, feeder: Feeder, frame: Frame, loading: FloatArray | None) -> None:
    group = add(drawing, "g", fill="none", stroke_linejoin="round")
    for n in range(1, len(feeder.buses)):
        (x0, y0), (x1, y1) = frame.at[feeder.parent_index[n]], frame.at[n]
        colour, width, says = GREY, 1.6, ""
        if loading is not None:
            colour, width, says = _loaded(float(loading[n]))
        path = f"M{x0:.1f} {y0:.1f}L{(x0 + x1) / 2:.1f} {y1:.1f}H{x1:.1f}"  # it leaves the bus, not another line
        says = f"line {feeder.line_name(n)}{says}"
        add(group, "path", says=says, d=path, stroke=colour, stroke_width=width)


def _loaded(share: float) -> tuple[str, float, str]:
    """Colour and width of a line, and how loaded it is in words."""
    if not isfinite(share):
        return UNKNOWN, 1.6, ": no rating"
    colour, width = next((colour, width) for most, colour, width, _ in _LOADING if share <= most + _FULL)
    return colour, width, f": loaded to {100 * share:.4g} %"


def _keys(loading: FloatArray | None, *, homes: bool, trades: bool) -> list[tuple[str, Drawn]]:
    """What the key explains."""
    kinds: list[tuple[str, Drawn]] = [("generator", generator_key)]
    kinds += [("prosumer", prosumer_key)] if homes else []
    kinds += [("sells to", trade_key)] if trades else []
    if loading is not None:
        kinds += [(says, line_key(colour, width)) for _, colour, width, says in _LOADING]
    return kinds


def _draw_buses(drawing: Element, feeder: Feeder, frame: Frame, shade: Shade | None, homes: Mapping[str, int]) -> None:
    machines, people = _at_buses(feeder, homes)
    for n, name in enumerate(feeder.names):
        x, y = frame.at[n]
        says = [f"bus {name}{'' if n else ' (substation)'}", *([shade.says(n)] if shade else [])]
        says += [
            f"{what}: {names_of(found[n])}"
            for what, found in (("generators", machines), ("prosumers", people))
            if n in found
        ]
        group = add(drawing, "g", says="\n".join(says))
        if n == 0:
            add(group, "path", d=f"M{x - frame.radius - 5:.1f} {y - 12:.1f}v24", stroke=INK, stroke_width=4)
        add(group, "circle", cx=x, cy=y, r=frame.radius, fill=shade.colour(n) if shade else UNKNOWN, stroke=INK)
        marks = [draw for draw, found in ((square, machines), (triangle, people)) if n in found]
        for k, draw in enumerate(marks):
            size = frame.mark
            draw(group, x + (k - (len(marks) - 1) / 2) * (2 * size + 3), y - frame.radius - size - 3, size)


def _write_names(drawing: Element, feeder: Feeder, frame: Frame, homes: Mapping[str, int]) -> None:
    """Below a bus its name, above its marks those of generators and prosumers, where there is room; over all else."""
    machines, people = _at_buses(feeder, homes)
    group = add(drawing, "g", pointer_events="none", **_SMALL, **_RIM)
    for n, name in enumerate(feeder.names):
        x, y = frame.at[n]
        if short := frame.fitting(name):
            add(group, "text", text=short, x=x, y=y + frame.radius + 13)
        owned = [*machines.get(n, []), *people.get(n, [])]
        if owned and (short := frame.fitting(names_of(owned, 2))):
            add(group, "text", text=short, x=x, y=y - frame.names_above, font_style="italic")


def _at_buses(feeder: Feeder, homes: Mapping[str, int]) -> tuple[dict[int, list[str]], dict[int, list[str]]]:
    """The names of generators and of prosumers by bus."""
    machines: dict[int, list[str]] = defaultdict(list)
    people: dict[int, list[str]] = defaultdict(list)
    for machine in feeder.generators:
        machines[feeder.index(machine.bus)].append(machine.name)
    for name, n in homes.items():
        people[n].append(name)
    return machines, people

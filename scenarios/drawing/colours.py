"""Colours that everybody can tell apart: Okabe and Ito's for marks and series, cividis for values."""

from math import isfinite

# Okabe and Ito's palette, the order in which prosumers and series take colours
BLUE, ORANGE, GREEN, PURPLE, SKY, RED, YELLOW, GREY = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#F0E442",
    "#7F7F7F",
)
SERIES = (BLUE, ORANGE, GREEN, PURPLE, SKY, RED)
UNKNOWN = "#DDDDDD"
"""For a value that is not known."""

# cividis (Nunez, Anderton, Renslow, PLOS ONE 2018) at even places from the lowest to the highest value
_CIVIDIS = bytes.fromhex(
    "00224e 002e6a 1a386f 32436d 434e6c 535a6d 61656f 6f7073 7d7c78 8c8878 9b9476 aba072 bcae6c cdbb63 dec958 f0d846"
    "fee838"
)
_LAST = len(_CIVIDIS) // 3 - 1


def cividis(share: float) -> str:
    """The colour of a value from 0 (lowest) to 1 (highest), as "#rrggbb"; `UNKNOWN` for nan."""
    if not isfinite(share):
        return UNKNOWN
    place = min(max(share, 0.0), 1.0) * _LAST
    below = min(int(place), _LAST - 1)
    pairs = zip(_CIVIDIS[3 * below : 3 * below + 3], _CIVIDIS[3 * below + 3 : 3 * below + 6], strict=True)
    return "#" + "".join(f"{round(low + (place - below) * (high - low)):02x}" for low, high in pairs)

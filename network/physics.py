"""By which physics the DSO clears."""

from enum import StrEnum


class Physics(StrEnum):
    """What holds current and flow of a line together.

    - `auto`: the cone (5); where that is not exact, AC flows by successive linearisation.
    - `cone`: the cone (5) alone, the paper's relaxation.
    - `ac`: AC flows by successive linearisation in all periods.
    """

    AUTO = "auto"
    CONE = "cone"
    AC = "ac"

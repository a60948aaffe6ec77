"""What is proven of windows together: each has a certificate, and the whole has no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...market.proof.certificate import Certificate, PhysicalProof
from ...market.proof.conduct import Conduct
from ..runs.amounts import counted
from .parts import Ended


def certificate_of(names: Sequence[str], ended: Sequence[Ended], *, is_plan_of_all: bool) -> Certificate:
    """What is proven of windows, in order.

    Args:
        names: The prosumers.
        ended: How each window ended.
        is_plan_of_all: Whether the only window is all there is, and what was planned in it happens: its certificate
            is then that of the whole.
    """
    if not is_plan_of_all:
        return WindowsCertificate.of_windows(names, ended)
    (one,) = ended
    conduct = Conduct(tuple(one.behaving), tuple(one.otherwise))
    proofs = one.dso_regret_usd, one.turnover_usd, PhysicalProof(**one.physics), conduct, one.charged
    return Certificate(tuple(names), np.array(one.regret_usd), *proofs)


@dataclass(frozen=True, slots=True)
class WindowsCertificate(Certificate):
    """The certificates of windows: their regrets added up, which bound no welfare of the whole time.

    Each window is planned for itself, over all of its periods, with what it expects; whoever knew everything could
    do better, and nobody says by how much.

    Attributes: those of `Certificate`, and
        windows: How many there are.
        worst: Whose regret is the largest in a window, how large it is in $, and in which; empty with no certificate.
    """

    windows: int = 0
    worst: tuple[str, float, int] | None = None

    @classmethod
    def of_windows(cls, names: Sequence[str], ended: Sequence[Ended]) -> WindowsCertificate:
        """That of windows in order."""
        regrets = np.array([one.regret_usd for one in ended])
        counted_for = Conduct(
            tuple(dict.fromkeys(name for one in ended for name in one.behaving)),
            tuple(dict.fromkeys(name for one in ended for name in one.otherwise)),
        )
        shown = np.where(counted_for.counted(names)[None] & ~np.isnan(regrets), regrets, -np.inf)
        window, who = (int(k) for k in np.unravel_index(int(np.argmax(shown)), shown.shape))
        return cls(
            names=tuple(names),
            regret_usd=np.maximum(regrets, 0.0).sum(axis=0),
            dso_regret_usd=sum(one.dso_regret_usd for one in ended),
            turnover_usd=sum(one.turnover_usd for one in ended),
            physics=_together([PhysicalProof(**one.physics) for one in ended]),
            conduct=counted_for,
            charged=any(one.charged for one in ended),
            windows=len(ended),
            worst=None if np.isnan(regrets).any() else (names[who], max(float(shown[window, who]), 0.0), window + 1),
        )

    @property
    def bounds_optimum(self) -> bool:
        """Nothing bounds the welfare of the whole time."""
        return False

    def __str__(self) -> str:
        if self.physics.short:
            return f"no certificate: what is asked for cannot be served (in {self.physics.short})"
        if self.worst is None or not np.isfinite(self.total_usd):
            return f"no certificate of all of {counted(self.windows, 'window')}; the table windows says of which"
        name, usd, window = self.worst
        declared = f", by what each declares and believes: {self.conduct.acts}" if self.conduct.behaving else ""
        which = f"any of {counted(self.windows, 'window')}"
        sentence = f"no prosumer could gain more than ${usd:.2g} by deviating in {which} ({name}, window {window})"
        unbounded = "each is certified for itself, and nothing bounds the welfare of the whole time"
        doubt = f"; but {self.physics.doubt}" if self.physics.doubt else ""
        return f"{sentence}{declared}; {unbounded}{doubt}"


def _together(proofs: Sequence[PhysicalProof]) -> PhysicalProof:
    """The worst of each, and the first doubt."""
    return PhysicalProof(
        max(proof.max_cone_gap for proof in proofs),
        max(proof.voltage_error_pu for proof in proofs),
        max(proof.root_mismatch_kw for proof in proofs),
        next((proof.doubt for proof in proofs if proof.doubt), ""),
        next((proof.local for proof in proofs if proof.local), ""),
        _short([proof.short for proof in proofs if proof.short], len(proofs)),
    )


def _short(told: Sequence[str], windows: int) -> str:
    """In how many windows not all is served; of a single one also in how many of its periods."""
    if windows == 1 or not told:
        return "".join(told)
    return f"{len(told)} of {counted(windows, 'window')}"

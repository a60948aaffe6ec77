"""A load that must run, and may choose when, once or again and again: a washing machine, a pump, a batch."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from ...network.periods import When, length_h
from .cures import OF_JOBS, OF_LOAD
from .device import DeviceError, Preset
from .level_chain import coverage
from .store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A time in which a load must run.

    Attributes:
        earliest_h, latest_h: From when and until when it may, in hours from the start of the first period.
    """

    earliest_h: float
    latest_h: float


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Deferrable(Preset):
    """An energy that is used within a window, with a largest power; or the same energy in each of several windows.

    Attributes:
        name: Its name.
        energy_kwh: What it uses in all, or in each of its jobs, above 0.
        p_max_kw: Its largest power.
        earliest_h, latest_h: The window, in hours from the start of the first period; to the end if no end is given.
        jobs: Instead: several windows, in any order, no two at once; two that share a period share its power. With an
            empty tuple it never runs.

    Raises:
        DeviceError: A value is out of its range, or jobs overlap.
    """

    kind: ClassVar[str] = "deferrable"

    name: str
    energy_kwh: float
    p_max_kw: float
    earliest_h: float = 0.0
    latest_h: float | None = None
    jobs: tuple[Job, ...] | None = None

    def __post_init__(self) -> None:
        self._number("energy_kwh", 0.0, above=True)
        self._number("p_max_kw", 0.0, above=True)
        self._number("earliest_h", 0.0)
        if self.latest_h is not None and not (np.isfinite(self.latest_h) and self.latest_h > self.earliest_h):
            problem = f"latest_h {self.latest_h:g} must be above earliest_h {self.earliest_h:g}"
            raise DeviceError(self.name, "latest_h", problem)
        if self.jobs is not None:
            object.__setattr__(self, "jobs", tuple(sorted(self.jobs, key=lambda job: job.earliest_h)))
            self._check_jobs(self.jobs)

    def _check_jobs(self, jobs: tuple[Job, ...]) -> None:
        if self.earliest_h or self.latest_h is not None:
            raise DeviceError(self.name, "jobs", "jobs say when it runs; take earliest_h and latest_h out")
        for number, job in enumerate(jobs, start=1):
            times = job.earliest_h, job.latest_h
            if not (np.isfinite(times).all() and 0 <= job.earliest_h < job.latest_h):
                problem = f"job {number} may run from {times[0]:g} h to {times[1]:g}; it must end later, and begin at 0"
                raise DeviceError(self.name, "jobs", f"{problem} or after it")
        for before, after in pairwise(jobs):
            if after.earliest_h < before.latest_h:
                problem = f"a job begins at {after.earliest_h:g} h, before the one before ends ({before.latest_h:g})"
                raise DeviceError(self.name, "jobs", f"{problem}; let no two be at once")

    def device(self, periods: int, dt_h: float) -> Store:
        """The store, empty at first and full in the end, whose level is what has been used.

        Raises:
            DeviceError: A window ends after the last period.
        """
        end_h = periods * dt_h
        jobs, key = self.jobs, "jobs"
        if jobs is None:
            latest_h = end_h if self.latest_h is None else self.latest_h
            jobs, key = (Job(earliest_h=self.earliest_h, latest_h=latest_h),), "latest_h"
        if jobs and jobs[-1].latest_h > end_h * (1 + 1e-9):
            problem = f"latest_h {jobs[-1].latest_h:g} is after the last period, which ends at {end_h:g} h; lower it"
            raise DeviceError(self.name, key, problem)
        power, due, most = np.zeros(periods), np.zeros(periods), np.zeros(periods)
        for number, job in enumerate(jobs, start=1):
            open_for = coverage(job.earliest_h, job.latest_h, periods, dt_h)
            first, last = np.flatnonzero(open_for)[[0, -1]] if open_for.any() else (0, periods - 1)
            power += open_for
            due[last:] = number
            most[first:] = number
            most[last + 1 :] = number + 1  # between two jobs nothing can be used, and no limit need say so
        count = max(len(jobs), 1)
        return Store(
            name=self.name,
            capacity_kwh=count * self.energy_kwh,
            p_charge_max_kw=self.p_max_kw * np.minimum(power, 1.0),
            soc_min=due / count,
            soc_max=np.clip(most, 1, count) / count,
            soc_start=0.0,
            soc_end=len(jobs) / count,
            throughput_cost_usd_per_kwh=0.0,
        )

    def infeasibility(self, periods: int, when: When) -> str:
        """As `Device.infeasibility`, in its own words."""
        return self.device(periods, length_h(when)).unable(periods, when, OF_LOAD if self.jobs is None else OF_JOBS)

"""Everything gridbazaar refuses or fails with, in one tree.

    GridbazaarError
    ├── InputError              what the user gave cannot be used            exit code 2
    │   ├── FeederError         the tables are not a radial feeder           (network.elements)
    │   ├── HouseholdError      a prosumer's data contradict each other      (agents.household)
    │   ├── DeviceError         a device's data contradict each other        (agents.devices.device)
    │   ├── LinkError           the trade links do not fit the prosumers     (agents.trade_graph)
    │   ├── BehaviourError      a behaviour raised, or answered nonsense     (agents.behaviour)
    │   ├── SettingsError       a setting of the market is out of its range  (market.settings)
    │   ├── NotPlainError       a behaviour remembers what cannot be kept    (market.hosting.plain)
    │   ├── ReplayError         a run that is resumed gives other numbers    (scenarios.errors)
    │   ├── ScenarioError       a scenario file, key or value is wrong       (scenarios.errors)
    │   └── ResultsError        a results file cannot be written or read     (scenarios.errors)
    ├── NotSettledError         the market ended before it was at rest       exit code 3
    │   └── SolverError         a solver stopped without an answer
    │       └── ClearingError   not even with shortage allowed               (network.clearing)
    ├── UnwrittenError          a file or stdout takes nothing (more)    exit code 6 or 2 (scenarios.errors)
    ├── WorkerLostError         a worker was lost again and again        exit code 5 (market.hosting.incident)
    └── InfeasibleError         no dispatch or plan obeys the limits         exit code 4
        ├── ShortageError       the feeder cannot carry the load             (network.infeasibility.shortage)
        ├── HouseholdShortageError   a prosumer cannot balance a period      (agents.household)
        ├── DeviceShortageError      nor can it, or a device, keep its limits (agents.household)
        └── InfeasibleScenarioError  the same, with its place in the files   (scenarios.errors)

Leaves carry the facts (bus, hour, prosumer) as attributes and build their own sentence: what, where, and the cure.
"""


class GridbazaarError(Exception):
    """Anything that gridbazaar raises on purpose; `exit_code` is what the command line ends with."""

    exit_code = 1


class InputError(GridbazaarError):
    """What the user gave cannot be used."""

    exit_code = 2


class NotSettledError(GridbazaarError):
    """The market ended before prices and bids were at rest."""

    exit_code = 3


class SolverError(NotSettledError):
    """A solver stopped without an answer that can be used."""


class InfeasibleError(GridbazaarError):
    """No dispatch of the feeder, or no plan of a prosumer, obeys all limits."""

    exit_code = 4

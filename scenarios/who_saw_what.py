"""Who saw what: the messages of a run by sender and receiver."""

from collections.abc import Collection
from pathlib import Path

import pandas as pd

from .recorder import LEDGER, read_table

_FEW = 8
"""So many prosumers are shown one by one; more of them are one row."""
_EVERYBODY = "prosumers"


def who_saw_what(folder: Path, prosumers: Collection[str]) -> pd.DataFrame:
    """The messages of a results folder: one row per sender, receiver and kind, with how many and what is in them.

    Args:
        folder: The results folder of a run with a ledger.
        prosumers: The names of all.
    """
    return matrix(read_table(folder, LEDGER).to_pandas(), prosumers)


def matrix(messages: pd.DataFrame, prosumers: Collection[str]) -> pd.DataFrame:
    """The same, of messages with `sender`, `receiver`, `message`, `fields` and `bytes`."""
    ends = messages[["sender", "receiver"]]
    if len(prosumers) > _FEW:
        ends = ends.mask(ends.isin(list(prosumers)), _EVERYBODY)
    named = messages.assign(sender=ends["sender"], receiver=ends["receiver"])
    keys = ["sender", "receiver", "message", "fields"]
    found = named.groupby(keys, sort=False)["bytes"].agg(messages="count", kB="sum").reset_index()
    found["kB"] = (found["kB"] / 1000).round(1)
    return found[["sender", "receiver", "message", "messages", "kB", "fields"]]

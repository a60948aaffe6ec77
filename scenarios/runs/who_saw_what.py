"""Who saw what: the messages of a run by sender and receiver."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ...market.hosting.message_log import Entries
from .tables_on_disk import MESSAGES, read_table

if TYPE_CHECKING:
    import pandas as pd

_FEW = 8
"""So many prosumers are shown one by one; more of them are one row."""
_EVERYBODY = "prosumers"


def who_saw_what(folder: Path, prosumers: Collection[str]) -> pd.DataFrame:
    """The messages of a results folder: one row per sender, receiver and kind, all prosumers as one.

    Args:
        folder: The results folder of a run with a message log.
        prosumers: The names of all.
    """
    return matrix(read_table(folder, MESSAGES).to_pandas(), prosumers, few=0)


def across(messages: pd.DataFrame) -> pd.DataFrame:
    """A `matrix` as one: senders down, receivers across, kinds of message and how many in each cell."""
    told = messages["message"] + " " + messages["messages"].map("{:,}".format)
    ends = [messages["sender"], messages["receiver"]]
    return told.groupby(ends, sort=False).agg(", ".join).unstack(fill_value="")


def frame(entries: Iterable[Entries]) -> pd.DataFrame:
    """The messages of a log as `messages.parquet` has them."""
    import pandas as pd

    parts = [
        pd.DataFrame(
            {
                "round": one.round,
                "message": one.message,
                "fields": ", ".join(one.fields),
                "sender": one.senders,
                "receiver": one.receivers,
                "bytes": one.sizes,
            }
        )
        for one in entries
    ]
    return pd.concat(parts, ignore_index=True)


def matrix(messages: pd.DataFrame, prosumers: Collection[str], few: int = _FEW) -> pd.DataFrame:
    """How many messages there were, how big, and what is in them: one row per sender, receiver and kind.

    Args:
        messages: As `messages.parquet` has them.
        prosumers: The names of all.
        few: So many of them are told apart; more are one row.
    """
    ends = messages[["sender", "receiver"]]
    if len(prosumers) > few:
        ends = ends.mask(ends.isin(list(prosumers)), _EVERYBODY)
    named = messages.assign(sender=ends["sender"], receiver=ends["receiver"])
    told = named.groupby(["sender", "receiver", "message"], sort=False)
    found = told.agg(messages=("bytes", "count"), kB=("bytes", "sum"), fields=("fields", "first")).reset_index()
    found["kB"] = (found["kB"] / 1000).round(1)
    return found[["sender", "receiver", "message", "messages", "kB", "fields"]]

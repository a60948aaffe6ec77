"""The command line: `gridbazaar`, or `python -m gridbazaar.scenarios`."""

import os
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Annotated, Any, NoReturn

import typer

from ..network.errors import GridbazaarError
from .commands import (
    check,
    compare,
    export,
    import_,
    league,
    look,
    new,
    privacy,
    report,
    run,
    step,
    study,
    sweep,
    view,
)
from .commands.arguments import with_ray_address, with_todays_names
from .errors import UnwrittenError

HELP = """Hierarchical energy markets: prosumers trade peer to peer, the DSO clears the market above them on a feeder.

Exit codes: 0 settled, 2 bad input, 3 did not converge, 4 infeasible, 5 worker lost for good, 6 disk full,
130 interrupted."""

app = typer.Typer(
    help=HELP,
    rich_markup_mode=None,  # plain help and usage: rich takes longer to import than all the rest
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command(short_help="Run a scenario; show and save the result.")(run.run)
app.command(short_help="Step through a market, forwards, backwards, and otherwise.")(step.step)
app.command(short_help="Step through a market in the browser.")(view.view)
app.command(short_help="Run the paper's case study; write a page of it.")(study.study)
app.command(short_help="Write a page of a saved run.")(report.report)
app.command(short_help="Export a saved run to pandapower, or its tables to a spreadsheet.")(export.export)
app.command(short_help="Show what differs between saved runs.")(compare.compare)
app.command(short_help="Run every combination of some values; write a table.")(sweep.sweep)
app.command(short_help="Play behaviours against each other; see what lying gains.")(league.league)
app.command(short_help="Measure what messages give away, and what telling less costs.")(privacy.privacy)
app.command()(look.validate)
app.command(short_help="Check a behaviour, or a device, before a market counts on it.")(check.check)
app.command("import", short_help="Make a scenario of a network of another tool, with proof.")(import_.import_)
app.command(short_help="Begin a behaviour, a device or a scenario of your own.")(new.new)
app.command("list", short_help="List scenarios, behaviours, or kinds of devices.")(look.list_)
app.command(short_help="Print the JSON Schema of scenario files.")(look.schema)


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(version("gridbazaar"))
        raise typer.Exit


@app.callback()
def options(
    asked: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="print it")] = False,
) -> None:
    """Options of the program itself; what they do is done when they are read."""
    del asked


def main() -> NoReturn:
    """Run the command line; what gridbazaar refuses is one sentence on stderr and an exit code."""
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # it would look for them in all that is installed
    warnings.showwarning = partial(_note, warnings.showwarning, set())
    words = with_ray_address(with_todays_names(sys.argv[1:])) or ["--help"]
    code = _told(lambda: app(words))
    sys.exit(_told(sys.stdout.flush) or code)  # whether all of it could be written turns out now


def _note(
    otherwise: Callable[..., None], told: set[str], message: Warning | str, category: type[Warning], *where: Any
) -> None:
    """Tell once, in one plain line, of an old name that is still understood; leave other warnings as they are."""
    from ..market.settings import RenamedWarning

    if not issubclass(category, RenamedWarning):
        otherwise(message, category, *where)
    elif str(message) not in told:
        told.add(str(message))
        typer.echo(message, err=True)


def _told(act: Callable[[], object]) -> int:
    """Do something; the exit code, after a sentence on stderr if it failed."""
    try:
        act()
    except SystemExit as end:
        return int(end.code or 0)
    except GridbazaarError as error:
        return _failed(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _failed("interrupted; what was saved is in the results folder", 130)
    except BrokenPipeError:
        _leave_stdout()
        return 1
    except OSError as error:
        _leave_stdout()
        unwritten = UnwrittenError(error)
        return _failed(str(unwritten), unwritten.exit_code)
    return 0


def _failed(sentence: str, code: int) -> int:
    with suppress(OSError):  # stderr may be full as well
        typer.echo(sentence, err=True)
    return code


def _leave_stdout() -> None:
    """Python would try once more to write what stdout has not taken, and complain: let nothing take it."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()

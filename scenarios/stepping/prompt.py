"""Where commands come from: a terminal with completion and history, or a file or pipe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from ...network.errors import GridbazaarError
from .errors import SessionError
from .shell import Shell, completions

if TYPE_CHECKING:
    from prompt_toolkit.completion import CompleteEvent, Completion
    from prompt_toolkit.document import Document


def converse(shell: Shell, console: Console) -> None:
    """Ask a person for commands until it leaves; what cannot be done is told, and nothing is lost."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import Completer

    class Words(Completer):
        """Completes the word that is being typed."""

        def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
            """The words that may stand there."""
            del complete_event
            return _completed(shell, document.text_before_cursor)

    prompt: PromptSession[str] = PromptSession(completer=Words(), complete_while_typing=False)
    console.print(Text(f"{shell.session}\n`help` lists the commands, Tab completes, `quit` leaves"))
    while not shell.left:
        try:
            line = prompt.prompt(f"{shell.session.branch.name}@{shell.session.round}> ")
        except EOFError:
            return
        except KeyboardInterrupt:
            continue
        try:
            shell.do(line)
        except GridbazaarError as error:
            console.print(Text(str(error), style="red"))


def follow(shell: Shell, lines: Iterable[str], place: str) -> None:
    """Do what lines of a file or pipe say, one after the other.

    Args:
        shell: Does it.
        lines: The lines.
        place: What they come from, for messages.

    Raises:
        SessionError: A line cannot be done; those before it have been.
        KeyboardInterrupt: Ctrl-C came; the round under way has been finished.
    """
    for number, line in enumerate(lines, start=1):
        if shell.left:
            return
        try:
            shell.do(line)
        except GridbazaarError as error:
            raise SessionError(f"{place}:{number} {line.strip()}: {error}") from error
        if shell.was_interrupted:
            raise KeyboardInterrupt


def _completed(shell: Shell, typed: str) -> Iterator[Completion]:
    from prompt_toolkit.completion import Completion

    words = typed.split()
    word = "" if not words or typed.endswith(" ") else words[-1]
    first = not words or (len(words) == 1 and word)
    known = completions(shell)
    choices = known if first else known.get(words[0], set())
    for choice in sorted(choices):
        if choice.startswith(word):
            yield Completion(choice, start_position=-len(word))

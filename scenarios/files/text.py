"""The text of files and the names in it: UTF-8, and one way to write each letter."""

from pathlib import Path
from unicodedata import normalize

from ..errors import refuse


def read_text(file: Path) -> str:
    """The text of a file.

    Raises:
        ScenarioError: It cannot be read.
    """
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise refuse(shown(file), "", f"the file cannot be read ({error}); save it as text in UTF-8") from None
    except OSError as error:
        raise refuse(
            shown(file), "", f"the file cannot be read ({error.strerror}); correct its name or rights"
        ) from None


def as_name(text: str) -> str:
    """A name as it is kept: no space around it, and ü one letter (NFC) however the editor composed it."""
    return normalize("NFC", text).strip()


def beside(folder: Path, named: str) -> Path:
    """The file of this name in a folder, also where the file system composes its letters otherwise."""
    forms = (folder / normalize(form, named) for form in ("NFC", "NFD"))
    return next((file for file in forms if file.is_file()), folder / named)


def shown(file: Path) -> str:
    """A file as messages name it: from here if it lies below."""
    try:
        return str(file.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(file)

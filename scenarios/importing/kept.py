"""Scenarios that import when they are read: the imported folder is kept in the user's cache for the next time."""

from __future__ import annotations

from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from os import environ
from pathlib import Path
from re import sub
from typing import TYPE_CHECKING

from pydantic import ValidationError

from ..errors import ScenarioError, UnwrittenError, refuse
from ..files.import_row import ImportingRow, ImportRow
from ..files.problems import problems
from ..files.text import beside

if TYPE_CHECKING:
    from ..files.tree import Tree

_CODE = Path(__file__).parent


def wish_of(tree: Tree) -> ImportRow:
    """What the key `import` of a tree asks for, checked.

    Raises:
        ScenarioError: A key or value is wrong.
    """
    try:
        return ImportingRow.model_validate({"import": tree.values["import"]}).wish
    except ValidationError as error:
        raise ScenarioError(problems(ImportingRow, tree, error.errors())) from None


def imported(tree: Tree, folder: Path) -> Path:
    """The scenario file that the key `import` of a tree asks for: of the cache, or imported now.

    Args:
        tree: What the file says that has the key.
        folder: Where it is; a network's file is meant from there.

    Raises:
        ScenarioError: The network cannot be imported, or pandapower is missing.
        UnwrittenError: The cache cannot be written.
    """
    from filelock import FileLock

    wish, place = wish_of(tree), tree.place(("import",))
    file = beside(folder, wish.network)
    if file.is_file():
        wish = wish.model_copy(update={"network": str(file.resolve())})
    name = sub(r"[^\w.-]+", "_", Path(wish.network).stem) or "network"
    kept = _cache() / f"{name}-{_key(wish, file, place)}" / name
    if not kept.is_dir():
        from .importing import import_network

        try:
            kept.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(kept.parent / ".lock"):
                if not kept.is_dir():  # another process may have been first
                    import_network(wish, kept)
        except ScenarioError as error:
            raise refuse(place, "import", error.problems[0].sentence) from None
        except OSError as error:
            raise UnwrittenError(error) from error
    return kept / f"{name}.yaml"


def _cache() -> Path:
    """Where imports are kept: `gridbazaar/imports` in `$XDG_CACHE_HOME`, or in `~/.cache`."""
    home = environ.get("XDG_CACHE_HOME", "")
    return (Path(home) if home else Path.home() / ".cache") / "gridbazaar" / "imports"


def _key(wish: ImportRow, file: Path, place: str) -> str:
    """What an import follows from, as a word: the wish, the file, the libraries, and the code of the import."""
    try:
        libraries = version("pandapower")
    except PackageNotFoundError:
        cure = "pip install 'gridbazaar[grid]'"
        raise refuse(place, "import", f"networks are read with pandapower, which is missing: {cure}") from None
    parts = [wish.model_dump_json().encode(), libraries.encode()]
    parts += [file.read_bytes()] if file.is_file() else []
    parts += [code.read_bytes() for code in sorted(_CODE.iterdir()) if code.suffix in {".py", ".j2"}]
    return sha256(b"\0".join(parts)).hexdigest()[:16]

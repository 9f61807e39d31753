"""Files of a policy that a programme may leave out: projects, aid, money, committees, decisions.

One module per file, named after it. Each has ``KEYS`` (the structural keys of the file, every one with a default) and may
have ``cross(part, others, fault)``, which checks what the file names in other files. A programme without the file has
``policy.part(name)`` equal to None: the pages of that subject then say that the programme does not use it.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

NAMES = ("calls", "labelling", "selection", "aid", "funding", "committees", "decisions")
"""In the order in which they are read; ``<name>.yaml`` is the file."""

MODULES: dict[str, ModuleType] = {
    name: import_module(f"{__name__}.{name}") for name in NAMES if find_spec(f"{__name__}.{name}")
}

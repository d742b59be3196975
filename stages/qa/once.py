"""What is found of an event, kept for the next who asks."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from stages.qa.event import Event

_Found = TypeVar("_Found")
_Method = Callable[[Any, Event], _Found]


def once(find: _Method[_Found]) -> _Method[_Found]:
    """Keeps what a method finds of each event: writers of all forms ask the same."""
    name = f"_once_{find.__name__}"

    @wraps(find)
    def found(self: Any, event: Event) -> _Found:
        known: dict[Event, _Found] | None = self.__dict__.get(name)
        if known is None:
            known = self.__dict__[name] = {}
        if event not in known:
            known[event] = find(self, event)
        return known[event]

    return found

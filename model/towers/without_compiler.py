"""Imports torchvision and open_clip without torch's compiler, which takes a second of their three and is never used.

torchvision imports it for one function of `roi_align`, and both it and timm to exclude functions from being compiled.
These two uses are replaced during the import. `import torch._dynamo` works as ever afterwards.
"""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import torch

_COMPILER = "torch._dynamo.utils"


@contextmanager
def _replaced() -> Iterator[None]:
    stand_in, disable = ModuleType(_COMPILER), torch.compiler.disable
    vars(stand_in)["is_compile_supported"] = _is_compile_supported
    sys.modules[_COMPILER], torch.compiler.disable = stand_in, _unchanged
    try:
        yield
    finally:
        torch.compiler.disable = disable
        del sys.modules[_COMPILER]


def _is_compile_supported(device_type: str) -> bool:
    is_supported: bool = importlib.import_module(_COMPILER).is_compile_supported(device_type)
    return is_supported


def _unchanged(fn: Any = None, *_: Any, **__: Any) -> Any:
    """Stands for `torch.compiler.disable`, which also makes decorators when it gets no function."""
    return _unchanged if fn is None else fn


if _COMPILER not in sys.modules:
    with _replaced():
        import open_clip  # noqa: F401
        import torchvision.transforms.v2  # noqa: F401

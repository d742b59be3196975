"""Imports torch, torchvision and open_clip without what hardly any tower uses, and without garbage collections.

torchvision imports torch's compiler for one function of `roi_align`, and both it and timm to exclude functions from
being compiled; it is never used. open_clip imports transformers for text towers of that library, which are rare:
`use_transformers` gives it to open_clip where it is needed. Each takes about a second, and the collections, which find
nothing in objects that modules keep, take a fifth of the rest. `import torch._dynamo` and `import transformers` work
as ever afterwards.
"""

import gc
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from model.untrusted_folder import never_ask_to_run_code

_COMPILER, _TRANSFORMERS = "torch._dynamo.utils", "transformers"


def use_transformers(config: dict[str, Any]) -> None:
    """Imports transformers and gives it to open_clip, if the config of a tower (empty: unknown) names parts of it."""
    if config and not any(key.startswith("hf_") for key in config["text_cfg"]):
        return
    never_ask_to_run_code()
    import open_clip

    if open_clip.hf_model.transformers is None:
        open_clip.model.HFTextEncoder = importlib.reload(open_clip.hf_model).HFTextEncoder


@contextmanager
def _without_collections() -> Iterator[None]:
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            # Moves all objects to the oldest generation; otherwise the next collection would visit each of them.
            gc.freeze()
            gc.unfreeze()
            gc.enable()


@contextmanager
def _without_compiler() -> Iterator[None]:
    import torch

    if _COMPILER in sys.modules:
        yield
        return
    stand_in, disable = ModuleType(_COMPILER), torch.compiler.disable
    vars(stand_in)["is_compile_supported"] = _is_compile_supported
    sys.modules[_COMPILER], torch.compiler.disable = stand_in, _unchanged
    try:
        yield
    finally:
        torch.compiler.disable = disable
        del sys.modules[_COMPILER]


@contextmanager
def _without_transformers() -> Iterator[None]:
    if _TRANSFORMERS in sys.modules:
        yield
        return
    sys.modules[_TRANSFORMERS] = None  # type: ignore[assignment]  # open_clip handles that it is not installed
    try:
        yield
    finally:
        del sys.modules[_TRANSFORMERS]


def _is_compile_supported(device_type: str) -> bool:
    is_supported: bool = importlib.import_module(_COMPILER).is_compile_supported(device_type)
    return is_supported


def _unchanged(fn: Any = None, *_: Any, **__: Any) -> Any:
    """Stands for `torch.compiler.disable`, which also makes decorators when it gets no function."""
    return _unchanged if fn is None else fn


with _without_collections(), _without_compiler(), _without_transformers():
    import open_clip  # noqa: F401
    import timm.models.vision_transformer  # noqa: F401
    import torchvision.transforms.v2  # noqa: F401

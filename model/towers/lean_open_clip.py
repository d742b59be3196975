"""Imports torch, torchvision and open_clip without what few towers use, and without garbage collections.

torchvision imports torch's compiler for one function of `roi_align`, and both it and timm to exclude functions from
being compiled; it is never used. open_clip imports transformers for text towers of that library, which are rare, and
timm with all of its models for image towers of that one (SigLIP): `use_libraries` gives them to open_clip where they
are needed. The compiler and transformers take about a second each, timm a third of one, and the collections, which
find nothing in objects that modules keep, a fifth of the rest. `import torch._dynamo`, `import transformers` and
`import timm` work as ever afterwards.
"""

import gc
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from model.untrusted_folder import never_ask_to_run_code

_COMPILER = "torch._dynamo.utils"


def use_libraries(config: dict[str, Any]) -> None:
    """Imports transformers and timm and gives them to open_clip, if the config of a tower (empty: unknown) names them.

    The classes of open_clip that use them are other ones afterwards.
    """
    import open_clip

    text, vision = (config.get(part) or {} for part in ("text_cfg", "vision_cfg"))
    if not config or any(key.startswith("hf_") for key in text):
        never_ask_to_run_code()
        if open_clip.hf_model.transformers is None:
            open_clip.model.HFTextEncoder = importlib.reload(open_clip.hf_model).HFTextEncoder
    if (not config or "timm_model_name" in vision) and open_clip.timm_model.timm is None:
        with _without_collections(), _without_compiler():
            open_clip.model.TimmModel = importlib.reload(open_clip.timm_model).TimmModel


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
def _without(name: str) -> Iterator[None]:
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # open_clip handles that it is not installed
    try:
        yield
    finally:
        del sys.modules[name]


def _is_compile_supported(device_type: str) -> bool:
    is_supported: bool = importlib.import_module(_COMPILER).is_compile_supported(device_type)
    return is_supported


def _unchanged(fn: Any = None, *_: Any, **__: Any) -> Any:
    """Stands for `torch.compiler.disable`, which also makes decorators when it gets no function."""
    return _unchanged if fn is None else fn


with _without_collections(), _without_compiler(), _without("transformers"), _without("timm"):
    import open_clip  # noqa: F401
    import torchvision.transforms.v2  # noqa: F401

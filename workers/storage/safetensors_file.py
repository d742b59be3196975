"""Named arrays as safetensors bytes and back, without copying the data.

The format: https://github.com/huggingface/safetensors, "Format". The library's own `save` copies the data twice.
"""

import hashlib
import json
import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

Tensors = dict[str, np.ndarray]
Shape = tuple[np.dtype, tuple[int, ...]]

# In the order in which the library lays tensors out.
_DTYPES = {
    "U64": "<u8",
    "I64": "<i8",
    "F64": "<f8",
    "F32": "<f4",
    "U32": "<u4",
    "I32": "<i4",
    "F16": "<f2",
    "U16": "<u2",
    "I16": "<i2",
    "I8": "i1",
    "U8": "u1",
    "BOOL": "?",
}
_NAMES = {np.dtype(dtype): name for name, dtype in _DTYPES.items()}
_RANKS = {name: rank for rank, name in enumerate(_DTYPES)}
_NO_SHA256 = "0" * 64
_MAX_HEADER_BYTES, _MAX_NUMBER, _MAX_AXES = 1 << 24, 1 << 62, 32


def encode_tensors(tensors: Tensors, metadata: Mapping[str, str]) -> tuple[list[bytes | memoryview], str]:
    """Encodes arrays as a safetensors file, whose metadata gets the SHA-256 of the data.

    The same arrays and metadata give the same bytes.

    Returns:
        The file in chunks that share the arrays' memory, and the SHA-256 of its data in hex.
    """
    shapes = {name: (array.dtype, array.shape) for name, array in tensors.items()}
    chunks: list[memoryview] = []
    sha256 = hashlib.sha256()
    for name in _in_order(shapes):
        if tensors[name].nbytes:
            chunks.append(np.ascontiguousarray(tensors[name]).reshape(-1).view(np.uint8).data)
            sha256.update(chunks[-1])
    return [_header(shapes, {**metadata, "sha256": sha256.hexdigest()}), *chunks], sha256.hexdigest()


def encoded_bytes(shapes: Mapping[str, Shape], metadata: Mapping[str, str]) -> int:
    """Returns the size in bytes of what `encode_tensors` returns for arrays of these types and shapes."""
    data = sum(_nbytes(dtype, shape) for dtype, shape in shapes.values())
    return len(_header(shapes, {**metadata, "sha256": _NO_SHA256})) + data


def decode_tensors(data: Any, verify: bool = True) -> tuple[Tensors, dict[str, str]]:
    """Decodes a safetensors file to arrays that share its memory, and its metadata.

    Raises:
        ValueError: the bytes are no such file or, with `verify`, differ from the checksum in the metadata.
    """
    data = memoryview(data)
    start = _data_start(data[:8], len(data))
    places, metadata = _parse(data[8:start])
    body = data[start:]
    tensors = {
        name: np.frombuffer(body[first:last], dtype).reshape(shape)
        for name, ((dtype, shape), first, last) in places.items()
    }
    if verify and metadata.get("sha256") != hashlib.sha256(body).hexdigest():
        raise ValueError("the data differs from its checksum")
    return tensors, metadata


def read_tensors(stream: Any, names: Collection[str]) -> tuple[dict[str, Shape], Tensors]:
    """Reads some arrays of a safetensors file by byte range, and the types and shapes of all of them.

    Args:
        stream: stream with `size` and `read_at`, as Arrow has them.
        names: names of the arrays to read; missing ones are left out.

    Raises:
        ValueError: the stream is no such file. The checksum is not verified.
    """
    start = _data_start(stream.read_at(8, 0), stream.size())
    places, _ = _parse(stream.read_at(start - 8, 8))
    tensors = {}
    for name in places.keys() & names:
        (dtype, shape), first, last = places[name]
        tensors[name] = np.frombuffer(stream.read_at(last - first, start + first), dtype).reshape(shape)
    return {name: shape for name, (shape, _, _) in places.items()}, tensors


def _data_start(head: Any, size: int) -> int:
    start = 8 + int.from_bytes(head, "little")
    if not 8 < start <= size:
        raise ValueError("not a safetensors file, or cut short")
    if start > _MAX_HEADER_BYTES:
        raise ValueError(f"the header has {start} bytes; {_MAX_HEADER_BYTES} are allowed")
    return start


def _parse(header: Any) -> tuple[dict[str, tuple[Shape, int, int]], dict[str, str]]:
    """Type, shape and range of each array, and the metadata."""
    places = {}
    try:
        entries = json.loads(bytes(header))
        metadata = dict(entries.pop("__metadata__", {}))
        for name, entry in entries.items():
            dtype, shape = np.dtype(_DTYPES[entry["dtype"]]), tuple(entry["shape"])
            first, last = entry["data_offsets"]
            if len(shape) > _MAX_AXES:  # whose product takes for ever
                raise ValueError(f"the header gives {name!r} {len(shape)} axes; {_MAX_AXES} are allowed")
            # numpy takes a length of -1 for any, and floats and huge numbers raise more than ValueError later.
            if not all(type(number) is int and 0 <= number < _MAX_NUMBER for number in (*shape, first, last)):
                raise ValueError(f"the header gives {name!r} a shape or offsets that are no lengths")
            if last - first != _nbytes(dtype, shape):
                raise ValueError(f"the header gives {name!r} {last - first} bytes for a shape of {list(shape)}")
            places[name] = ((dtype, shape), first, last)
    except (AttributeError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"the header is not one of safetensors: {error!r}") from None
    return places, metadata


def _header(shapes: Mapping[str, Shape], metadata: Mapping[str, str]) -> bytes:
    header: dict[str, Any] = {"__metadata__": metadata}
    end = 0
    for name in _in_order(shapes):
        dtype, shape = shapes[name]
        start, end = end, end + _nbytes(dtype, shape)
        header[name] = {"dtype": _NAMES[dtype], "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # so that the data is aligned for a reader that maps it
    return len(text).to_bytes(8, "little") + text


def _in_order(shapes: Mapping[str, Shape]) -> list[str]:
    return sorted(shapes, key=lambda name: (_RANKS[_NAMES[shapes[name][0]]], name))


def _nbytes(dtype: np.dtype, shape: tuple[int, ...]) -> int:
    return dtype.itemsize * math.prod(shape)

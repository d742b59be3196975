"""Opens the JPEG frames of units, which someone else may have written."""

from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

MAX_PIXELS = 1 << 26  # twice those of an 8K frame


def open_jpeg(jpeg: bytes) -> "Image":
    """Reads the header of a JPEG, and returns the image, which is not decoded yet.

    Raises OSError for bytes of another format, of which Pillow gives some to other programs, and ValueError for more
    than MAX_PIXELS pixels, which a few bytes may announce.
    """
    from PIL import Image

    try:
        image = Image.open(BytesIO(jpeg), formats=("JPEG",))
    except Image.DecompressionBombError as error:
        raise ValueError(f"a frame cannot be decoded: {error}") from None
    if image.width * image.height > MAX_PIXELS:
        raise ValueError(f"a frame has {image.width} x {image.height} pixels; {MAX_PIXELS} are allowed")
    return image


def decode_jpeg(jpeg: bytes) -> "np.ndarray":
    """Decodes a JPEG to RGB, uint8 [height, width, 3].

    Raises ValueError for bytes of another format, for a damaged JPEG, and for more than MAX_PIXELS pixels.
    """
    import simplejpeg

    try:
        height, width, *_ = simplejpeg.decode_jpeg_header(jpeg)
        if width * height > MAX_PIXELS:
            raise ValueError(f"{width} x {height} pixels; {MAX_PIXELS} are allowed")
        rgb: np.ndarray = simplejpeg.decode_jpeg(jpeg)
    except (TypeError, ValueError) as error:  # TypeError: a null
        raise ValueError(f"a frame cannot be decoded: {error}") from None
    return rgb

"""Read by each Python that starts with this folder on its path: in a decoder's process, files named for a bad end break
the decoder after their first picture."""

import sys

if "workers.media_child" in sys.orig_argv:
    from itertools import islice
    from pathlib import Path

    from tests.workers import broken_decoders
    from workers import frame_decoder

    sound = frame_decoder.BACKENDS["pyav"]

    def decode(path, segment, **options):
        pictures = sound(path, segment, **options)
        bad_end = getattr(broken_decoders, Path(path).stem, None)
        if bad_end is not None:
            yield from islice(pictures, 1)
            for _ in bad_end():
                pass
        yield from pictures

    frame_decoder.BACKENDS["pyav"] = decode

"""Pictures as they come in: checked before they are decoded, turned upright, without metadata, and written small.

`load_image` is the only door for pictures: what passes it is RGB pixels, and neither place nor camera are left in it.
`to_webp` makes what is kept, `to_data_url` what a vision model is shown.
"""

from __future__ import annotations

import base64
import io
import struct
import threading
import warnings
import zlib
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from mirix.errors import ImageError
from mirix.ingest.files import read_regular

MAX_PIXELS = 40_000_000  # an 8K screen has 33 million
MAX_BYTES = 64_000_000
LOSSLESS_UP_TO = 1.5  # times the size of the lossy file
FLAT = 0.1  # bytes a pixel: a picture that takes no more without loss is not tried with it

_MIME = {"PNG": "image/png", "JPEG": "image/jpeg", "MPO": "image/jpeg", "WEBP": "image/webp"}
_TAKE = "PNG, JPEG and WebP are taken"
_WEBP_MAX_SIDE = 16_383
# Pillow warns of large pictures on the error stream, and what becomes of warnings is one setting for all threads.
_HEADER = threading.Lock()
# What Pillow's decoders raise for files that are broken or were made to break them.
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error, zlib.error)
# EXIF: the sub-directory, and in it the time the shutter was released and its offset from UTC.
_EXIF_IFD, _TIME_TAKEN, _OFFSET_TAKEN = 0x8769, 0x9003, 0x9011


@dataclass(frozen=True, kw_only=True)
class LoadedImage:
    image: Image.Image  # RGB, upright, no metadata
    mime: str  # of the file it came in, e.g. image/png
    width: int  # pixels, upright
    height: int
    taken_at: datetime | None  # aware; from EXIF


def load_image(data: bytes | Path, *, zone: tzinfo | None = None) -> LoadedImage:
    """Decode a PNG, JPEG or WebP picture, known by its content and not by its name.

    The number of pixels is checked from the header, before anything is decoded. What is transparent becomes white. EXIF
    times seldom carry an offset: then they are local times of `zone`, or `taken_at` is None without one.

    Raises ImageError if it is no such picture, is damaged, animated, above 40 million pixels or above 64 MB.
    """
    content = _content(data)
    try:
        with _HEADER, warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            opened = Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "WEBP"))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(f"the picture is too large (at most {MAX_PIXELS:,} pixels): scale it down") from error
    except _BROKEN as error:
        raise ImageError(f"this is not a picture that can be read; {_TAKE}") from error
    with opened:
        _check_header(opened)
        try:
            opened.load()
            taken_at = _time_taken(opened.getexif(), zone)
            image = _rgb(ImageOps.exif_transpose(opened))
        except _BROKEN as error:
            raise ImageError(f"the picture is damaged or cut off ({error}): export it again") from error
        image.info.clear()
        mime = _MIME[opened.format or "PNG"]
    return LoadedImage(image=image, mime=mime, width=image.width, height=image.height, taken_at=taken_at)


def _content(data: bytes | Path) -> bytes:
    if isinstance(data, Path):
        try:
            if not data.is_file():
                raise ImageError(f"{data} is not a file" if data.exists() else f"there is no file {data}")
            size = data.stat().st_size
            content = read_regular(data, MAX_BYTES)
        except OSError as error:
            raise ImageError(f"cannot read {data}: {error.strerror}") from error
    else:
        content, size = data, len(data)
    if size > MAX_BYTES:
        raise ImageError(f"the picture has {size:,} bytes (at most {MAX_BYTES:,}): scale it down")
    if not content:
        raise ImageError(f"the picture is empty; {_TAKE}")
    return content


def _check_header(opened: Image.Image) -> None:
    pixels = opened.width * opened.height
    if pixels > MAX_PIXELS:
        size = f"{opened.width} × {opened.height}"
        raise ImageError(f"the picture is too large ({size}, at most {MAX_PIXELS:,} pixels): scale it down")
    # An MPO is a JPEG with further views behind it, as many telephones write them: the first is the picture.
    if opened.format != "MPO" and getattr(opened, "n_frames", 1) > 1:
        raise ImageError("the picture is animated: save the frame that matters as a picture of its own")


def _time_taken(exif: Image.Exif, zone: tzinfo | None) -> datetime | None:
    details = exif.get_ifd(_EXIF_IFD)
    text = str(details.get(_TIME_TAKEN, "")).strip("\0 ")
    offset = str(details.get(_OFFSET_TAKEN, "")).strip("\0 ")
    try:
        taken = datetime.strptime(text, "%Y:%m:%d %H:%M:%S")
        if offset:
            return datetime.strptime(text + offset, "%Y:%m:%d %H:%M:%S%z")
    except ValueError:
        return None  # cameras without a clock write zeros or blanks
    return taken.replace(tzinfo=zone) if zone else None


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits of grey: converting would cut off at 255 instead of scaling
        image = Image.fromarray((np.asarray(image, dtype=np.uint32) >> 8).clip(0, 255).astype(np.uint8))
    if image.has_transparency_data:
        # Without a ground under it, black text on nothing would be black on black.
        ground = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(ground, image.convert("RGBA"))
    return image.convert("RGB")


def to_webp(image: Image.Image) -> bytes:
    """The picture as WebP: lossless, unless that takes more than 1.5 times the size of quality 80 (photographs, video).

    Screens are flat and come out smaller without loss than with it, and text in them stays sharp.
    """
    image = _at_most(image, _WEBP_MAX_SIDE)
    lossless = _encoded(image, "WEBP", lossless=True, quality=50, method=2)
    if len(lossless) <= FLAT * image.width * image.height:
        return lossless
    lossy = _encoded(image, "WEBP", quality=80, method=4)
    return lossless if len(lossless) <= LOSSLESS_UP_TO * len(lossy) else lossy


def to_data_url(image: Image.Image, *, max_side: int = 1568) -> str:
    """The picture as a `data:` URL, scaled down to `max_side` pixels, for a vision model.

    PNG, or JPEG where that is much smaller: every server reads these, and several local ones do not read WebP.
    """
    image = _at_most(image, max_side)
    png = _encoded(image, "PNG", compress_level=6)
    jpeg = _encoded(image, "JPEG", quality=85)
    mime, content = ("image/png", png) if len(png) <= LOSSLESS_UP_TO * len(jpeg) else ("image/jpeg", jpeg)
    return f"data:{mime};base64,{base64.b64encode(content).decode('ascii')}"


def _encoded(image: Image.Image, file_format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def _at_most(image: Image.Image, max_side: int) -> Image.Image:
    longest = max(image.size)
    if longest <= max_side:
        return image
    scale = max_side / longest
    size = max(round(image.width * scale), 1), max(round(image.height * scale), 1)
    return image.resize(size, Image.Resampling.LANCZOS)

"""Pictures: what is refused before it is decoded, and what comes out of those that are taken."""

from __future__ import annotations

import base64
import contextlib
import io
import struct
import zlib
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mirix.errors import ImageError, InputError
from mirix.ingest.images import load_image, to_data_url, to_webp


def _page(size: tuple[int, int] = (400, 300), mode: str = "RGB") -> Image.Image:
    image = Image.new(mode, size, "white")
    draw = ImageDraw.Draw(image)
    for row in range(20, size[1] - 20, 24):
        draw.text((20, row), f"Meeting at 14:30 in room {row}", fill="black")
    return image


def _photo(size: tuple[int, int] = (400, 300)) -> Image.Image:
    noise = np.random.default_rng(1).integers(0, 256, (size[1] // 4, size[0] // 4, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)


def _file(image: Image.Image, file_format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def _png_header(width: int, height: int) -> bytes:
    """A PNG that announces its size and holds next to nothing."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(bytes(100))), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(
    ("file_format", "mime"), [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp")]
)
def test_picture_is_known_by_its_content(file_format: str, mime: str, tmp_path: Path) -> None:
    path = tmp_path / "picture.gif"  # the name lies
    path.write_bytes(_file(_page(), file_format))
    for source in (path, path.read_bytes()):
        loaded = load_image(source)
        assert (loaded.mime, loaded.width, loaded.height, loaded.image.mode) == (mime, 400, 300, "RGB")
        assert loaded.taken_at is None


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"<svg></svg>", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBP"]
)
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(ImageError, match=r"PNG, JPEG and WebP|export it again"):
        load_image(content)


@pytest.mark.parametrize("file_format", ["GIF", "BMP", "TIFF", "ICO"])
def test_other_formats_are_refused(file_format: str) -> None:
    with pytest.raises(ImageError, match="PNG, JPEG and WebP are taken"):
        load_image(_file(_page((64, 64)), file_format))


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_picture_that_was_cut_off_is_refused(file_format: str, kept: float) -> None:
    content = _file(_photo(), file_format)
    with pytest.raises(ImageError):
        load_image(content[: int(len(content) * kept)])


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
def test_damaged_picture_is_read_or_refused_and_nothing_else(file_format: str) -> None:
    content = _file(_page(), file_format)
    random = np.random.default_rng(7)
    for _ in range(200):
        damaged = bytearray(content)
        for position in random.integers(0, len(damaged), 4):
            damaged[position] = random.integers(0, 256)
        with contextlib.suppress(ImageError):
            assert load_image(bytes(damaged)).image.mode == "RGB"


@pytest.mark.parametrize("size", [(8000, 5001), (10_000, 10_000), (30_000, 30_000), (2_000_000_000, 2)])
def test_size_is_checked_before_decoding(size: tuple[int, int]) -> None:
    with pytest.raises(ImageError, match="too large"):
        load_image(_png_header(*size))


def test_animated_pictures_are_refused() -> None:
    frames = [_page((64, 64)), _photo((64, 64))]
    for file_format in ("WEBP", "PNG"):
        content = _file(frames[0], file_format, save_all=True, append_images=frames[1:])
        with pytest.raises(ImageError, match="animated"):
            load_image(content)


def test_telephone_picture_with_a_second_view_is_its_first_view() -> None:
    loaded = load_image(_file(_page(), "MPO", save_all=True, append_images=[_photo((100, 100))]))
    assert (loaded.mime, loaded.width) == ("image/jpeg", 400)


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        load_image(tmp_path / "none.png")
    with pytest.raises(InputError, match="is not a file"):
        load_image(tmp_path)


def test_picture_is_turned_upright_and_loses_its_metadata() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x8825] = {1: "N", 2: (60.0, 23.0, 0.0)}  # where it was taken
    content = _file(_page((400, 300)), "JPEG", exif=exif.tobytes(), dpi=(300, 300))
    loaded = load_image(content)
    assert (loaded.width, loaded.height) == (300, 400)
    assert loaded.image.info == {} and not loaded.image.getexif()
    assert b"Exif" not in to_webp(loaded.image) and b"EXIF" not in to_webp(loaded.image)


def _taken(time: str, offset: str | None = None) -> bytes:
    exif = Image.Exif()
    details = {0x9003: time} | ({0x9011: offset} if offset else {})
    exif[0x8769] = details
    return _file(_page((64, 64)), "JPEG", exif=exif.tobytes())


def test_time_taken_is_aware_or_absent() -> None:
    expected = datetime(2026, 11, 13, 9, 30, tzinfo=timezone(timedelta(hours=1)))
    assert load_image(_taken("2026:11:13 09:30:00", "+01:00")).taken_at == expected
    assert load_image(_taken("2026:11:13 09:30:00"), zone=ZoneInfo("Europe/Oslo")).taken_at == expected
    assert load_image(_taken("2026:11:13 09:30:00")).taken_at is None
    for nonsense in ("0000:00:00 00:00:00", "    :  :     :  :  ", "yesterday"):
        assert load_image(_taken(nonsense), zone=UTC).taken_at is None


def test_transparent_ground_becomes_white() -> None:
    image = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    ImageDraw.Draw(image).rectangle((10, 10, 20, 20), fill=(0, 0, 0, 255))
    loaded = load_image(_file(image, "PNG")).image
    assert loaded.getpixel((0, 0)) == (255, 255, 255)
    assert loaded.getpixel((15, 15)) == (0, 0, 0)


def test_sixteen_bit_grey_keeps_its_shades() -> None:
    shades = np.linspace(0, 65535, 256, dtype=np.uint16).reshape(16, 16)
    loaded = np.asarray(load_image(_file(Image.fromarray(shades), "PNG")).image)
    assert loaded.min() == 0 and loaded.max() == 255 and 100 < loaded.mean() < 155


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK"])
def test_other_colour_models_become_rgb(mode: str) -> None:
    image = _page().convert(mode)
    assert load_image(_file(image, "JPEG" if mode == "CMYK" else "PNG")).image.getpixel((2, 2)) == (255, 255, 255)


def test_screen_is_kept_without_loss_and_photograph_is_not() -> None:
    page = _page()
    kept = load_image(to_webp(page)).image
    assert np.array_equal(np.asarray(kept), np.asarray(page))
    photo = _photo((800, 600))
    kept = load_image(to_webp(photo)).image
    assert not np.array_equal(np.asarray(kept), np.asarray(photo))
    assert np.abs(np.asarray(kept, dtype=int) - np.asarray(photo)).mean() < 12


def test_picture_longer_than_webp_can_hold_is_scaled() -> None:
    loaded = load_image(to_webp(Image.new("RGB", (40, 20_000), "white")))
    assert (loaded.width, loaded.height) == (33, 16_383)


def test_data_url_is_scaled_and_of_a_format_every_server_reads() -> None:
    for image, mime in ((_page((1000, 500)), "image/png"), (_photo((2000, 1000)), "image/jpeg")):
        head, _, content = to_data_url(image, max_side=1000).partition(";base64,")
        assert head == f"data:{mime}"
        loaded = load_image(base64.b64decode(content))
        assert (loaded.mime, loaded.width, loaded.height) == (mime, 1000, 500)
    assert to_data_url(Image.new("RGB", (1, 3000)), max_side=10).startswith("data:image/png")

"""Files as they come in: text files in whatever encoding, and the text of PDFs.

`read_file` is the only door for files. What passes it is plain text by one rule: every kind of line end becomes a line
feed; NUL and the other control characters except the tab are taken out (PostgreSQL takes no NUL, and the others are
never text); half surrogate pairs become U+FFFD. Nothing else is changed: a resource is kept verbatim.
"""

from __future__ import annotations

import io
import logging
import re
import struct
import zlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING

from mirix.errors import InputError

if TYPE_CHECKING:
    from pypdf import PdfReader

# Of UTF-8: a long book. A text is looked through for dates and secrets, cut into messages and embedded, and then the
# managers read it, batch by batch: that takes minutes for as much, and ten times as much would look like a standstill.
MAX_ADDED_BYTES = 1_000_000
_SILENT = logging.NullHandler()
MAX_FILE_BYTES = 100_000_000  # of a PDF, whose pictures are not read
MAX_PAGES = 3000

_CODE = """
.py .pyi .ipynb .js .mjs .ts .tsx .jsx .java .kt .c .h .cc .cpp .hpp .cs .go .rs .rb .php .swift .scala .lua .r .jl .sh
.bash .zsh .ps1 .bat .sql .html .htm .css .scss .xml .vue .tex .patch .diff
"""
_CONFIG = ".yaml .yml .toml .ini .cfg .conf .env .properties"
_DATA = ".csv .tsv .json .jsonl"
_MIME = {
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".toml": "application/toml",
    ".xml": "application/xml",
    ".html": "text/html",
    ".htm": "text/html",
    ".css": "text/css",
    ".py": "text/x-python",
    ".js": "text/javascript",
}
# How common files that hold no plain text begin, and what to do with them.
_NOT_TEXT = (
    (b"\x89PNG", "a picture: add it as an image"),
    (b"\xff\xd8\xff", "a picture: add it as an image"),
    (b"GIF8", "a picture: save it as PNG and add it as an image"),
    (b"PK\x03\x04", "an archive or an office document: export it as PDF or plain text"),
    (b"\xd0\xcf\x11\xe0", "an old office document: export it as PDF or plain text"),
    (b"{\\rtf", "rich text: export it as PDF or plain text"),
    (b"\x1f\x8b", "compressed: unpack it first"),
    (b"SQLite format 3", "a database: export what matters as text"),
)
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


@dataclass(frozen=True, kw_only=True)
class Document:
    title: str  # the file's name
    mime: str  # e.g. text/markdown
    resource_type: str  # document, code, config or data
    text: str  # plain text, not empty
    modified_at: datetime | None  # aware; None when only the content was given and does not say
    pages: tuple[int, ...] = ()  # where in the text each page begins, in characters; empty for files without pages


def read_file(source: Path | str | tuple[str, bytes]) -> Document:
    """The text of a file, given by its path or as its name and content.

    Raises InputError, saying what to do, if it is missing, empty, too large (1 MB of text, 100 MB for a PDF), binary,
    or a PDF that is damaged, locked or made of pictures only.
    """
    name, content, modified_at = _opened(source)
    if not content.strip(b"\0 \t\r\n"):
        raise InputError(f"{name} is empty")
    if b"%PDF-" in content[:1024]:
        document = _read_pdf(name, content)
    else:
        text = _plain(_decoded(name, content))
        mime = _MIME.get(_suffix(name), "text/plain")
        document = Document(title=name, mime=mime, resource_type=_resource_type(name), text=text, modified_at=None)
    if not document.text.strip():
        raise InputError(f"{name} is empty")
    return document if modified_at is None else replace(document, modified_at=modified_at)


def _opened(source: Path | str | tuple[str, bytes]) -> tuple[str, bytes, datetime | None]:
    if isinstance(source, tuple):
        given, content = source
        # A name from elsewhere may be a path, of either kind: only its last part is a title.
        name = _title(PureWindowsPath(given).name)
        _check_size(name, len(content), MAX_FILE_BYTES)
        return name, content, None
    path = Path(source)
    try:
        if not path.exists():
            raise InputError(f"there is no file {path}")
        if not path.is_file():
            raise InputError(f"{path} is not a file: give the files in it one by one")
        status = path.stat()
        name = _title(path.name)
        _check_size(name, status.st_size, MAX_FILE_BYTES)
        return name, read_regular(path, MAX_FILE_BYTES), datetime.fromtimestamp(status.st_mtime, UTC)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


def read_regular(path: Path, limit: int) -> bytes:
    """The content of a file, and no more than `limit` bytes of it. Raises OSError.

    A file without a size is not opened: some that the system makes up (/proc/kmsg) would be read for ever.
    """
    if path.stat().st_size == 0:
        return b""
    with path.open("rb") as file:
        return file.read(limit)


def _title(name: str) -> str:
    return _plain(name).replace("\n", " ").strip() or "untitled"


def check_text_size(what: str, size: int) -> None:
    """Raises InputError if that is more text than can be added at once."""
    if size > MAX_ADDED_BYTES:
        raise InputError(
            f"{what} has {size / 1_000_000:.2f} MB, and at most {MAX_ADDED_BYTES // 1_000_000} MB of text is taken at "
            "once: split it into files and add their folder"
        )


def _check_size(name: str, size: int, limit: int) -> None:
    if size > limit:
        raise InputError(f"{name} is too large ({size:,} bytes, at most {limit:,}): split it")


def _suffix(name: str) -> str:
    return Path(name).suffix.lower()


def _resource_type(name: str) -> str:
    suffix = _suffix(name)
    for suffixes, kind in ((_CODE, "code"), (_CONFIG, "config"), (_DATA, "data")):
        if suffix in suffixes.split():
            return kind
    return "document"


_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_LINE_END = re.compile(r"\r\n?|[\x0b\x0c\x85]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def _plain(text: str) -> str:
    """The one rule for what text may hold; see the module's docstring."""
    return _SURROGATE.sub("\ufffd", _CONTROL.sub("", _LINE_END.sub("\n", text)))


def _decoded(name: str, content: bytes) -> str:
    """Unicode by its mark, UTF-8, Chinese (GB 18030) or Western European, in this order.

    Detection is not left to a statistical package: on short Chinese notes they often answer with something else.
    """
    check_text_size(name, len(content))
    for beginning, what in _NOT_TEXT:
        if content.startswith(beginning):
            raise InputError(f"{name} is {what}")
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace")
    head = content[:8192]
    control = sum(1 for byte in head if byte < 32 and byte not in b"\t\n\r\f\x1b\b")
    if 20 * control > len(head):
        raise InputError(f"{name} is not a text file: export it as PDF or plain text")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        encoding = "gb18030" if _looks_chinese(content) else "cp1252"
        return content.decode(encoding, "replace")


def _looks_chinese(content: bytes) -> bool:
    """Whether bytes above 127 are mostly pairs that stand for frequent characters and punctuation of GB 2312."""
    high = sum(1 for byte in content[:65536] if byte > 127)
    common = len(re.findall(rb"[\xa1-\xa3\xb0-\xd7][\xa1-\xfe]", content[:65536]))
    return 2 * common > 0.7 * high


# What pypdf raises for files that are broken; its own errors are added where it is imported.
_BROKEN = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    RuntimeError,
    EOFError,
    OSError,
    struct.error,
    zlib.error,
)


def _read_pdf(name: str, content: bytes) -> Document:
    from pypdf import PdfReader
    from pypdf.errors import DependencyError, FileNotDecryptedError, PyPdfError

    # What it warns of is told by what becomes of the file; without a handler Python prints it on the error stream.
    logging.getLogger("pypdf").addHandler(_SILENT)
    locked = f"{name} is locked with a password: save a copy without one"
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise InputError(locked)
        pages = _page_texts(name, reader)
        modified_at = _pdf_time(reader)
    except InputError:
        raise
    except (FileNotDecryptedError, DependencyError) as error:
        raise InputError(locked) from error
    except (PyPdfError, *_BROKEN) as error:
        raise InputError(f"{name} is damaged or no PDF: open it and export it as PDF again") from error
    if not any(page.strip() for page in pages):
        raise InputError(f"{name} holds pictures and no text: save its pages as PNG and add them as images")
    starts = []
    text = ""
    for page in pages:
        starts.append(len(text))
        text += page + "\n\n"
    return Document(
        title=name,
        mime="application/pdf",
        resource_type="document",
        text=text,
        modified_at=modified_at,
        pages=tuple(starts),
    )


def _page_texts(name: str, reader: PdfReader) -> list[str]:
    if len(reader.pages) > MAX_PAGES:
        raise InputError(f"{name} has {len(reader.pages)} pages (at most {MAX_PAGES}): split it")
    texts: list[str] = []
    size = 0
    for page in reader.pages:
        texts.append(_plain(page.extract_text()).strip("\n"))
        size += len(texts[-1].encode())
        check_text_size(name, size)
    return texts


def _pdf_time(reader: PdfReader) -> datetime | None:
    try:
        metadata = reader.metadata
        modified = (metadata.modification_date or metadata.creation_date) if metadata else None
    except _BROKEN:
        return None  # written by hand or by a careless program: the text is what matters
    return modified if modified is not None and modified.tzinfo is not None else None

"""Every exception Mirix raises on purpose.

    MirixError                      the root: catch this to catch them all
    ├── ConfigError                 a setting is wrong or a needed package is missing
    ├── InputError (ValueError)     what was handed in cannot be taken as it is
    │   └── ImageError              a picture that cannot be read, or is too large
    ├── NotFoundError (LookupError) no such user, memory, message or batch
    ├── ConflictError               the memory changed since it was read, or the limit of a core block would break
    ├── OperationError              an operation that is not allowed here (trust, kind, handle)
    ├── DatabaseError               the database cannot be used
    │   ├── DatabaseUnavailable     not reachable; the call may be repeated
    │   └── SchemaError             wrong version, missing extension or missing right
    ├── ModelError                  a model (chat, embedding, OCR) failed
    │   ├── ModelUnavailable        not reachable, rate-limited or timed out; the call may be repeated
    │   └── ModelReplyError         it answered, but not in a form that can be used, even after one repair
    ├── CaptureError                the screen, or a folder in its place, cannot be seen
    ├── SpoolFull                   shots of the screen come faster than they are read
    └── SealError                   a sealed value cannot be opened, or no key is there to seal with

Messages say what happened, to what, and what to do. `exit_code` is what the command line ends with.
"""

from __future__ import annotations


class MirixError(Exception):
    exit_code = 1


class ConfigError(MirixError):
    exit_code = 2


class InputError(MirixError, ValueError):
    exit_code = 3


class ImageError(InputError):
    pass


class NotFoundError(MirixError, LookupError):
    exit_code = 4


class ConflictError(MirixError):
    exit_code = 5


class OperationError(MirixError):
    exit_code = 5


class DatabaseError(MirixError):
    exit_code = 6


class DatabaseUnavailable(DatabaseError):
    pass


class SchemaError(DatabaseError):
    pass


class ModelError(MirixError):
    exit_code = 7


class ModelUnavailable(ModelError):
    pass


class ModelReplyError(ModelError):
    pass


class SpoolFull(MirixError):
    """Shots of the screen come faster than they are read, and there is no room for more."""


class SealError(MirixError):
    exit_code = 8


class CaptureError(MirixError):
    exit_code = 9

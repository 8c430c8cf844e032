"""Errors that say that the disk is full or can't be written to: no fault of what was being done, and not its result."""

import errno
import os
import re

FULL_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES)

_OS_ERROR = re.compile(r"\(os error (\d+)\)")


def full_disk(error: Exception) -> str | None:
    """Return the system's words for an error of this kind, None for any other.

    safetensors and tokenizers only name the system's number in their text.
    """
    if isinstance(error, OSError):
        number = error.errno or 0
    else:
        found = _OS_ERROR.search(str(error))
        number = int(found[1]) if found else 0
    return os.strerror(number) if number in FULL_DISK else None

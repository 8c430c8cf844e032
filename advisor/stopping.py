"""Ctrl-C and SIGTERM: the first stops a command, a second one that comes while Python tidies up is left aside."""

_over: list[bool] = []
"""Filled when the command's end has been told and only the interpreter's own exit is left."""


class Stopped(KeyboardInterrupt):
    """A stop that was asked for; Python ends with its own code after a bare one that passed through ``exec``."""


def begin() -> None:
    """Begin a command: signals count again."""
    _over.clear()


def end_told() -> None:
    """Note that the end was told: signals count no more."""
    _over.append(True)


def stop(number: int, frame: object) -> None:
    """Stop as Ctrl-C does, for SIGTERM too: schedulers and `timeout` send it. Raises ``Stopped``."""
    if not _over:
        raise Stopped

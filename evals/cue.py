"""The words that announce an answer: ``Answer:``, ``The final answer is``, ``**Label:**``."""

import re

_WORDS = r"(?:answer|output|label|category|class|response|result|prediction|summary)"
_ENDING = r"(?:\s+is\b\s*[:：]?|\s*[*_]*[:：][*_]*)\s*"
_ADJECTIVES = r"(?:the\s+)?(?:(?:final|correct|best|right)\s+)?"
_CUE = re.compile(rf"[\s*_#>]*{_ADJECTIVES}{_WORDS}{_ENDING}", re.IGNORECASE)
_LATER_CUE = re.compile(rf"(?:^[ \t*_#>]*{_ADJECTIVES}{_WORDS}|(?<!\w)answer){_ENDING}", re.IGNORECASE | re.MULTILINE)
"""A cue at the start of any line; the word ``answer`` announces one wherever it stands."""


def drop_cue(text: str) -> str:
    """Return ``text`` without spaces around it and without a cue at its start."""
    text = text.strip()
    cue = _CUE.match(text)
    return text[cue.end() :] if cue else text


def after_cue(text: str) -> str:
    """Return what follows the last cue in ``text``; nothing where there is no cue."""
    end = len(text)
    for cue in _LATER_CUE.finditer(text):
        end = cue.end()
    return text[end:]

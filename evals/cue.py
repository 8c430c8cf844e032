"""The words that announce an answer: ``Answer:``, ``The final answer is``, ``**Label:**``."""

import re

_CUE = re.compile(
    r"[\s*_#>]*(?:the\s+)?(?:(?:final|correct|best|right)\s+)?"
    r"(?:answer|output|label|category|class|response|result|prediction|summary)"
    r"(?:\s+is\b\s*[:：]?|\s*[*_]*[:：][*_]*)\s*",
    re.IGNORECASE,
)


def drop_cue(text: str) -> str:
    """Return ``text`` without spaces around it and without a cue at its start."""
    text = text.strip()
    cue = _CUE.match(text)
    return text[cue.end() :] if cue else text

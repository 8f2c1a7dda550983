"""Text for XML answers, which more than one cloud gives."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    """Text as element content. A character that XML cannot carry is replaced; a carriage return survives parsing."""
    return escape(_NOT_XML.sub("\ufffd", text), {"\r": "&#13;"})

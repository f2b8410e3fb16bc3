"""What a text shows of a token: the one judge of the property tests, the host tests and the fuzz targets."""

from __future__ import annotations

import base64
import functools

RUN = 6  # characters of a secret half that must not be seen in a row


def seen(token: str, text: str) -> list[str]:
    """Return what a text shows of a token's secret half: six characters in a row, as they are or encoded."""
    return [run for run in _runs(token) if run in text]


def forms(token: str) -> list[str]:
    """Return a whole token in every form in which it can be written."""
    coded = token.encode()
    packed = base64.b64encode(coded).decode()
    return [token, token.upper(), packed, packed.rstrip("="), coded.hex(), "".join(f"%{one:02x}" for one in coded)]


@functools.cache
def _runs(token: str) -> tuple[str, ...]:
    half = token.partition(".")[2]
    coded = half.encode()
    texts = [(half, RUN), (half.upper(), RUN), (coded.hex(), 2 * RUN), (coded.hex().upper(), 2 * RUN)]
    texts.append(("".join(f"%{one:02x}" for one in coded), 3 * RUN))
    for shift in range(3):
        inner = base64.b64encode(b"x" * shift + coded)[(0, 2, 3)[shift] : -4].decode()
        texts += [(inner, RUN), (inner.replace("+", "-").replace("/", "_"), RUN)]
    found = [text[at : at + length] for text, length in texts for at in range(len(text) - length + 1)]
    return tuple(dict.fromkeys(found))

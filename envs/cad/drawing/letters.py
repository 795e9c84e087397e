"""Letters of five by seven dots, which look the same on every machine."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

WIDTH: Final = 5
HEIGHT: Final = 7
DIAMETER: Final = "\N{LATIN SMALL LETTER O WITH STROKE}"
# A digit of base 32 for each row; small letters that are not here look like capitals.
_ROWS: Final = {
    "0": "EHJLPHE", "1": "4C4444E", "2": "EH1248V", "3": "V2421HE", "4": "26AIV22", "5": "VGU11HE", "6": "68GUHHE",
    "7": "V124888", "8": "EHHEHHE", "9": "EHHF12C", ".": "00000CC", "-": "000E000", "+": "044V440", "=": "00V0V00",
    "/": "01248G0", "(": "2488842", ")": "8422248", ":": "0CC0CC0", "A": "EHHVHHH", "B": "UHHUHHU", "C": "EHGGGHE",
    "D": "SIHHHIS", "E": "VGGUGGV", "F": "VGGUGGG", "G": "EHGNHHF", "H": "HHHVHHH", "I": "E44444E", "J": "72222IC",
    "K": "HIKOKIH", "L": "GGGGGGV", "M": "HRLLHHH", "N": "HHPLJHH", "O": "EHHHHHE", "P": "UHHUGGG", "Q": "EHHHLID",
    "R": "UHHUKIH", "S": "FGGE11U", "T": "V444444", "U": "HHHHHHE", "V": "HHHHHA4", "W": "HHHLLLA", "X": "HHA4AHH",
    "Y": "HHHA444", "Z": "V1248GV", "m": "00QLLLL", "x": "00HA4AH", "y": "00HHF1E", "z": "00V248V", DIAMETER: "1EJLPEG",
}  # fmt: skip


def lettered(text: str, dot: int) -> NDArray[np.bool_]:
    """Return the dots of a line of text, each of so many pixels a side; what there is no letter for is left blank."""
    columns = []
    for letter in text:
        rows = _ROWS.get(letter) or _ROWS.get(letter.upper(), "0" * HEIGHT)
        bits = [[int(row, 32) << 1 >> (WIDTH - column) & 1 for column in range(WIDTH + 1)] for row in rows]
        columns.append(np.array(bits, dtype=bool))  # the last column is the gap to the next letter
    dots = np.concatenate(columns, axis=1)[:, :-1] if columns else np.zeros((HEIGHT, 0), dtype=bool)
    return dots.repeat(dot, axis=0).repeat(dot, axis=1)

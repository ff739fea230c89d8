"""Writes the tables in Sources/Text that follow Python packages: the HTML entities of html.entities.html5, the one-byte
encodings and the kinds of characters of ftfy 6.3.1.

    make peers && .venv/peers/bin/python Tests/Peers/make_text_tables.py && swift format -i Sources/Text/*.swift

HTMLEntities.swift and MojibakeTables.swift are written whole; the strings of SingleByteEncodings.swift are printed.
"""

import html.entities
import pathlib
import re
import unicodedata

from ftfy import badness, chardata

SOURCES = pathlib.Path(__file__).parent.parent.parent / "Sources/Text"
WIDTH = 97
ENCODINGS = {
    "windows1252": "sloppy-windows-1252", "windows1251": "sloppy-windows-1251", "windows1250": "sloppy-windows-1250",
    "windows1253": "sloppy-windows-1253", "windows1254": "sloppy-windows-1254", "windows1257": "sloppy-windows-1257",
    "iso8859p2": "iso-8859-2", "macRoman": "macroman", "cp437": "cp437",
}
CLUES = {
    "utf8_first_of_2": "firstOfTwo", "utf8_first_of_3": "firstOfThree", "utf8_first_of_4": "firstOfFour",
    "utf8_continuation": "continuation", "utf8_continuation_strict": "strictContinuation",
}


def wrapped(items: list[str], joint: str, end: str, width: int) -> list[str]:
    lines, line = [], ""
    for item in items:
        if line and len(line) + len(joint) + len(item) > width:
            lines.append(line + end)
            line = item
        else:
            line += (joint if line else "") + item
    return lines + [line]


def html_entities() -> str:
    names = html.entities.html5
    bare = sorted(name for name in names if not name.endswith(";"))
    groups: dict[str, list[str]] = {}
    for name, value in sorted((name[:-1], value) for name, value in names.items() if name.endswith(";")):
        groups.setdefault(value, []).append(name)
    items = ["+".join(f"{ord(c):X}" for c in value) + ":" + ",".join(group) for value, group in sorted(groups.items())]
    return f'''/// The named character references of HTML 5, as Python's `html.entities.html5` lists them, for `unescapedHTML`. Written by
/// Tests/Peers/make_text_tables.py: code points in hexadecimal, a colon, the names that stand for them.
let htmlEntityNames = """
{indented(wrapped(items, " ", "", 96))}
  """

/// Those that HTML 5 also reads without a semicolon.
let htmlEntitiesWithoutSemicolon = """
{indented(wrapped(bare, " ", "", 96))}
  """
'''


def indented(lines: list[str]) -> str:
    return "\n".join("  " + line for line in lines)


def escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    invisible = unicodedata.category(character)[0] in "CZM" and character != " "
    return f"\\u{{{ord(character):X}}}" if invisible else character


def literal(characters: list[str] | str) -> str:
    lines = wrapped([escaped(character) for character in characters], "", "\\", WIDTH - 4)
    if len(lines) == 1 and len(lines[0]) < 80:
        return f'"{lines[0]}"'
    return '"""\n' + "".join(f"    {line}\n" for line in lines) + '    """'


def members(character_class: str) -> list[str]:
    pattern = re.compile(f"[{character_class}]")
    return [chr(code) for code in range(0x10000) if pattern.match(chr(code))]


def mojibake_tables() -> str:
    out = """/// Kinds of characters that mojibake consists of, as ftfy 6.3.1 lists them (`badness.MOJIBAKE_CATEGORIES` and
/// `chardata.UTF8_CLUES`). Written by Tests/Peers/make_text_tables.py.
enum MojibakeTables {
"""
    for name, character_class in badness.MOJIBAKE_CATEGORIES.items():
        first, *rest = name.split("_")
        if name != "c1":
            out += f"  static let {first + ''.join(map(str.title, rest))} = {literal(members(character_class))}\n"
    out += "\n"
    for name, character_class in chardata.UTF8_CLUES.items():
        out += f"  static let {CLUES[name]} = {literal(members(character_class))}\n"
    return out + "}\n"


def main() -> None:
    (SOURCES / "HTMLEntities.swift").write_text(html_entities(), "utf-8")
    (SOURCES / "MojibakeTables.swift").write_text(mojibake_tables(), "utf-8")
    for name, encoding in ENCODINGS.items():
        print(f"  private static let {name} = {literal(bytes(range(0x80, 0x100)).decode(encoding))}")


if __name__ == "__main__":
    main()

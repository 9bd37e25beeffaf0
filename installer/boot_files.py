"""The boot loader's two files of a Raspberry Pi: config.txt and cmdline.txt, as text.

Format: https://www.raspberrypi.com/documentation/computers/config_txt.html. Lines hold from
top to bottom; ``[pi4]`` and the like let the lines below hold for some models only, ``[all]`` ends
that.
"""

import re

# What this program adds stands between these, so that it can be taken away again.
_BEGIN = "# rover: added by its install.sh"
_END = "# rover: end"
_EVERYWHERE = {"", "all"}
_SECTION = re.compile(r"^\[([^\]]*)\]\s*$")
# Serial ports that a console can be on, of any model. On a Raspberry Pi 5 serial0 is the debug
# plug's, which is not the header's.
HEADER_CONSOLES = ("serial0", "ttyAMA0", "ttyS0")
PI_5_CONSOLES = ("ttyAMA0",)


def in_force(text: str, line: str, model: str = "") -> bool:
    """Whether ``line`` holds for every model, or for ``model`` such as "pi4"."""
    of_its_kind = [
        one
        for where, one in _lines(text)
        if where in {*_EVERYWHERE, model} and _key(one) == _key(line)
    ]
    # The last one counts.
    return of_its_kind[-1:] == [line]


def with_line(text: str, line: str) -> str:
    """Return ``text`` with ``line`` in it for every model: at the end, in this program's part."""
    if in_force(text, line):
        return text
    head, own = _parted(text)
    return _joined(head, [*own, line])


def without_line(text: str, line: str) -> str:
    """Return ``text`` without ``line``, if this program has added it."""
    head, own = _parted(text)
    left = [one for one in own if one != line]
    return _joined(head, left) if left else head


def without_own(text: str) -> str:
    """Return ``text`` without all that this program has added."""
    return _parted(text)[0]


def own_lines(text: str) -> list[str]:
    """Return what this program has added."""
    return _parted(text)[1]


def consoles(text: str, ports: tuple[str, ...]) -> list[str]:
    """Return those of the ports that cmdline.txt has a console on."""
    named = re.findall(r"(?:^|\s)console=(\w+)", text)
    return [port for port in ports if port in named]


def without_console(text: str, ports: tuple[str, ...]) -> str:
    """Return cmdline.txt, which is one line, without consoles on these ports."""
    word = rf"console=(?:{'|'.join(ports)})(?:,\S*)?"
    return re.sub(rf"(?:^|(?<=\s)){word}(?:[ \t]+|(?=\n|$))", "", text)


def _key(line: str) -> str:
    """Return what a later line must have to take this one's place; an overlay's is itself."""
    name, _, rest = line.partition("=")
    if name == "dtoverlay":
        return line
    if name == "dtparam":
        return f"{name}={rest.partition('=')[0]}"
    return name


def _lines(text: str) -> list[tuple[str, str]]:
    """Return all lines that say something, each with the section it stands in."""
    found, section = [], ""
    for raw in text.splitlines():
        line = raw.strip()
        if header := _SECTION.match(line):
            section = header[1].strip().lower()
        elif line and not line.startswith("#"):
            found.append((section, line))
    return found


def _parted(text: str) -> tuple[str, list[str]]:
    """Return what is others', and this program's own lines."""
    pattern = rf"\n?\[all\]\n{re.escape(_BEGIN)}\n(.*?){re.escape(_END)}\n?"
    found = re.search(pattern, text, re.DOTALL)
    if not found:
        return text, []
    before, after = text[: found.start()], text[found.end() :]
    # What somebody has written below it holds for every model still.
    return before + (f"\n[all]\n{after}" if after.strip() else ""), found[1].splitlines()


def _joined(head: str, own: list[str]) -> str:
    if head and not head.endswith("\n"):
        head += "\n"
    return f"{head}\n[all]\n{_BEGIN}\n" + "".join(f"{line}\n" for line in own) + f"{_END}\n"

"""Draws docs/images/gamepad-layout.svg: what each control does where nothing is bound otherwise.

Run it by: .venv/bin/python tools/draw_gamepad.py
"""

from pathlib import Path

from rover.config import BindingsConfig

PICTURE = Path(__file__).parent.parent / "docs" / "images" / "gamepad-layout.svg"
_WORDS = {
    "dead_man": "hold to drive",
    "drive": "drive",
    "turn": "steer",
    "slide": "slide (if it can crab)",
    "forward": "forward",
    "reverse": "back",
    "spin_left": "spin left",
    "spin_right": "spin right",
    "stop": "EMERGENCY STOP",
    "arm": "arm, clear a stop",
    "disarm": "disarm",
    "turbo": "faster while held",
    "slow": "slowly, on and off",
    "mode": "next mode",
    "trim_left": "trim left",
    "trim_right": "trim right",
    "trim_reset": "no trim",
}
# Where each control is in the drawing, and where its label stands: x, y, anchor.
_AT = {
    "left trigger": ((215, 62), (112, 44, "end")),
    "right trigger": ((545, 62), (648, 44, "start")),
    "left shoulder": ((215, 96), (112, 84, "end")),
    "right shoulder": ((545, 96), (648, 84, "start")),
    "left stick y": ((235, 178), (112, 150, "end")),
    "left stick x": ((235, 190), (112, 190, "end")),
    "d-pad up": ((305, 246), (112, 262, "end")),
    "d-pad left": ((285, 264), (112, 292, "end")),
    "d-pad right": ((325, 264), (112, 322, "end")),
    "d-pad down": ((305, 284), (112, 352, "end")),
    "select": ((345, 170), (345, 28, "end")),
    "start": ((415, 170), (415, 28, "start")),
    "north": ((525, 152), (648, 128, "start")),
    "west": ((493, 182), (648, 158, "start")),
    "east": ((557, 182), (648, 188, "start")),
    "south": ((525, 212), (648, 218, "start")),
    "right stick x": ((455, 264), (648, 292, "start")),
    "right stick press": ((455, 278), (648, 322, "start")),
}
_BODY = (
    "M190 120 Q150 130 130 230 Q110 360 175 365 Q215 362 250 312 L510 312 Q545 362 585 365 "
    "Q650 360 630 230 Q610 130 570 120 Z"
)


def svg() -> str:
    """Return the drawing of the default bindings."""
    bindings = BindingsConfig()
    words: dict[str, list[str]] = {}
    for name in bindings.__struct_fields__:
        control = getattr(bindings, name)
        if control is not None:
            words.setdefault(control, []).append(_WORDS[name])
    lines = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-60 0 880 390" '
        'font-family="sans-serif" font-size="14">',
        '<rect x="-60" width="880" height="390" fill="#fff"/>',
        '<g fill="#e8eaee" stroke="#3a4150" stroke-width="2">',
        '<rect x="190" y="48" width="70" height="26" rx="9"/>',
        '<rect x="500" y="48" width="70" height="26" rx="9"/>',
        '<rect x="180" y="86" width="90" height="22" rx="9"/>',
        '<rect x="490" y="86" width="90" height="22" rx="9"/>',
        f'<path d="{_BODY}"/>',
        '<g fill="#fff">',
        '<circle cx="235" cy="184" r="34"/><circle cx="235" cy="184" r="19"/>',
        '<circle cx="455" cy="268" r="34"/><circle cx="455" cy="268" r="19"/>',
        '<path d="M296 236h18v20h20v18h-20v20h-18v-20h-20v-18h20z"/>',
        '<rect x="331" y="163" width="28" height="14" rx="7"/>',
        '<rect x="401" y="163" width="28" height="14" rx="7"/>',
    ]
    for control in ("north", "west", "east", "south"):
        x, y = _AT[control][0]
        fill = ' fill="#d33"' if control == bindings.stop else ""
        lines.append(f'<circle cx="{x}" cy="{y}" r="14"{fill}/>')
    lines += ["</g>", "</g>", '<g stroke="#8a93a3" fill="none">']
    shown = [(control, words[control]) for control in _AT if control in words]
    for control, _ in shown:
        (x, y), (label_x, label_y, anchor) = _AT[control]
        elbow = label_x + (6 if anchor == "end" else -6)
        lines.append(f'<path d="M{elbow} {label_y - 5}L{x} {y}"/>')
    lines += ["</g>", '<g fill="#1c212b">']
    for control, said in shown:
        label_x, label_y, anchor = _AT[control][1]
        weight = ' font-weight="bold"' if control in {bindings.stop, bindings.dead_man} else ""
        lines.append(
            f'<text x="{label_x}" y="{label_y}" text-anchor="{anchor}"{weight}>'
            f"{', '.join(said)}</text>"
        )
    lines += ["</g>", "</svg>"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PICTURE.write_text(svg(), encoding="utf-8")
    print(PICTURE)

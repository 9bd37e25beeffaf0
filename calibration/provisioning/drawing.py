"""Step responses before and after as an SVG picture. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from calibration.provisioning.recording import Speed

_WIDTH, _HEIGHT = 340, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 34, 34
_COLUMNS = 2
_HIGHEST = 1.25
_GRID = (0.0, 0.5, 1.0)
_STYLE = """
  svg { background: #ffffff; color: #1b2733; font: 12px system-ui, sans-serif; }
  text { fill: currentColor; }
  .frame { fill: none; stroke: currentColor; stroke-opacity: .35; }
  .grid { stroke: currentColor; stroke-opacity: .18; }
  .target { stroke: currentColor; stroke-opacity: .5; stroke-dasharray: 4 3; }
  .before { fill: none; stroke: #b45309; stroke-width: 1.6; stroke-dasharray: 5 3; }
  .after { fill: none; stroke: #0369a1; stroke-width: 2; }
  .title { font-weight: 600; }
"""


@dataclass(frozen=True, slots=True)
class Panel:
    """One wheel: its name, what was asked, and the speeds that were seen before and after."""

    title: str
    target_qpps: float
    before: Sequence[Speed]
    after: Sequence[Speed]


def picture(panels: Sequence[Panel], description: str) -> str:
    """Return an SVG of one diagram for each of ``panels``, two in a row."""
    columns = min(_COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    width, height = columns * _WIDTH, rows * _HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img">',
        f"<title>{escape(description)}</title>",
        f"<style>{_STYLE}</style>",
    ]
    for index, panel in enumerate(panels):
        x, y = index % columns * _WIDTH, index // columns * _HEIGHT
        parts.append(f'<g transform="translate({x} {y})">')
        parts += _panel(panel)
        parts.append("</g>")
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _panel(panel: Panel) -> list[str]:
    longest_s = max((s.time_s for s in (*panel.before, *panel.after)), default=1.0)
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM

    def x(time_s: float) -> float:
        return _LEFT + (right - _LEFT) * time_s / longest_s

    def y(part: float) -> float:
        return bottom - (bottom - _TOP) * min(_HIGHEST, max(0.0, part)) / _HIGHEST

    parts = [
        f'<text class="title" x="{_LEFT}" y="18">{escape(panel.title)}</text>',
        f'<rect class="frame" x="{_LEFT}" y="{_TOP}" width="{right - _LEFT}" '
        f'height="{bottom - _TOP}"/>',
    ]
    for part in _GRID:
        kind = "target" if part == 1.0 else "grid"
        at = f"{y(part):.1f}"
        parts.append(f'<line class="{kind}" x1="{_LEFT}" x2="{right}" y1="{at}" y2="{at}"/>')
        parts.append(
            f'<text x="{_LEFT - 6}" y="{y(part) + 4:.1f}" text-anchor="end">{part:.0%}</text>'
        )
    for tenth in range(0, int(longest_s * 10) + 1, 4):
        time_s = tenth / 10
        parts.append(
            f'<text x="{x(time_s):.1f}" y="{bottom + 15}" text-anchor="middle">{time_s:g} s</text>'
        )
    for kind, trace in (("before", panel.before), ("after", panel.after)):
        points = " ".join(f"{x(s.time_s):.1f},{y(s.qpps / panel.target_qpps):.1f}" for s in trace)
        parts.append(f'<polyline class="{kind}" points="{points}"/>')
    legend_x = right - 66
    for kind, row in (("before", bottom - 22), ("after", bottom - 8)):
        parts.append(
            f'<line class="{kind}" x1="{legend_x - 26}" x2="{legend_x - 4}" y1="{row - 4}" '
            f'y2="{row - 4}"/><text x="{legend_x}" y="{row}">{kind}</text>'
        )
    return parts

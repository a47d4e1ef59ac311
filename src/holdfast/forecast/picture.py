"""The forecast as one SVG: how soon each function is back against its RTO, and the step graph in time with the critical path.

Rules: nothing is told by colour alone (words, marks and line widths say it too); every drawing has a title and a description for readers
who don't see it, and says in words what it shows; no outside resource, no script; light and dark by the reader's wish; black on white in
print. Of long graphs the steps that the recovery waits for most often are drawn, and how many are left out is said.
"""

from collections.abc import Iterable, Sequence
from html import escape

from holdfast.forecast.results import FunctionForecast, NodeForecast, ScenarioForecast, Settings
from holdfast.forecast.words import about, node_name, percent
from holdfast.plan.values import spoken_duration

WIDTH, LEFT, RIGHT = 960, 220, 150
ROW, HEIGHT_OF_CURVE = 26, 40
MOST_FUNCTIONS, MOST_NODES = 20, 40
_INNER = WIDTH - LEFT - RIGHT
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400, 604800)

_STYLE = """
.f{font:14px system-ui,sans-serif}.s{font-size:12px}.h{font-size:16px;font-weight:600}.e{text-anchor:end}.m{text-anchor:middle}
.bg{fill:#fff}.t{fill:#1b2430}.q{fill:#4f5b69}.g{stroke:#c9d1da;stroke-width:1}.ok{fill:#00695c}.no{fill:#b3261e}.half{fill:#8a5300}
.area{fill:#0b5cad;fill-opacity:.25;stroke:#0b5cad}.rto{stroke:#b3261e;stroke-width:2;stroke-dasharray:5 3}
.bar{fill:#c9d1da;stroke:#4f5b69}.crit{fill:#ffd98a;stroke:#8a5300;stroke-width:2}.link{stroke:#9aa6b2;fill:none}
.clink{stroke:#8a5300;stroke-width:3;fill:none}
@media (prefers-color-scheme:dark){.bg{fill:#0e1420}.t{fill:#e6ebf2}.q{fill:#a9b4c2}.g{stroke:#2c3848}.ok{fill:#4cc9b0}.no{fill:#ff8a70}
.half{fill:#ffc857}.area{fill:#6cb6ff;stroke:#6cb6ff}.rto{stroke:#ff8a70}.bar{fill:#2c3848;stroke:#a9b4c2}
.crit{fill:#6b5420;stroke:#ffc857}.link{stroke:#5a6778}.clink{stroke:#ffc857}}
@media print{.bg{fill:#fff}.t,.q{fill:#000}}
"""


def picture(forecasts: Sequence[ScenarioForecast], settings: Settings, plan: str) -> str:
    """All scenarios under each other. `plan`: its name, version and digest, as shown."""
    parts: list[str] = []
    top = 34.0
    for one in forecasts:
        drawn, height = _scenario(one, top)
        parts += drawn
        top += height
    made = f"{plan}. {settings.runs} runs, seed {settings.seed}, profile {settings.profile}, {settings.occasion}."
    parts.append(_text(12, top + 6, made, "s q"))
    height = top + 20
    said = " ".join(_said(one) for one in forecasts)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-labelledby="title described">',
            f'<title id="title">Forecast of {escape(plan)}</title>',
            f'<desc id="described">{escape(said)}</desc>',
            f"<style>{_STYLE}</style>",
            f'<rect class="bg" width="{WIDTH}" height="{height:.0f}"/>',
            '<g class="f">',
            *parts,
            "</g>",
            "</svg>\n",
        ]
    )


def _said(one: ScenarioForecast) -> str:
    functions = "; ".join(
        f"{function.name} within {spoken_duration(function.rto_seconds)} in {percent(function.chance)} of runs, "
        f"half by {about(function.back.p50_seconds)}, 9 of 10 by {about(function.back.p90_seconds)}"
        for function in one.functions[:MOST_FUNCTIONS]
    )
    path = ", ".join(node_name(name) for name in one.critical_path)
    return f"{one.name}: {functions}. Critical path: {path}. {one.says[0].upper()}{one.says[1:]}."


def _scenario(one: ScenarioForecast, top: float) -> tuple[list[str], float]:
    parts = [_text(12, top, one.name, "h t"), _text(12, top + 18, one.says, "s q")]
    curves, height = _functions(one, top + 40)
    graph, more = _graph(one, top + 40 + height)
    return parts + curves + graph, 40 + height + more + 30


def _axis(last_seconds: float, top: float, bottom: float) -> list[str]:
    every = next((step for step in _STEPS if last_seconds / step <= 8), _STEPS[-1])
    parts = []
    for number in range(int(last_seconds // every) + 1):
        x = _x(number * every, last_seconds)
        parts.append(f'<line class="g" x1="{x:.1f}" y1="{top:.1f}" x2="{x:.1f}" y2="{bottom:.1f}"/>')
        parts.append(_text(x, bottom + 14, spoken_duration(float(number * every)) if number else "impact", "s q m"))
    return parts


def _x(seconds: float, last_seconds: float) -> float:
    return LEFT + _INNER * min(seconds / last_seconds, 1.0)


def _functions(one: ScenarioForecast, top: float) -> tuple[list[str], float]:
    shown = sorted(one.functions, key=lambda function: function.chance)[:MOST_FUNCTIONS]
    shown = [function for function in one.functions if function in shown]
    last = max(function.back.p99_seconds for function in shown) * 1.08
    bottom = top + len(shown) * (HEIGHT_OF_CURVE + 8)
    parts = _axis(last, top, bottom)
    for number, function in enumerate(shown):
        parts += _curve(function, top + number * (HEIGHT_OF_CURVE + 8) + HEIGHT_OF_CURVE, last)
    left_out = len(one.functions) - len(shown)
    if left_out:
        parts.append(_text(12, bottom + 14, f"and {left_out} likelier ones", "s q"))
    return parts, bottom - top + 44


def _curve(function: FunctionForecast, base: float, last: float) -> list[str]:
    back = function.back
    width = (back.last_seconds - back.first_seconds) / len(back.counts)
    most = max(back.counts)
    points = [f"{_x(back.first_seconds, last):.1f},{base:.1f}"]
    for number, count in enumerate(back.counts):
        middle = back.first_seconds + (number + 0.5) * width
        if middle <= last:
            points.append(f"{_x(middle, last):.1f},{base - HEIGHT_OF_CURVE * count / most:.1f}")
    points.append(f"{_x(min(back.last_seconds, last), last):.1f},{base:.1f}")
    look, mark = ("no", "✕") if function.chance < 0.5 else ("half", "▲") if function.chance < 0.95 else ("ok", "✓")
    parts = [
        _text(LEFT - 10, base - 18, function.name, "t e"),
        _text(LEFT - 10, base - 3, f"RTO {spoken_duration(function.rto_seconds)}", "s q e"),
        f'<polygon class="area" points="{" ".join(points)}"/>',
        f'<line class="g" x1="{LEFT}" y1="{base:.1f}" x2="{LEFT + _INNER}" y2="{base:.1f}"/>',
        _text(LEFT + _INNER + 10, base - 18, f"{mark} {percent(function.chance)} in time", look),
        _text(LEFT + _INNER + 10, base - 3, f"{percent(function.low)} to {percent(function.high)}", "s q"),
    ]
    if function.rto_seconds <= last:
        x = _x(function.rto_seconds, last)
        parts.append(f'<line class="rto" x1="{x:.1f}" y1="{base - HEIGHT_OF_CURVE:.1f}" x2="{x:.1f}" y2="{base:.1f}"/>')
        parts.append(_text(x + 4, base - HEIGHT_OF_CURVE + 10, "RTO", "s no"))
    else:
        parts.append(_text(LEFT + _INNER - 4, base - HEIGHT_OF_CURVE + 10, "RTO →", "s q e"))
    return parts


def _graph(one: ScenarioForecast, top: float) -> tuple[list[str], float]:
    """Every step from its mean begin to its mean end, a row each, and lines to what waits for it."""
    kept = sorted(one.nodes, key=lambda node: -node.critical)[:MOST_NODES]
    shown = sorted((node for node in one.nodes if node in kept), key=lambda node: (node.begins_seconds, node.ends_seconds))
    last = max((node.ends_seconds for node in shown), default=1.0) * 1.05 or 1.0
    begin = top + 24
    bottom = begin + len(shown) * ROW
    title = "Steps on average, and how often the whole recovery waits for each (◆: the commonest critical path)"
    parts = [_text(12, top + 10, title, "s q"), *_axis(last, begin, bottom)]
    middle = {node.id: begin + number * ROW + ROW / 2 for number, node in enumerate(shown)}
    by_name = {node.id: node for node in shown}
    path = set(one.critical_path)
    parts += _links(shown, by_name, middle, path, last)
    for node in shown:
        parts += _bar(node, middle[node.id], last, node.id in path)
    left_out = len(one.nodes) - len(shown)
    if left_out:
        parts.append(_text(12, bottom + 14, f"and {left_out} steps that it waits for less often", "s q"))
    return parts, bottom - top + 30


def _links(
    shown: Iterable[NodeForecast], by_name: dict[str, NodeForecast], middle: dict[str, float], path: set[str], last: float
) -> list[str]:
    parts = []
    for node in shown:
        for before in node.after:
            if before in by_name:
                x, y = _x(by_name[before].ends_seconds, last), middle[before]
                look = "clink" if node.id in path and before in path else "link"
                to_x, to_y = max(_x(node.begins_seconds, last), x), middle[node.id]
                parts.append(f'<path class="{look}" d="M{x:.1f} {y:.1f}V{to_y:.1f}H{to_x:.1f}"/>')
    return parts


def _bar(node: NodeForecast, middle: float, last: float, on_path: bool) -> list[str]:
    x = _x(node.begins_seconds, last)
    width = max(_x(node.ends_seconds, last) - x, 2.0)
    behind = f", {node.measured_runs} measured" if node.measured_runs else ", never measured"
    return [
        f'<rect class="{"crit" if on_path else "bar"}" x="{x:.1f}" y="{middle - 8:.1f}" width="{width:.1f}" height="16" rx="3">'
        f"<title>{escape(node_name(node.id))}: {about(node.takes_seconds)} on average{behind}</title></rect>",
        _text(LEFT - 10, middle + 4, f"{'◆ ' if on_path else ''}{node_name(node.id)}", "s t e"),
        _text(LEFT + _INNER + 10, middle + 4, f"{about(node.takes_seconds)} · {percent(node.critical)}", "s q"),
    ]


def _text(x: float, y: float, words: str, look: str) -> str:
    return f'<text class="{look}" x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>'

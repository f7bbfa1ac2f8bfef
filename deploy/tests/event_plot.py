"""Draws an event day as SVG: the pods that are ready, those that the load needs, and the calendar's floor."""
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 960, 420, 56, 56, 48
SERIES = [("floor", "#b8c4d6", "the calendar's floor"), ("needed", "#d1495b", "what the load needs"), ("ready", "#1b6ca8", "ready pods")]


def draw(lines, marks, path, title):
    """lines: dicts with second and each series; marks: (second, what begins)."""
    end, most = lines[-1]["second"], 10 + max(max(line[name] for name, _, _ in SERIES) for line in lines)
    x = lambda second: LEFT + (WIDTH - LEFT - 16) * second / end
    y = lambda pods: HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * pods / most
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>', f'<text x="{LEFT}" y="22" font-size="15">{title}</text>']
    for pods in range(0, most, 20):
        parts.append(f'<path d="M{LEFT} {y(pods):.1f}H{WIDTH - 16}" stroke="#e6e6e6"/><text x="{LEFT - 8}" y="{y(pods) + 4:.1f}" text-anchor="end">{pods}</text>')
    for second, what in marks:
        parts.append(f'<path d="M{x(second):.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#999" stroke-dasharray="3 3"/><text x="{x(second) + 4:.1f}" y="{TOP + 10}" fill="#555">{what}</text>')
    for name, colour, _ in SERIES:
        steps = "".join(f"H{x(line['second']):.1f}V{y(line[name]):.1f}" for line in lines)
        parts.append(f'<path d="M{LEFT} {y(lines[0][name]):.1f}{steps}" fill="none" stroke="{colour}" stroke-width="2"/>')
    for place, (_, colour, what) in enumerate(SERIES):
        parts.append(f'<rect x="{LEFT + 190 * place}" y="30" width="14" height="4" fill="{colour}"/><text x="{LEFT + 190 * place + 20}" y="37">{what}</text>')
    for second in range(0, int(end) + 1, 30):
        parts.append(f'<text x="{x(second):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{second}</text>')
    parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 8}" text-anchor="middle">seconds of the drill; a second is a minute</text></svg>')
    path.write_text("\n".join(parts) + "\n", encoding="utf-8")

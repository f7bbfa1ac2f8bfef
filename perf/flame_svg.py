"""A flame graph as SVG, after Brendan Gregg ("The Flame Graph", CACM 59(6), 2016): width is time, height is the stack.

A stack is a tuple of frames, outermost first. Hover for the name and its share.
"""

from xml.sax.saxutils import escape

WIDTH, ROW, LEAST = 1200, 16, 0.3  # pixels; what is narrower than LEAST is left out


class Frame:
    def __init__(self):
        self.total, self.before, self.below = 0.0, 0.0, {}


def _tree(stacks, base):
    root = Frame()
    for which, weights in (("total", stacks), ("before", base)):
        for stack, weight in weights.items():
            frame = root
            setattr(frame, which, getattr(frame, which) + weight)
            for name in stack:
                frame = frame.below.setdefault(name, Frame())
                setattr(frame, which, getattr(frame, which) + weight)
    return root


def _warm(name):
    """One colour a name, whatever graph it is in; the kernel's are paler."""
    mark = sum(ord(letter) * 7 for letter in name) % 60
    return f"rgb({225 + mark // 2},{190 if name.startswith('[k] ') else 90 + mark * 2},{70 + mark})"


def _change(share, before):
    """Red grew, blue shrank; full colour at two percent of the whole."""
    pale = 235 - int(min(abs(share - before) / 0.02, 1) * 170)
    return f"rgb(255,{pale},{pale})" if share >= before else f"rgb({pale},{pale},255)"


def _boxes(root, base, height):
    whole, was = root.total or 1, root.before or 1
    waiting = [("all", root, 0.0, 0)]
    while waiting:
        name, frame, x, depth = waiting.pop()
        width = frame.total / whole * WIDTH
        if width < LEAST:
            continue
        share, before = frame.total / whole, frame.before / was
        colour = _change(share, before) if base else _warm(name)
        tip = f"{name}: {share:.2%}" + (f", before {before:.2%}" if base else "")
        y = height - (depth + 2) * ROW
        yield (f'<g><title>{escape(tip)}</title><rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{ROW - 1}" '
               f'fill="{colour}"/>')
        if width > 30:
            yield f'<text x="{x + 3:.1f}" y="{y + 11}">{escape(name[:int(width / 6.5)])}</text>'
        yield "</g>"
        for below, child in sorted(frame.below.items()):
            waiting.append((below, child, x, depth + 1))
            x += child.total / whole * WIDTH


def _depth(frame):
    return 1 + max((_depth(child) for child in frame.below.values()), default=0)


def render(title, stacks, base=None):
    """The text of an SVG. With `base` the colours say what changed since, in shares of each whole."""
    root = _tree(stacks, base or {})
    height = (_depth(root) + 4) * ROW
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="monospace" '
        f'font-size="11"><rect width="100%" height="100%" fill="#fdfcf8"/><text x="4" y="14">{escape(title)}</text>',
        *_boxes(root, bool(base), height), "</svg>\n"])

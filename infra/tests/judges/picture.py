"""The graph of judges/reach.py and judges/services.py as a picture (SVG), drawn without any tool."""
from html import escape

from . import reach, services

# Party → column and row, what it is called, and what it is.
PLACES = {
    "world": (0, 0, "servers of others", "through Global Accelerator"), "cloudfront": (0, 1, "CloudFront", "readers, by web ACL"), "direct-lb": (1, 0, "direct balancer", "TLS, web ACL"),
    "lb": (1, 1, "load balancer", "blue and green"), "control-plane": (2, 0, "EKS", "control plane"), "pods": (2, 1, "nodes and pods", "tallyd, controllers"), "rotation": (2, 2, "rotation", "function"),
    "connect": (1, 3, "Instance Connect", "endpoint"), "ops-host": (2, 3, "operations host", "without an address"), "store": (3, 1, "MemoryDB", "data tier"), "endpoints": (3, 2, "endpoints", ""),
    "internet": (3, 3, "internet", ""), "api": (3, 4, "Kubernetes' API", "private"), "peer": (4, 1, "the other region", "by peering"),
}
STEP_X, STEP_Y, WIDTH, HEIGHT = 250, 105, 160, 56
LEFT, TOP = 24, 64
# Ways that AWS opens by itself are drawn thin.
THIN = {"control-plane"}


def corner(party):
    column, row = PLACES[party][:2]
    return LEFT + column * STEP_X, TOP + row * STEP_Y


def label(ports):
    ports = sorted(ports)
    return ", ".join(map(str, ports)) if len(ports) < 4 else "%d, %d–%d" % (ports[0], ports[1], ports[-1])


def ends(source, target):
    """Where a way leaves and arrives: at the sides that face each other."""
    (x1, y1), (x2, y2) = corner(source), corner(target)
    if x1 == x2:
        shift = WIDTH * (0.35 if y1 < y2 else 0.65)
        return ((x1 + shift, y1 + HEIGHT), (x2 + shift, y2)) if y1 < y2 else ((x1 + shift, y1), (x2 + shift, y2 + HEIGHT))
    if x1 < x2:
        return (x1 + WIDTH, y1 + HEIGHT / 2), (x2, y2 + HEIGHT / 2)
    return (x1, y1 + HEIGHT / 2), (x2 + WIDTH, y2 + HEIGHT / 2)


def way(source, target, ports, shift):
    """A curve, and its ports where it arrives: each arrival has a height of its own."""
    (x1, y1), (x2, y2) = ends(source, target)
    y2, bend = y2 + shift, (x2 - x1) / 2
    curve = "M%g %g C%g %g %g %g %g %g" % (x1, y1, x1 + bend, y1, x2 - bend, y2, x2, y2) if bend else "M%g %g L%g %g" % (x1, y1, x2, y2)
    thin = ' stroke-dasharray="4 4" opacity="0.55"' if source in THIN else ""
    x, y, side = (x2 - 10, y2 - 3, "end") if x1 < x2 else (x2 + 10, y2 - 3, "start") if x1 > x2 else (x1 + 5, (y1 + y2) / 2 + 4, "start")
    return ['<path d="%s" fill="none" stroke="#3b6ea5" stroke-width="1.6" marker-end="url(#tip)"%s/>' % (curve, thin),
            '<text x="%g" y="%g" class="port" text-anchor="%s">%s</text>' % (x, y, side, escape(label(ports)))]


def box(party, below):
    x, y = corner(party)
    name, what = PLACES[party][2:4]
    out = ['<rect x="%g" y="%g" width="%d" height="%d" rx="8" fill="#eef3f8" stroke="#3b6ea5"/>' % (x, y, WIDTH, HEIGHT), '<text x="%g" y="%g" class="name">%s</text>' % (x + WIDTH / 2, y + 24, escape(name))]
    if what:
        out.append('<text x="%g" y="%g" class="what">%s</text>' % (x + WIDTH / 2, y + 42, escape(what)))
    for i, line in enumerate(below):
        out.append('<text x="%g" y="%g" class="what left">%s</text>' % (x + WIDTH + 10, y + 12 + 14 * i, escape(line)))
    return out


def wrapped(words, width=44):
    lines = [""]
    for w in words:
        if len(lines[-1]) + len(w) > width:
            lines.append("")
        lines[-1] += w + " "
    return [x.strip() for x in lines if x.strip()]


def svg(a):
    """The picture of an account's environment."""
    pairs = {}
    for source, target, port in reach.ways(a.env)[0]:
        # What takes HTTPS from anywhere takes it from inside as well: the caption says so.
        if source != target and (target != "direct-lb" or source == "world"):
            pairs.setdefault((source, target), set()).add(port)
    asked = [(service, ours) for _, _, service, ours, problem in services.needed(a) if not problem]
    below = {"endpoints": wrapped(sorted({s for s, ours in asked if ours})), "internet": wrapped(["registry.k8s.io", "public registries"] + sorted({s for s, ours in asked if not ours}))}
    parties = sorted({p for pair in pairs for p in pair}, key=list(PLACES).index)
    order, body = list(PLACES), []
    for target in parties:
        sources = sorted((s for s, t in pairs if t == target and corner(s)[0] != corner(t)[0]), key=lambda s: (corner(s)[1], order.index(s)))
        for i, source in enumerate(sources):
            body += way(source, target, pairs[source, target], 13 * (i - (len(sources) - 1) / 2))
        for source in sorted((s for s, t in pairs if t == target and corner(s)[0] == corner(t)[0]), key=order.index):
            body += way(source, target, pairs[source, target], 0)
    for p in parties:
        body += box(p, below.get(p, []))
    width, height = LEFT + 4 * STEP_X + WIDTH + 160, TOP + 4 * STEP_Y + HEIGHT + 24
    head = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" role="img">' % (width, height), "<title>Who reaches whom on which port in %s</title>" % escape(a.env.name),
            "<style>.name{font-size:14px;font-weight:600;text-anchor:middle;fill:#1b2733}.what{font-size:11px;text-anchor:middle;fill:#4a5a6a}.left{text-anchor:start}"
            ".port{font-size:11px;fill:#1b2733;stroke:#fff;stroke-width:4px;paint-order:stroke}.head{font-size:13px;fill:#4a5a6a}</style>",
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#3b6ea5"/></marker></defs>',
            '<rect width="100%" height="100%" fill="#fff"/>',
            '<text x="%d" y="28" class="head">%s, as planned: TCP ports, from every zone to every zone. What is not drawn is closed, but that the direct balancer takes 443 from inside as well. Dashed: opened by EKS itself.</text>' % (LEFT, escape(a.env.name))]
    return "\n".join(head + body + ["</svg>"]) + "\n"

"""A strict reader of the Prometheus text format 0.0.4, and the books of tallyd (promise P6 of the design)."""

import re

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\\\|\\"|\\n)*"'
_SAMPLE = re.compile(rf"({_NAME})(?:\{{({_LABEL}(?:,{_LABEL})*)\}})? (\S+)")
_HELP = re.compile(rf"# HELP ({_NAME}) (.+)")
_TYPE = re.compile(rf"# TYPE ({_NAME}) (counter|gauge|histogram|summary|untyped)")
_PAIR = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"')
_SUFFIXES = ("_bucket", "_sum", "_count")


class Metrics:
    """Samples by name and labels. metrics["x"] sums over labels; metrics.get("x", reason="y") takes the matching ones."""

    def __init__(self, text, prefix="tallyd_"):
        self._prefix = prefix
        self.samples = {}
        self.types = {}
        self._helps = set()
        self._closed = set()
        self._family = None
        assert text.endswith("\n"), "the last line has no line feed"
        for line in text[:-1].split("\n"):
            self._line(line)

    def _line(self, line):
        if line.startswith("# HELP "):
            self._begin(_matched(_HELP, line)[1])
            assert self._family not in self._helps, f"second HELP: {line}"
            self._helps.add(self._family)
        elif line.startswith("# TYPE "):
            match = _matched(_TYPE, line)
            self._begin(match[1])
            assert match[1] not in self.types, f"second TYPE: {line}"
            self.types[match[1]] = match[2]
        else:
            self._sample(line)

    def _begin(self, family):
        """Lines of one family stand together."""
        if family != self._family:
            assert family not in self._closed, f"family {family} is torn apart"
            self._closed.add(family)
            self._family = family

    def _sample(self, line):
        match = _matched(_SAMPLE, line)
        name, family = match[1], self._family_of(match[1])
        assert family in self.types, f"sample before its TYPE: {line}"
        assert family in self._helps, f"sample without HELP: {line}"
        self._begin(family)
        labels = tuple(sorted(_PAIR.findall(match[2] or "")))
        assert len(dict(labels)) == len(labels), f"a label twice: {line}"
        assert (name, labels) not in self.samples, f"a sample twice: {line}"
        value = float(match[3])
        if self.types[family] == "counter":
            assert name.endswith("_total"), f"counters end with _total: {line}"
            assert value >= 0, f"negative counter: {line}"
        self.samples[name, labels] = int(value) if value.is_integer() else value

    def _family_of(self, name):
        for suffix in _SUFFIXES:
            if name.endswith(suffix) and self.types.get(name[:-len(suffix)]) in ("histogram", "summary"):
                return name[:-len(suffix)]
        return name

    def get(self, name, **labels):
        wanted = set(labels.items())
        return sum(value for (sample, own), value in self.samples.items()
                   if sample == self._prefix + name and wanted <= set(own))

    def __getitem__(self, name):
        assert self.has(name), f"no metric {self._prefix}{name}"
        return self.get(name)

    def has(self, name):
        """A family whose samples appear only when something happened is there by its TYPE line."""
        return self._prefix + name in self.types

    def label_values(self, name, label):
        return {dict(own)[label] for sample, own in self.samples if sample == self._prefix + name and label in dict(own)}


def _matched(pattern, line):
    match = pattern.fullmatch(line)
    assert match, f"not a line of the text format: {line!r}"
    return match

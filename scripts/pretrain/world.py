"""Draws the invented things of the generated text: companies, people, amounts, periods; and the styles a text is set in."""
import re

import lexicon as L


class World:
    """One random stream and the draws on it. Every draw is a pure function of the stream's position."""

    def __init__(self, rng):
        self.r = rng
        self.c = rng.choice

    def p(self, chance):
        return self.r.random() < chance

    # names
    def stem(self):
        r, c = self.r, self.c
        k = r.random()
        if k < 0.35:
            return c(L.SYL_A) + c(L.SYL_C)
        if k < 0.75:
            return c(L.SYL_A) + c(L.SYL_B) + c(L.SYL_C)
        if k < 0.85:
            return c(L.SYL_A) + c(L.SYL_B) + c(L.SYL_B)
        if k < 0.93:
            return c(L.LAST)
        return "".join(c("BCDFGHKLMNPRSTVW") for _ in range(r.choice((2, 3, 3))))

    def company(self):
        """A dict with name (short), full (with form), ticker, industry, nationality, city."""
        r, c = self.r, self.c
        short = self.stem()
        if self.p(0.45):
            short += " " + c(L.SECOND)
        elif self.p(0.08):
            short = short + " & " + self.stem()
        full = short + " " + c(L.SUFFIX)
        letters = re.sub(r"[^A-Za-z]", "", short).upper()
        n = c((2, 3, 3, 3, 4, 4, 4))
        ticker = letters[0] + "".join(sorted(r.sample(range(1, len(letters)), min(n - 1, len(letters) - 1))) and
                                      [letters[i] for i in sorted(r.sample(range(1, len(letters)), min(n - 1, len(letters) - 1)))])
        return {"name": short, "full": full, "ticker": ticker, "industry": c(L.INDUSTRY), "nat": c(L.NATIONALITY), "city": c(L.CITY), "cur": c(L.CURRENCY)}

    def person(self):
        return self.c(L.FIRST) + " " + self.c(L.LAST)

    def broker(self):
        return self.c(L.BROKER_A) + (" " + self.c(L.BROKER_B) if self.p(0.5) else "")

    # numbers
    def num(self, low=1.0, high=900.0):
        """A figure spread evenly over magnitudes, with the decimals a newspaper would print."""
        import math
        x = math.exp(self.r.uniform(math.log(low), math.log(high)))
        if x >= 100:
            return round(x) if self.p(0.5) else round(x, 1)
        return round(x, 1) if self.p(0.75) else (round(x, 2) if self.p(0.5) else max(1, round(x)))

    def fmt(self, x):
        if isinstance(x, float) and not x.is_integer():
            d = 1 if round(x, 1) == x else 2
            s = f"{x:,.{d}f}"
        else:
            s = f"{int(x):,}"
        return s

    def moved(self, x, direction, strength=2):
        """Another figure above (+1) or below (-1) x; never equal as printed."""
        lo, hi = {1: (0.005, 0.04), 2: (0.02, 0.35), 3: (0.08, 0.6), 4: (0.2, 0.75)}[strength]
        f = self.r.uniform(lo, hi)
        y = x * (1 + f) if direction > 0 else x / (1 + f)
        step = 1 if isinstance(x, int) or float(x).is_integer() and x >= 50 else (0.1 if round(x, 1) == x else 0.01)
        y = round(round(y / step) * step, 2)
        if direction > 0 and y <= x:
            y = round(x + step, 2)
        if direction < 0 and y >= x:
            y = round(max(x - step, step / 2), 2)
        return int(y) if step == 1 else y

    def pct(self, strength=2):
        lo, hi = {1: (0.1, 3), 2: (1, 25), 3: (4, 45), 4: (10, 90)}[strength]
        x = self.r.uniform(lo, hi)
        s = f"{x:.1f}" if self.p(0.65) else str(max(1, round(x)))
        return s + self.c(("%", "%", "%", "%", " percent", " per cent", " pct"))

    def money(self, x, cur, mag):
        f = self.fmt(x)
        style = self.r.random()
        if cur in ("EUR", "USD", "GBP") and style < 0.22 and mag in ("million", "billion"):
            return f"{ {'EUR': 'euro', 'USD': '$', 'GBP': '£'}[cur]}{' ' if cur == 'EUR' else ''}{f} {mag}"
        if cur == "EUR" and style < 0.4 and mag in ("million", "billion"):
            return f"{f} {mag} {self.c(('euros', 'euro', 'EUR'))}"
        if cur == "USD" and style < 0.5:
            return f"${f} {mag}" if len(mag) > 2 else f"${f}{mag}"
        if style < 0.08:
            return f"{cur}{f}{mag}"
        return f"{cur} {f} {mag}" if len(mag) > 1 or self.p(0.6) else f"{cur} {f}{mag}"

    def amount(self, low=1.0, high=900.0, cur=None):
        return self.money(self.num(low, high), cur or self.c(L.CURRENCY), self.c(L.MAG))

    def usd(self, low=5.0, high=900.0):
        x = self.num(low, high)
        return f"${self.fmt(x)}{self.c(('M', 'M', 'B', ' million', ' million', ' billion', 'm', 'bn'))}"

    # time
    def year(self):
        return self.r.randint(2003, 2024)

    def period(self):
        y = self.year()
        return self.c((f"the first quarter of {y}", f"the second quarter of {y}", f"the third quarter of {y}", f"the fourth quarter of {y}", f"{y}",
                       "the quarter", "the period", "the review period", "the first quarter", "the second quarter", "the third quarter", "the fourth quarter",
                       f"January-{self.c(('March', 'June', 'September'))} {y}", "the first half of the year", "the second half of the year", "the full year", f"the year {y}",
                       f"the financial year {y}", "the first nine months", f"{self.c(L.MONTH)}", f"{self.c(L.MONTH)} {y}", "the reporting period", "the last quarter",
                       f"Q{self.r.randint(1, 4)} {y}", f"the {self.c(('three', 'six', 'nine', 'twelve'))} months ended {self.c(L.MONTH)} 30", "the past year", "the latest quarter"))

    def before(self):
        """The period compared with, as a noun phrase that fits after "in", "from" and "than"."""
        return self.c(("the previous year", "the corresponding period last year", "the same period a year earlier", "the same quarter last year", f"{self.year()}", "the corresponding period",
                       "the prior year", "the previous quarter", "the year-earlier period", "the comparison period", "the comparable period of the previous year", "the same period of the previous year",
                       f"the corresponding period of {self.year()}", "the second quarter", "the year-ago quarter", f"the same period in {self.year()}"))

    def ago(self):
        """The same as an adverb."""
        return self.c(("a year earlier", "a year ago", "the year before", "last year", "previously")) if self.p(0.3) else "in " + self.before()

    def date(self):
        return self.c((f"{self.r.randint(1, 28)} {self.c(L.MONTH)}", f"{self.c(L.MONTH)} {self.r.randint(1, 28)}", f"{self.r.randint(1, 28)} {self.c(L.MONTH)} {self.year()}",
                       f"{self.c(L.DAY)}", f"{self.c(L.MONTH)} {self.r.randint(1, 28)} , {self.year()}"))

    def move(self, direction):
        """(present, past, -ing, strength) of a verb of movement."""
        if direction == 0:
            v = self.c(L.FLAT)
            return v[0], v[1], v[2], 0
        v = self.c(L.UP if direction > 0 else L.DOWN)
        return v[0], v[1], v[2], int(v[3])


def cap(s):
    """First letter upper-case, the rest untouched."""
    return s[:1].upper() + s[1:]


def spaced(s):
    """The tokenised look of old news corpora: blanks before punctuation, quotation marks as `` and ''."""
    s = re.sub(r'(^|[\s(])"', r"\1`` ", s)
    s = s.replace('"', " ''")
    s = re.sub(r"(?<=\w)('s|n't|'re|'ll|'ve)\b", r" \1", s)
    s = re.sub(r"(?<=[a-z])'(?=\s)", " '", s)
    s = re.sub(r"([,;:!?])(?=\s|$)", r" \1", s)
    s = re.sub(r"(\w)%", r"\1 %", s)
    s = re.sub(r"\((?=\S)", "( ", s)
    s = re.sub(r"(?<=\S)\)", " )", s)
    s = re.sub(r"(?<!\b[A-Z])(?<!\b(?:Mr|Ms|Dr|Co|St))(?<!Inc|Ltd)(?<!Corp)\.$", " .", s)
    s = re.sub(r"\.$", " .", s) if not s.endswith(" .") else s
    return re.sub(r" {2,}", " ", s)

"""Generated sentences that are built rather than filled in: acts with tense, denial, cause, contrast; double figures; markets. Same returns as news.py."""
import lexicon as L
import phrases as P
from news import Slots, compare
from world import cap

ACTS = P.acts()
BY_SIGN = {s: [a for a in ACTS if a[1] == s] for s in (1, 0, -1)}


class ActSlots(Slots):
    def __missing__(self, key):
        if key == "curname":
            return self.W.c(("euro", "dollar", "krona", "rouble", "pound", "yen"))
        return super().__missing__(key)


def cause(W, k, sign, slots):
    return W.c(P.GOOD_NP if sign > 0 else P.BAD_NP).format_map(slots)


def acting(W, k, sign=None):
    """One act in one of many frames; denial turns the sign, contrast gives it to the main clause."""
    c = W.c
    sign = sign if sign is not None else c((1, 1, 1, 0, 0, 0, 0, -1, -1, -1))
    slots = ActSlots(W, k)
    n, N = slots["n"], slots["N"]
    subject, s, v = c(BY_SIGN[sign])
    base, third, past, part, ing = (x.format_map(ActSlots(W, k)) for x in v) if W.p(0.02) else v
    fill = lambda x: x.format_map(slots)
    who = c((f"{W.person()}, {c(L.ROLE)} of {n},", f"{W.person()}", f"{c(L.ROLE)} {W.person()}", "the company", "analysts", f"{W.broker()}", "the group", "a spokesman"))
    kind = W.r.random()
    if kind < 0.38:  # plain
        t = c((f"{N} {past}.", f"{N} {third}.", f"{N} has {part}.", f"{N} will {base}.", f"{N} {past} in {W.period()}.", f"{k['full']} ({k['ticker']}) {past}.",
               f"{k['nat']} {k['industry']} company {k['full']} {past} on {W.date()}.", f"{k['nat']} {k['industry']} group {k['name']} is to {base}.", f"{N} said it {past}.", f"{N} said {W.date()} it would {base}.",
               f"{cap(who)} said that {n} had {part}." if n not in who else f"{N} said that it had {part}.", f"{W.date()} - {N} {third}.", f"In {W.period()}, {n} {past}.", f"{N}, based in {k['city']}, {past}.", f"According to {who.rstrip(',')}, {n} {past}.",
               f"{N} plans to {base}.", f"{N} announced that it will {base}.", f"{N} confirmed it has {part}.", f"{N} expects to {base}.", f"{cap(c(L.DIVISION))} company {n} {past}.", f"{k['city']}-based {n} {third}."))
    elif kind < 0.58 and s:  # with a cause of the same sign
        np = cause(W, k, s, slots)
        t = c((f"{N} {past} {c(('thanks to', 'on the back of', 'helped by', 'because of', 'on', 'due to') if s > 0 else ('because of', 'due to', 'on', 'as a result of', 'hurt by', 'owing to'))} {np}.",
               f"{cap(np)} {c(('helped', 'allowed', 'enabled') if s > 0 else ('caused', 'forced', 'led'))} {n} to {base}.", f"{N} {past}, {c(('citing', 'pointing to', 'blaming' if s < 0 else 'crediting'))} {np}.",
               f"{cap(who)} said {n} {past} on {np}." if n not in who else f"Because of {np}, {n} {past}."))
    elif kind < 0.66 and s:  # denial
        s = -s if s > 0 else 1
        t = c((f"{N} failed to {base}.", f"{N} was unable to {base}.", f"{N} did not {base}.", f"{N} no longer expects to {base}.", f"{N} has given up its plan to {base}.")) if s < 0 else \
            c((f"{N} avoided having to {base}.", f"{N} does not need to {base} after all.", f"Contrary to what was feared, {n} did not {base}.", f"{N} denied that it would {base}.", f"{N} says there is no reason to {base}."))
    elif kind < 0.78 and s:  # contrast: the main clause decides
        o = c(BY_SIGN[-s])[2]
        t = c((f"Although it {o[2]}, {n} {past}.", f"{N} {past} even though it {o[2]}.", f"{N} {past}, despite {cause(W, k, -s, slots)}.", f"Despite {cause(W, k, -s, slots)}, {n} {past}."))
    elif kind < 0.86:  # two acts
        o = c(BY_SIGN[s])[2]
        t = c((f"{N} {past} and {o[2]}.", f"{N} {past}. It also {o[2]}.", f"{N} {past}, and it will {o[0]}.", f"{N} has {part} and plans to {o[0]}.", f"After it {past}, {n} {o[2]}."))
    elif kind < 0.93 and s:  # speech with a word of praise or blame
        word = c(P.GOOD_WORDS[:42] if s > 0 else P.BAD_WORDS[:36])
        np = cause(W, k, s, slots)
        said = f"{W.person()}, {c(L.ROLE)} of {n}, {c(('said', 'says', 'noted', 'commented', 'told reporters'))}"
        t = c((f"\"The quarter was {word} for us,\" {said}.", f"\"Our result was {word},\" {said}.", f"{said}: \"The reason is {np}.\"", f"{cap(W.period())} was {word} for {n} because of {np}.", f"The {word} result was due to {np}.",
               f"{N}'s {c(('performance', 'quarter', 'position', 'situation', 'outlook'))} {c(('was', 'remained', 'turned', 'looks'))} {word}.", f"{cap(np)} {c(('had a ' + ('positive' if s > 0 else 'negative') + ' effect on', 'supported' if s > 0 else 'burdened', 'lifted' if s > 0 else 'weighed on'))} {n}'s {c(('result', 'profit', 'sales', 'earnings', 'margins'))}.",
               f"The {c(('result', 'profit', 'sales'))} of the {c(L.DIVISION)} division {'improved' if s > 0 else 'weakened'} {'thanks to' if s > 0 else 'because of'} {np}."))
    else:  # an aim or an effect
        t = c((f"The aim is to {base}.", f"The move will help {n} to {base}." if s >= 0 else f"The setback may force {n} to {base}.", f"With the agreement, {n} will {base}.", f"As a result, {n} {third}.", f"{N} is considering whether to {base}."))
        if "whether" in t:
            s = 0
    return cap(fill(t)), s, {"kind": "event", "what": subject, "dir": 0, "who": k["name"]}


def double(W, k):
    """Two figures in a sentence; profit outweighs sales."""
    c = W.c
    d1, d2 = c((1, -1)), c((1, -1))
    profit, sales = c(("operating profit", "net profit", "pretax profit", "earnings per share", "EBIT", "profit")), c(("net sales", "sales", "turnover", "revenue"))
    v1, v2 = W.move(d1), W.move(d2)
    cur, mag = k["cur"], c(L.MAG)
    x, y = W.num(2, 800), W.num(0.5, 90)
    m = lambda v: W.money(v, cur, mag)
    X, X0, Y, Y0 = m(x), m(W.moved(x, -d2)), m(y), m(W.moved(y, -d1))
    n, per, ago = c((k["name"], k["full"], "the company", "the group")), W.period(), W.ago()
    join = "and" if d1 == d2 else c(("but", "while", "although"))
    t = c((f"{cap(n)}'s {sales} {v2[1]} to {X} from {X0}, {join} {profit} {v1[1]} to {Y} from {Y0} {ago}.", f"{cap(profit)} {v1[1]} to {Y} from {Y0}, {'and' if d1 == d2 else 'while'} {sales} {v2[1]} to {X} from {X0} {ago}.",
           f"{cap(profit)} {v1[1]} by {W.pct()} {'and' if d1 == d2 else 'although'} {sales} {v2[1]} by {W.pct()} in {per}.", f"In {per}, {sales} {v2[1]} {W.pct()} to {X} {join} {profit} {v1[1]} {W.pct()} to {Y}.",
           f"{cap(n)} reported {profit} of {Y} ({Y0}) on {sales} of {X} ({X0}).", f"{cap(n)} posted {'higher' if d1 > 0 else 'lower'} {profit} on {'higher' if d2 > 0 else 'lower'} {sales}.",
           f"{cap(profit)} for {per} was {Y}, compared with {Y0} {ago}, {'and' if d1 == d2 else 'whereas'} {sales} came to {X}, against {X0}."))
    return t, d1, {"kind": "figure", "what": profit, "dir": d1, "now": Y, "before": Y0, "who": k["name"]}


def market(W, k):
    """Share prices, indices and the economy."""
    from tweets import INDEX  # tweets imports this file
    c = W.c
    d = c((1, -1, 1, -1, 0))
    v = W.move(d)
    n, i = k["name"], c(INDEX)
    x = W.num(2, 300)
    cur = k["cur"]
    now, then = f"{cur} {W.fmt(x)}", f"{cur} {W.fmt(W.moved(x, -d if d else 1))}"
    level = f"{W.r.uniform(800, 30000):,.2f}"
    hl = "higher" if d > 0 else "lower"
    if d == 0:
        t = c((f"The {i} {v[1]} at {level} points.", f"{n} shares {c(('were unchanged', 'closed flat', 'ended where they began'))} at {now}.", f"The stock of {n} {v[1]} at {now} on {W.date()}."))
    else:
        t = c((f"{n} shares {v[1]} {W.pct()} to {now}.", f"At the close, the {i} was {W.pct(1)} {hl} at {level} points.", f"The {i} index {v[1]} {W.pct(1)} to {level} on {W.date()}.", f"The share price of {n} {v[1]} from {then} to {now}.",
               f"Shares in {n} were {W.pct()} {hl} at {now} in {c(('Helsinki', 'Stockholm', 'London', 'New York', 'Frankfurt'))}.", f"{n} {c(('led the gainers', 'was the biggest riser', 'topped the list of winners') if d > 0 else ('led the losers', 'was the biggest faller', 'was at the bottom of the list'))} on the {i}, {'up' if d > 0 else 'down'} {W.pct()}.",
               f"{n} {v[1]} {W.pct()} to {now}, while the {i} {W.move(-d)[1]} {W.pct(1)}.", f"{cap(c(L.COUNTRY))}'s {c(('exports', 'industrial output', 'economy', 'gross domestic product', 'retail sales', 'consumer confidence'))} {v[1]} {W.pct(1)} in {W.period()}.",
               f"Turnover in {n} shares was heavy and the price {v[1]} to {now}."))
    return cap(t), d, {"kind": "figure", "what": "price", "dir": d, "now": now, "before": then, "who": n}


def sentence(W, k):
    """Any company sentence of the second kind."""
    x = W.r.random()
    return acting(W, k) if x < 0.6 else double(W, k) if x < 0.75 else market(W, k) if x < 0.87 else compare(W, k)

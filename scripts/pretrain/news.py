"""Generated company news: sentences with what they mean.

Every maker takes a World and a company and returns (text, sentiment, facts): sentiment is +1, 0 or -1 for the company's
owners; facts is a dict that the question writers use: what, direction, now, before, who, kind.
"""
import lexicon as L
from world import cap


def compare(W, k):
    """A figure now against a figure before; the direction follows from the numbers."""
    c = W.c
    metric, polarity = c(L.METRIC)
    d = c((1, 1, 1, -1, -1, -1, 0)) if W.p(0.6) else c((1, -1))
    present, past, ing, strength = W.move(d)
    cur, mag = k["cur"] if W.p(0.7) else c(L.CURRENCY), c(L.MAG)
    if metric in L.PCT_METRIC:
        x = W.num(2, 80)
        show = lambda v: f"{W.fmt(v)}%"
    elif metric in L.SHARE_METRIC:
        x = round(W.r.uniform(0.05, 4), 2)
        form = c((f"{cur} %s", "%s " + c(("euros", "dollars", "cents")), "%s", "$%s")) if cur != "USD" else "$%s"
        show = lambda v: form % f"{v:.2f}"
    elif metric in L.COUNT_METRIC:
        x = W.r.randint(1000, 900000)
        x = round(x, -2)
        unit = {"passenger traffic": "passengers", "cargo volume": "tonnes", "number of subscribers": "subscribers", "production": c(("tonnes", "units", "cubic metres")),
                "deliveries": c(("units", "tonnes")), "sales volume": c(("units", "tonnes", "litres"))}[metric]
        show = lambda v: f"{W.fmt(v)} {unit}"
    else:
        x = W.num(0.5, 900)
        state = W.r.getstate()

        def show(v, state=state):
            keep = W.r.getstate()
            W.r.setstate(state)
            s = W.money(v, cur, mag)
            W.r.setstate(keep)
            return s
    y = x if d == 0 else W.moved(x, -d, strength)  # y: before
    X, Y, per, bef, ago, pct = show(x), show(y), W.period(), W.before(), W.ago(), W.pct(strength or 1)
    if d and x and not W.p(0.15):  # a percentage that agrees with the figures
        v = abs(x - y) / y * 100 if y else 100
        pct = (f"{v:.1f}" if v < 30 and W.p(0.7) else f"{max(v, 0.1):.0f}" if v >= 1 else f"{v:.1f}") + c(("%", "%", "%", " percent", " pct"))
    n, who = c((k["name"], k["full"], k["name"], "the company", "the group", "the " + c(L.DIVISION) + " division")), k["name"]
    N, M = cap(n), cap(metric)
    poss = c((f"{n}'s", f"{n}'s", "the company's", "the group's", f"{k['nat']} {k['industry']} company {k['name']}'s"))
    adv = " " + c(L.ADV_STRONG if strength > 2 else L.ADV_WEAK) if strength and W.p(0.2) and " " not in past else ""
    if d == 0:
        t = c((f"{cap(poss)} {metric} {past} at {X} in {per}.", f"{M} for {per} was {X}, the same as {bef}.", f"{M} {past} compared with {bef}, at {X}.",
               f"{N} said {metric} for {per} was unchanged at {X}.", f"{M} came to {X} in {per}, against {Y} {ago}.", f"{M} totalled {X}, unchanged from {bef}.",
               f"{N} expects {metric} to remain at the level of {bef}.", f"In {per}, {poss} {metric} {past} at {X}."))
        s = 0
    else:
        word = c(("up", "up", "higher", "an increase", "a rise") if d > 0 else ("down", "down", "lower", "a decrease", "a fall"))
        t = c((
            f"{cap(poss)} {metric} {past}{adv} to {X} from {Y} {ago}.",
            f"{M} {past} to {X} from {Y}.",
            f"{M} {past}{adv} to {X} in {per} from {Y} {ago}.",
            f"{M} in {per} {past} by {pct} to {X}, from {Y} {ago}.",
            f"{M} was {X} in {per}, compared to {Y} {ago}.",
            f"{M} for {per} was {X}, against {Y} {ago}.".replace("against", c(("against", "compared with", "compared to", "versus", "while it was"))),
            f"{M} amounted to {X}, {word} from {Y} {ago}.",
            f"{N} reported {metric} of {X} for {per}, {c(('up', 'rising') if d > 0 else ('down', 'falling'))} from {Y} {ago}.",
            f"{N} posted {metric} of {X} in {per}, compared with {Y} {ago}.",
            f"{N} said its {metric} {past} {pct} to {X}.",
            f"{M} totalled {X} ({Y}).",
            f"{M} totaled {X}, {word} of {pct} compared with {bef}." if word[:2] in ("an", "a ") else f"{M} totaled {X}, {word} {pct} from {bef}.",
            f"{k['nat']} {k['industry']} company {k['full']} said {W.date()} that its {metric} {past} to {X} in {per} from {Y} {ago}.",
            f"In {per}, {poss} {metric} {past} {pct} year-on-year to {X}.",
            f"{M} {past} {pct}.",
            f"{M} {past}{adv}, to {X}.",
            f"{M}, at {X}, {c(('exceeded', 'was above', 'was better than' if polarity > 0 else 'was higher than') if d > 0 else ('fell short of', 'was below', 'was lower than'))} the {Y} of {bef}.",
            f"The {c(('increase', 'rise', 'growth', 'improvement' if polarity > 0 else 'increase') if d > 0 else ('decrease', 'decline', 'fall', 'drop'))} in {metric} was {pct}, to {X}.",
            f"{W.date()} - {k['full']} ({k['ticker']}) said {metric} {past} to {X} in {per}.",
            f"{M} {past} from {Y} to {X}.",
            f"{N}: {metric} {X} vs {Y}.",
            f"{M} {past} to {X} and {c(('earnings per share', 'cash flow', 'the order book'))} {c(('improved', 'rose', 'strengthened') if d * polarity > 0 else ('weakened', 'fell', 'declined'))}.",
            f"{c(('Analysts', 'The market', 'A poll of analysts'))} had expected {metric} of {Y}; the company reported {X}.",
        ))
        s = d * polarity
    return t, s, {"kind": "figure", "what": metric, "dir": d, "now": X, "before": Y, "who": who}


def swing(W, k):
    """From loss to profit, or the other way."""
    c = W.c
    up = W.p(0.5)
    cur, mag = k["cur"], c(L.MAG)
    X, Y, per, bef, ago = W.money(W.num(0.3, 300), cur, mag), W.money(W.num(0.3, 300), cur, mag), W.period(), W.before(), W.ago()
    kind = c(("net", "operating", "pretax", "quarterly", ""))
    a, b = (("profit", "loss") if up else ("loss", "profit"))
    a1, b1 = f"{kind} {a}".strip(), f"{kind} {b}".strip()
    an = lambda s: ("an " if s[0] in "aeiou" else "a ") + s
    n = c((k["name"], k["full"], "the company", "the group"))
    t = c((f"{cap(n)} swung to {an(a1)} of {X} in {per} from {an(b1)} of {Y} {ago}.",
           f"{cap(n)} posted {an(a1)} of {X} compared with {an(b1)} of {Y} {ago}.",
           f"{cap(a1)} was {X} in {per}, compared to {an(b1)} of {Y} {ago}.",
           f"{cap(n)} turned to {an(a1)} of {X} in {per} versus {an(b1)} of {Y} {ago}.",
           f"{k['full']} reported {an(a1)} of {X} for {per}, against {an(b1)} of {Y} {ago}.",
           f"{cap(n)} {c(('returned to profit', 'moved into the black', 'got back to profit')) if up else c(('fell into the red', 'slipped into loss', 'turned to a loss', 'made a loss'))} in {per}, with {an(a1)} of {X}.",
           f"The result for {per} {c(('showed', 'was', 'came to'))} {an(a1)} of {X}, while {bef} ended in {an(b1)} of {Y}.",
           f"Result before taxes {c(('improved', 'rose')) if up else c(('declined', 'weakened'))} to {an(a)} of {X} from {an(b)} of {Y}."))
    return t, (1 if up else -1), {"kind": "figure", "what": "result", "dir": 1 if up else -1, "now": X, "before": Y, "who": k["name"]}


# {n} company, {N} capitalised, {k[...]}: its fields; other names are drawn by the Slots below
GOOD = L.w("""{N} has won an order worth {amt} from {co2} for {prod}.
{N} has received an order for {prod} from {co2} in {country}.
{N} signed a {years}-year contract worth {amt} with {co2} of {country} to supply {prod}.
{N} secured a contract to deliver {prod} to {country}.
{N} has been awarded a {amt} contract for {service} by {co2}.
{N} won a tender to provide {service} in {city}.
The order is one of the largest in the history of {n}.
{N} raised its {metric} forecast for {period} because of strong demand for {prod}.
{N} lifted its full-year outlook, citing growing orders in {region}.
{N} expects its {metric} to grow by {pct} next year.
{N} expects {metric} to increase clearly in {period}.
{N} estimates that {metric} will improve from {before}.
The board of {n} proposed to raise the dividend to {dps} from {dpslow} per share.
{N} will pay an extra dividend of {dps} per share after a record year.
{N} started a share buyback programme of {amt}.
Shares in {n} rose {pct} after the company beat forecasts.
{N} shares closed {pct} higher at {price} after the announcement.
{broker} upgraded {n} to buy from hold and lifted its target price to {price}.
{broker} raised its price target on {n} to {price} from {pricelow}.
{N} plans to hire {count} new employees at its plant in {city}.
{N} will create {count} new jobs in {city} as demand for {prod} grows.
{N} opened a new factory in {city} that will double its capacity in {prod}.
{N} is to invest {amt} to expand its plant in {country}.
{N} gained market share in {region} during {period}.
{N} said that demand for {prod} has picked up in {region}.
The new system will save {n} {amt} a year in costs.
The cooperation will strengthen the position of {n} in {region}.
{N} said the acquisition of {co2} will improve its earnings from {period}.
{N} has agreed with {co2} on a partnership that is expected to bring {amt} in annual sales.
{N} won a patent case against {co2} and will receive {amt} in damages.
The regulator approved {n}'s new drug for sale in {country}.
{N} got marketing approval for its {prod} in {country}.
{N} reported positive results from a late-stage trial of its new medicine.
{N} completed its cost-saving programme ahead of schedule and expects annual savings of {amt}.
The credit rating of {n} was raised to {ratinghigh} from {ratinglow}.
{N} returned to growth in {region} after {years} years of decline.
{person}, {role} of {n}, said the quarter was the best in the company's history.
"We are very pleased with the result," said {person}, {role} of {n}.
"Demand has been stronger than we expected," {person}, {role} of {n}, said.
{N}'s order book is at a record high of {amt}.
{N} sold its {division} business to {co2} and will book a gain of {amt}.
The sale of the {city} property brings {n} a profit of {amt}.
{N} refinanced its loans at a lower rate, cutting annual interest costs by {amt}.
Production at the {city} plant was restarted after strong orders.
{N} was chosen as the sole supplier of {prod} to {co2}.
{N} has doubled its {prod} deliveries to {country}.
The customer satisfaction of {n} rose to its highest level in {years} years.
Lower raw material prices improved the profitability of {n}.
{N}'s efficiency measures have begun to show in the result, said {person}, {role}.
{N}'s technology was named the best in its field for the third year running.
{N} will take on {count} people to meet demand for {service}.
{N} recalled its laid-off workers in {city} after orders recovered.
The {industry} company {n} benefits from the growing demand in {country}.
Analysts expect {n} to beat its own forecast for {period}.
{N} has extended its agreement with {co2} by {years} years; the value of the extension is {amt}.
{N} entered the {country} market with its {prod} and has already signed {smallnum} customers.
{N}'s sales of {prod} have grown for {smallnum} quarters in a row.
The strengthening of {cur} supported {n}'s profit.
{N} said it was able to raise its prices in {region}.
{N} settled its dispute with {co2} on favourable terms.""")

BAD = L.w("""{N} will lay off {count} employees at its plant in {city}.
{N} plans to cut {count} jobs as demand for {prod} weakens.
{N} started statutory negotiations with its personnel that may lead to the loss of {count} jobs.
{N} will temporarily lay off its whole personnel in {city} because of a lack of orders.
{N} is closing its {prod} factory in {city}, affecting {count} people.
{N} issued a profit warning, saying {metric} would fall short of its earlier forecast.
{N} cut its outlook for {period} on weak demand in {region}.
{N} lowered its sales forecast because customers postponed their orders for {prod}.
{N} expects its {metric} to fall by {pct} next year.
{N} estimates that {metric} will remain below {before}.
{N} said it would not pay a dividend for {period}.
The board of {n} proposed to cut the dividend to {dpslow} from {dps} per share.
{N} suspended its dividend after a heavy loss.
Shares in {n} fell {pct} after the company missed forecasts.
{N} shares closed {pct} lower at {pricelow} after the warning.
{broker} downgraded {n} to sell from hold and cut its target price to {pricelow}.
{broker} lowered its price target on {n} to {pricelow} from {price}.
{N} lost a contract worth {amt} with {co2}.
{co2} cancelled its order for {prod} from {n}.
{N} recalled {count} {prod} because of a safety fault.
{N} was fined {amt} by the competition authority for price fixing.
{co2} sued {n} for {amt} over a patent.
A court ordered {n} to pay {amt} in damages to {co2}.
{N} is under investigation by the regulator over its accounts.
A strike halted production at {n}'s plant in {city}.
The union of {industry} workers announced a strike at {n} from {date}.
A fire at the {city} plant of {n} stopped deliveries of {prod}.
{N} wrote down the value of its {division} business by {amt}.
{N} booked an impairment loss of {amt} on its operations in {country}.
{N} said rising raw material costs weakened its profitability.
{N} lost market share in {region} during {period}.
Demand for {prod} has weakened considerably in {region}, {n} said.
{N} postponed its {amt} investment in {country} because of the market situation.
{N} delayed the launch of its new {prod} until next year.
The regulator rejected {n}'s application to sell its new drug in {country}.
{N} halted a late-stage trial of its medicine after it failed to meet its goal.
The credit rating of {n} was cut to {ratinglow} from {ratinghigh}.
{N} filed for bankruptcy protection, with debts of {amt}.
{N} breached its loan covenants and is in talks with its banks.
{N}'s order book shrank to {amt}.
"The market situation is very difficult," said {person}, {role} of {n}.
"We are not satisfied with our profitability," {person}, {role} of {n}, said.
{person}, {role} of {n}, resigned after the poor result.
{N} said the weak {cur} hurt its result by {amt}.
{N} had to lower its prices because of tough competition in {region}.
{N} will record a loss of {amt} from the sale of its {division} business.
The power cut caused {n} losses of {amt}.
{N} will withdraw from {country} because its business there is unprofitable.
{N}'s deliveries of {prod} were delayed by a shortage of components.
Credit losses at {n} doubled in {period}.
{N} is to shut down its {city} mill for {smallnum} weeks because of poor demand.
Prices of {prod} fell, which cut {n}'s margin.
Analysts expect {n} to miss its own forecast for {period}.
{N} warned that the recovery in {region} would be slower than it had thought.
{N}'s customer data were stolen in an attack on its systems.
{N} was dropped from the index because of its falling market value.
The new tax will cost {n} {amt} a year.
{N} raises its loan-loss provisions by {amt}.
{N}'s passenger numbers have fallen for {smallnum} months in a row.
Overcapacity in the {industry} sector continues to burden {n}.""")

NEUTRAL = L.w("""{N} is a {nat} {industry} company with its head office in {city}.
{N} was founded in {yearold} and has about {count} employees in {smallnum} countries.
{N} is listed on the stock exchange in {city}.
{N} makes {prod} and {prod}.
{N} provides {service} to customers in {region}.
{N} has appointed {person} as {role} from {date}.
{person} has been named {role} of {n}; {person} will retire in {month}.
{person}, who has been with {n} since {yearold}, will lead the {division} division.
{N} will publish its {quarter} results on {date}.
{N} will hold its annual general meeting in {city} on {date}.
The annual general meeting of {n} re-elected {person} and {person} to the board.
{N}'s board of directors elected {person} as chairman.
{N} holds {pctown} of the shares in {co2}.
{co2} now owns {pctown} of the shares and votes in {n}.
The holding of {co2} in {n} exceeded the limit of 5 percent.
The shares will be entered in the trade register on {date}.
The number of shares in {n} is {bignum}.
{N} and {co2} will continue their cooperation in {service}.
The value of the deal was not disclosed.
Financial details were not given.
The parties have agreed not to disclose the price.
The contract covers the delivery of {prod} to {city}.
The delivery will take place in {month}.
The plant will be built in {city} and will be ready in {period}.
The building has {bignum} square metres of floor space.
The system will be installed at the {city} mill of {co2}.
{N} launched a new range of {prod} in {country}.
{N} introduced its new {prod} at a trade fair in {city}.
{N} will show its {prod} at the exhibition in {city} in {month}.
{N} changed its name to {co2} on {date}.
{N} moved its head office from {city} to {city2}.
{N} divides its business into {smallnum} segments: {division}, {division2} and others.
The {division} division accounts for {pctown} of {n}'s sales.
The company's other business areas are {division} and {division2}.
{N} has operations in {country}, {country2} and {country3}.
The project is part of the plan that {n} announced in {month}.
The deal still needs the approval of the competition authority.
The transaction is expected to close in {period}.
{N} issued {bignum} new shares to its key employees under the option plan.
The subscription price is {dps} per share and the period ends on {date}.
{N} will file its annual report by the end of {month}.
{N} uses {prod} made by {co2}.
The customer can choose between {smallnum} different models of {prod}.
{person} holds a degree in engineering and worked earlier for {co2}.
{N} said that the talks with {co2} are continuing.
{N} did not comment on the report.
{N} sold its shares in {co2} to {co3} for {amt}.
{N} acquired {co2}, a {nat} maker of {prod}, for {amt}.
{co2}, a subsidiary of {n}, operates in {city} and employs {count} people.
The agreement is valid until the end of {yearnew}.
The {industry} industry in {country} consists of about {count} companies.
The market for {prod} in {country} is worth about {amt} a year.
This release does not contain a forecast.
The figures are unaudited.
{N} follows the corporate governance code for listed companies.
The conference call will be held in English on {date}.
{N} transferred {bignum} of its own shares as part of the incentive plan.
The loan of {amt} matures in {yearnew}.
The shares of {n} are traded under the symbol {ticker}.
The software is used by {count} customers in {smallnum} countries.""")


class Slots(dict):
    """Draws what a template asks for; what is drawn twice under one name differs (people, products)."""

    def __init__(self, W, k, first=None):
        n = first or W.c((k["name"], k["name"], k["full"], "the company"))
        super().__init__(n=n, N=cap(n), ticker=k["ticker"], nat=k["nat"], industry=k["industry"])
        self.W, self.k = W, k
        a, b = sorted((round(W.r.uniform(0.05, 3), 2), round(W.r.uniform(0.05, 3), 2)))
        cur = k["cur"]
        self["dpslow"], self["dps"] = f"{cur} {a:.2f}", f"{cur} {b + 0.01:.2f}"
        x = W.num(3, 400)
        unit = W.c(("$%s", cur + " %s", "%s " + W.c(("euros", "pence", "kronor"))))
        self["price"], self["pricelow"] = unit % W.fmt(x), unit % W.fmt(W.moved(x, -1))

    def __missing__(self, key):
        W, c, r = self.W, self.W.c, self.W.r
        if key in ("ratinghigh", "ratinglow"):
            scale = ["AA", "AA-", "A+", "A", "A-", "BBB+", "BBB", "BBB-", "BB+", "BB", "BB-", "B+", "B"]
            i = r.randrange(len(scale) - 1)
            self["ratinghigh"], self["ratinglow"] = scale[i], scale[i + 1]
            return self[key]
        return {
            "amt": lambda: W.amount(cur=self.k["cur"] if W.p(0.7) else None), "co2": lambda: (lambda q: c((q["name"], q["full"])))(W.company()),
            "co3": lambda: W.company()["name"], "prod": lambda: c(L.PRODUCT), "service": lambda: c(L.SERVICE), "country": lambda: c(L.COUNTRY),
            "country2": lambda: c(L.COUNTRY), "country3": lambda: c(L.COUNTRY), "region": lambda: c(L.REGION), "city": lambda: c(L.CITY), "city2": lambda: c(L.CITY),
            "metric": lambda: c([m for m, s in L.METRIC if s > 0]), "period": W.period, "before": W.before, "pct": W.pct, "person": W.person, "role": lambda: c(L.ROLE),
            "division": lambda: c(L.DIVISION), "division2": lambda: c(L.DIVISION), "broker": W.broker, "date": W.date, "month": lambda: c(L.MONTH),
            "count": lambda: c((str(r.randint(10, 99)), str(r.randrange(100, 999, 10)), W.fmt(r.randrange(1000, 20000, 100)))),
            "smallnum": lambda: c(("two", "three", "four", "five", "six", "seven", "8", "9", "10", "12", "15", "20")), "years": lambda: c(("two", "three", "four", "five", "ten")),
            "bignum": lambda: W.fmt(r.randrange(10000, 90000000, 100)), "pctown": lambda: f"{r.uniform(1, 99):.{c((0, 1, 2))}f}{c(('%', ' percent', '%'))}",
            "yearold": lambda: str(r.randint(1880, 2002)), "yearnew": lambda: str(r.randint(2010, 2032)), "cur": lambda: c(("the euro", "the dollar", "the krona", "the rouble", "the pound")),
            "quarter": lambda: c(("first-quarter", "second-quarter", "third-quarter", "fourth-quarter", "full-year", "interim")),
        }[key]()


def event(W, k, sentiment=None, first=None):
    s = sentiment if sentiment is not None else W.c((1, 1, 0, 0, 0, -1, -1))
    t = W.c({1: GOOD, 0: NEUTRAL, -1: BAD}[s]).format_map(Slots(W, k, first))
    return cap(t), s, {"kind": "event", "what": "", "dir": 0, "who": k["name"]}


def sentence(W, k):
    """Any sentence on the company k."""
    import acting

    x = W.r.random()
    t, s, f = compare(W, k) if x < 0.25 else swing(W, k) if x < 0.29 else event(W, k) if x < 0.56 else acting.sentence(W, k)
    return t.replace("..", "."), s, f

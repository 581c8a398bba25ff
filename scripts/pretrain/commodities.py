"""Generated commodity headlines with nine yes/no facts each: price, up, constant, down, past price, future price, past news, future news, comparison."""
import re

import lexicon as L

METAL = L.w("gold|gold|gold|gold|gold|gold|gold, silver|silver|gold rate|mcx gold|gold price today|u.s. gold|asia gold|precious metals|gold futures|gold prices|spot gold|bullion|gold price|comex gold|{mon}. gold|{month} gold|gold etf|the yellow metal")
OTHER = L.w("silver|oil|crude|copper|platinum|palladium|the dollar|u.s. dollar|stocks|equities|bonds|treasury yields|the euro|the rupee|nickel|natural gas|bitcoin|shares|zinc|aluminium|corn|the yen")
WHY_UP = L.w("weak dollar|safe-haven demand|fed rate-cut hopes|trade war worries|inflation fears|soft u.s. data|strong jewellery demand|global cues|firm overseas trend|geopolitical tension|central-bank buying|festive demand|falling yields|short covering|a weaker rupee|debt worries|brexit fears|stimulus hopes|growth worries|bargain hunting")
WHY_DOWN = L.w("strong dollar|profit taking|rate-hike fears|upbeat u.s. data|easing trade worries|weak global cues|sluggish demand|higher yields|rally in stocks|fund selling|a firmer rupee|hawkish fed|risk appetite|technical selling|import duty cut|lack of demand from jewellers|deal hopes|calm in markets")
WHEN = L.w("in asia|in asia trade|in new york|in london|at the open|at the close|in early trade|for the week|for a third day|for a second straight session|on globex|on mcx|in electronic trading|for the month|on tuesday|on friday|in futures trade|at noon|ahead of fed minutes|after jobs data|on thin volume|in evening trade|before ecb meeting")
UPV = L.w("up|rises|gains|climbs|jumps|rallies|edges up|higher|soars|adds|advances|ticks up|ends up|settles higher|rebounds|surges|closes higher|extends gains|inches up|firms|recovers|finishes higher|spurts|rose|gained|climbed|jumped")
DOWNV = L.w("down|falls|drops|slips|dips|slides|eases|lower|tumbles|retreats|sinks|plunges|ends lower|settles down|sheds|declines|closes lower|extends losses|edges down|loses|weakens|finishes lower|pares gains|crashes|fell|dropped|slipped|slid")
FLATV = L.w("steady|flat|little changed|unchanged|holds steady|holds near|range-bound|treads water|stuck in narrow range|steadies|trades flat|consolidates|barely moves|holds ground|mixed|stable")
EVENT = L.w("fed holds rates|fed minutes|payrolls data|jobless claims|north korea test|greek vote|china trade data|u.s. election|brexit vote|ecb decision|opec meeting|yellen speech|syria strike|weak retail sales|gdp report|stimulus talk|imf sale|india duty hike|ukraine clash|tariff threat|bank failures|cpi report|dollar index move|comex expiry|options expiry|stock rout|saudi attack|budget talks|debt ceiling deal|trump tweet|cooling inflation|rate decision")
FIELDS = ("price", "up", "constant", "down", "past_price", "future_price", "past_news", "future_news", "comparison")


def price(W):
    r = W.r
    return W.c((lambda: f"${r.randint(250, 2100):,}", lambda: f"${r.uniform(250, 2100):,.2f}/oz", lambda: f"${r.uniform(250, 2100):,.2f} an ounce", lambda: f"rs {r.randint(5, 60) * 1000 + r.randint(0, 999):,}",
                lambda: f"rs {r.randint(5000, 60000):,} per 10 grams", lambda: f"${r.uniform(250, 2100):,.1f}", lambda: f"${r.randint(250, 2100)} an ounce"))()


def delta(W):
    r = W.r
    return W.c((lambda: f"{r.uniform(0.1, 6):.1f}%", lambda: f"${r.uniform(0.5, 60):.2f}", lambda: f"${r.randint(1, 60)}", lambda: f"rs {r.randint(10, 900)}", lambda: f"{r.uniform(0.05, 3):.2f} pct", lambda: f"${r.uniform(0.5, 60):.1f} an ounce"))()


def headline(W):
    """Returns (text, sentiment for the metal's price, {field: bool})."""
    c, r = W.c, W.r
    a = c(METAL).format(mon=c(L.MON), month=c(L.MONTH))
    o, o2 = c(OTHER), c(OTHER)
    why_up, why_down, when, p, q, d = c(WHY_UP), c(WHY_DOWN), c(WHEN), price(W), price(W), delta(W)
    f = dict.fromkeys(FIELDS, False)
    k = r.random()
    compare = W.p(0.16)
    tail = c((f", {o} {c(UPV)}", f"; {o} {c(DOWNV)}", f" as {o} {c(DOWNV)}", f" as {o} {c(UPV)}", f"; {o} {c(FLATV)}", f", {o} also {c(UPV)}")) if compare else ""
    sentiment = 0
    if k < 0.28:
        v = c(UPV)
        t = c((f"{a} {v} {d} on {why_up}", f"{a} {v} on {why_up}", f"{a} {v} {d} to {p}", f"{a} {v} {when}", f"{a} {v} {d} at {p}", f"{a} hits {c(('one-week', 'three-month', 'record', 'five-year', '2-week', 'fresh'))} high on {why_up}",
               f"{a} {v} {when} on {why_up}", f"{a} up {d} at {p} {when}", f"{a} tops {p} on {why_up}", f"{why_up} lifts {a}", f"{a} snaps {r.randint(2, 8)}-day losing streak", f"{a} {v} to {p}, highest since {c(L.MONTH)}",
               f"{a} {v} {d}, silver {v} too" if False else f"{a} {v} {d} {when}", f"{a} logs {c(('weekly', 'monthly', 'third straight', 'second session'))} gain", f"{a} crosses {p} mark", f"{a} {v} as {o} {c(DOWNV)}" if compare else f"{a} {v} as {c(EVENT)}", f"{a} {v} after {c(EVENT)}", f"{c(EVENT)} sends {a} higher", f"{a}: {c(('bulls', 'buyers'))} push price up {d}",
               f"{a} pares losses, ends up {d}", f"{a} erases early loss to finish {c(('higher', 'up'))}", f"{a} up {d}; {c(EVENT)}", f"update: {a} {v} {d} to settle at {p}", f"{a} posts best {c(('day', 'week', 'month', 'quarter', 'year'))} since {r.randint(1999, 2018)}",
               f"{a} in rally mode on {why_up}", f"{a} back above {p}", f"rupee weakness pushes {a} to {p}" , f"{a} shines {when}, {v} {d}", f"{a} rebounds from {r.randint(2, 12)}-month low", f"{a} settles at {r.randint(2, 12)}-week high", f"{a} climbs for {c(('second', 'third', 'fourth'))} day {when}",
               f"{a} regains {p} level", f"{a} gains {d} in {c(('a week', 'two days', 'the month', 'the year'))}", f"{a} adds {d} per 10 grams on {why_up}", f"{a} jumps, tracks {o} rally" if False else f"{a} jumps {when}"))
        f.update(price=True, up=True, past_price=True)
        sentiment = 1
    elif k < 0.54:
        v = c(DOWNV)
        t = c((f"{a} {v} {d} on {why_down}", f"{a} {v} on {why_down}", f"{a} {v} {d} to {p}", f"{a} {v} {when}", f"{a} {v} {d} at {p}", f"{a} hits {c(('one-week', 'three-month', 'multi-year', 'five-month', '2-week', 'fresh'))} low on {why_down}",
               f"{a} {v} {when} on {why_down}", f"{a} down {d} at {p} {when}", f"{a} slips below {p} on {why_down}", f"{why_down} drags {a}", f"{a} snaps {r.randint(2, 8)}-day winning streak", f"{a} {v} to {p}, lowest since {c(L.MONTH)}",
               f"{a} {v} {d} {when}", f"{a} logs {c(('weekly', 'monthly', 'third straight', 'second session'))} loss", f"{a} breaks below {p}", f"{a} {v} as {o} {c(UPV)}" if compare else f"{a} {v} as {c(EVENT)}", f"{a} {v} after {c(EVENT)}", f"{c(EVENT)} sends {a} lower", f"{a}: {c(('bears', 'sellers'))} push price down {d}",
               f"{a} gives up gains, ends down {d}", f"{a} erases early gain to finish {c(('lower', 'down'))}", f"{a} down {d}; {c(EVENT)}", f"update: {a} {v} {d} to settle at {p}", f"{a} posts worst {c(('day', 'week', 'month', 'quarter', 'year'))} since {r.randint(1999, 2018)}",
               f"{a} under pressure on {why_down}", f"{a} back below {p}", f"rupee strength drags {a} to {p}", f"{a} loses shine {when}, {v} {d}", f"{a} retreats from {r.randint(2, 12)}-month high", f"{a} settles at {r.randint(2, 12)}-week low", f"{a} falls for {c(('second', 'third', 'fourth'))} day {when}",
               f"{a} loses {p} level", f"{a} sheds {d} in {c(('a week', 'two days', 'the month', 'the year'))}", f"{a} sheds {d} per 10 grams on {why_down}", f"{a} tumbles {when}"))
        f.update(price=True, down=True, past_price=True)
        sentiment = -1
    elif k < 0.64:
        v = c(FLATV)
        t = c((f"{a} {v} {when}", f"{a} {v} at {p}", f"{a} {v} as traders await fed", f"{a} {v} ahead of {c(('jobs data', 'ecb meeting', 'fed decision', 'china data'))}", f"{a} {v} near {p}", f"{a} {v} despite {c((why_down, why_up))}", f"{a} {v} after {c((f'{d} rise', f'{d} fall'))}", f"{a} {v} in {c(('listless', 'thin', 'holiday', 'quiet'))} trade", f"{a} {v}; market eyes {c(EVENT)}", f"no change in {a} {when}", f"{a} {v} as {c(('buyers', 'traders', 'investors'))} stay away", f"{a} ends {c(('flat', 'unchanged'))} at {p}"))
        f.update(price=True, constant=True, past_price=True)
    elif k < 0.72:
        t = c((f"{a} quoted at {p} {when}", f"{a} opens at {p}", f"{a} at {p} {when}", f"{a} trades at {p}", f"{a} last at {p}, {d} move in session", f"{a} fixed at {p} in london"))
        f.update(price=True, past_price=True)
    elif k < 0.86:
        up = W.p(0.6)
        who = c((W.broker().lower(), "analyst", "survey", "technical analyst", W.person().lower(), "poll"))
        t = c((f"{a} may {'rise' if up else 'fall'} to {p}: {who}", f"{a} likely to {'touch' if up else 'slip to'} {p} by {c(('year-end', 'diwali', 'march', 'next quarter'))}: {who}", f"{a} could {'hit' if up else 'drop to'} {p}",
               f"{a} seen {'higher' if up else 'lower'} next week", f"{who} sees {a} at {p} in {r.randint(2008, 2020)}", f"{'buy' if up else 'sell'} {a} on {'dips' if up else 'rise'}, target {p}: {who}", f"{a} to trade {'higher' if up else 'lower'} today: {who}",
               f"will {a} {'climb' if up else 'fall'} past {p}?", f"{a} price forecast: {'bulls' if up else 'bears'} eye {p}", f"{a} outlook: {'upside' if up else 'downside'} to {p}", f"{a} set for {'gains' if up else 'losses'}, says {who}", f"{who} {'raises' if up else 'cuts'} {a} forecast to {p}", f"{a} can {'reach' if up else 'dip to'} {p} on {why_up if up else why_down}, {who} says", f"{a} headed {'higher' if up else 'lower'}: {who}", f"{a} to {'gain' if up else 'lose'} on {why_up if up else why_down}: {who}",
               f"where is {a} going next? {who} sees {p}", f"{a} may extend {'rally' if up else 'losses'}", f"{a} expected to {'rise' if up else 'decline'} {c(('this week', 'next month', 'in coming days', 'by year-end'))}", f"{who}: {a} could average {p} in {r.randint(2008, 2020)}", f"{a} poised for {'breakout' if up else 'breakdown'}, {who} says", f"stay {'long' if up else 'short'} in {a} with stop at {q}"))
        f.update(price=True, future_price=True, up=False, down=False)
        sentiment = 1 if up else -1
    else:
        future = W.p(0.15)
        co, co2 = W.company()["name"].lower(), W.company()["name"].lower()
        t = c((f"{co} plans new {a.split()[0]} mine in {c(L.COUNTRY).lower()}", f"{c(L.COUNTRY).lower()} to raise import duty on {o}", "central banks may buy more gold next year", f"{co} to restart {o} output in {c(L.MONTH).lower()}")) if future else c(
              (f"{c(L.COUNTRY).lower()} gold imports {c(('rise', 'fall', 'double', 'shrink'))} {d} in {c(L.MONTH).lower()}", f"{co} finds gold in {c(L.COUNTRY).lower()}", "is gold a good hedge?", f"gold demand {c(('up', 'down'))} in {c(L.COUNTRY).lower()}: council",
               "how to invest in gold", f"{c(L.COUNTRY).lower()} central bank adds {r.randint(1, 90)} tonnes of gold", f"{co} quarterly gold output {c(('rises', 'falls'))}", f"smuggled gold worth rs {r.randint(1, 90)} lakh seized at {c(L.CITY).lower()} airport",
               f"gold or {o}: which is the better buy?", f"why investors {c(('love', 'shun'))} gold", f"{co} halts mine after accident", f"gold loan firms {c(('gain', 'lose'))} customers", f"gold vs {o}: what the ratio says", f"{co} to report gold results" if False else f"{co} reports {c(('record', 'lower', 'higher'))} gold output", f"gold etf holdings {c(('rise', 'fall', 'drop', 'swell'))} to {r.randint(20, 1300)} tonnes", f"gold jewellery sales {c(('jump', 'slump'))} in {c(L.CITY).lower()}", f"{c(EVENT)}: what it means for gold",
               f"{co} buys {co2} in gold deal", f"gold theft at {c(L.CITY).lower()} shop", f"{c(L.COUNTRY).lower()} cuts gold import duty", "gold bonds open for subscription", f"gold imports via {c(L.CITY).lower()} {c(('rise', 'fall'))}", f"traders shift from gold to {o}", "five facts about gold coins", f"gold discount in {c(L.COUNTRY).lower()} {c(('widens', 'narrows'))}", f"hedge funds {c(('cut', 'raise'))} gold bets"))
        f.update(past_news=not future, future_news=future)
        if " or " in t or " vs " in t or "from gold to" in t:
            f["comparison"] = True
        tail, compare = "", False
    if compare:
        t, f["comparison"] = (t if o in t.replace(a, "") else t + tail), True
    elif a == "gold, silver":
        f["comparison"] = f["comparison"] or a in t
    if a.endswith(("prices", "futures")):  # plural subjects
        t = re.sub(rf"({re.escape(a)}) (hit|logs?|snap|break|cross|trade|close|top|slip|settle|finish|end|edge|tick|extend|inch|open)e?s\b", lambda m: f"{m[1]} {m[2]}", t)
    style = r.random()
    if style < 0.25:
        t = t[:1].upper() + t[1:]
    elif style < 0.32:
        t = t.title()
    return t, sentiment, f

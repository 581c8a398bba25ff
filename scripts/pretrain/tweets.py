"""Generated short market messages: (text, mood, facts) with mood +1 bullish, 0 neutral, -1 bearish."""
import lexicon as L
from acting import ActSlots
from world import cap

UP_T = L.w("""{C} shares {up} {pct} after {goodcause}|{C} stock {upg} on {goodcause}|{tk} +{p}% on {goodcause}|{tk} up {p}% premarket after {goodcause}|{C} {up} {p}% as {goodcause}
{tk} breaking out, new highs ahead|{tk} looks ready to run|{tk} long here, target {price}|{tk} bounce off support, buyers in control|{tk} calls paying nicely today
{C} beats by ${eps}, beats on revenue|{C} EPS beats by ${eps}, misses on revenue|{C} tops estimates, raises guidance|{C} raises full-year forecast|{tk} - {C} lifts outlook on strong demand
{tk}: {broker} upgrades to Buy|{tk}: {broker} raises to Overweight|{C} upgraded to outperform from neutral at {broker}|{broker} starts {C} at buy|{C} price target raised to ${tp} from ${tplow} at {broker}|{tk} PT raised to ${tp} at {broker}
{C} hikes dividend by {p}%|{C} boosts buyback by {usd}|{C} wins {usd} contract|{C} gets approval for its new {prod}|{tk} - {C} surges after upbeat trial data|{tk} - FDA clears {C} drug|{C} to add {count} jobs
{index} hits record high|{index} ends {p}% higher as trade hopes lift stocks|Stocks rally as {macrogood}|Futures point to a higher open after {macrogood}|{country} shares up at close of trade; {index} up {p}%
{country} factory output rises more than expected|{country} unemployment rate falls to {small}%|U.S. retail sales beat forecasts in {month}|Consumer confidence climbs to highest in {years} years|Oil jumps {p}% as {oilgood}|{tk} insiders buying, I like it|{tk} short squeeze starting?|Why {C} stock soared today|{C} jumps on report of takeover interest from {C2}|{C2} to buy {C} at a {p}% premium|{C} stock gets a boost from {broker}
{C} +{p}% after earnings beat|{C} +{p}% as {C2} takes stake|{C} climbs after {goodcause}|{C} soars to all-time high|Shares of {C} are up {p}% this month|{tk} golden cross on the daily chart|{tk} higher lows, volume picking up|Best day for {C} since {month}""")

DOWN_T = L.w("""{C} shares {down} {pct} after {badcause}|{C} stock {downg} on {badcause}|{tk} -{p}% on {badcause}|{tk} down {p}% premarket after {badcause}|{C} {down} {p}% as {badcause}
{tk} breaking down, more pain ahead|{tk} looks ready to drop|{tk} short here, target {pricelow}|{tk} rejected at resistance, sellers in control|{tk} puts paying nicely today
{C} misses by ${eps}, misses on revenue|{C} EPS misses by ${eps}, beats on revenue|{C} misses estimates, cuts guidance|{C} cuts full-year forecast|{tk} - {C} pulls outlook|{tk} - {C} withdraws guidance on weak demand
{tk}: {broker} cuts to Sell|{tk}: {broker} cuts to Hold|{C} downgraded to underperform from neutral at {broker}|{broker} starts {C} at sell|{C} price target cut to ${tplow} from ${tp} at {broker}|{tk} PT lowered to ${tplow} at {broker}
{C} cuts dividend by {p}%|{C} suspends buyback|{C} loses {usd} contract|{C} recalls {prod} over safety fears|{tk} - {C} sinks after failed trial|{tk} - FDA rejects {C} drug|{C} to cut {count} jobs|{C} to close {small} stores|{C} halts production at {city} plant
{index} posts worst day in {years} months|{index} ends {p}% lower as trade fears hit stocks|Stocks slide as {macrobad}|Futures point to a lower open after {macrobad}|{country} shares lower at close of trade; {index} down {p}%
{country} factory output falls more than expected|{country} unemployment rate rises to {small}%|U.S. retail sales miss forecasts in {month}|Consumer confidence drops to lowest in {years} years|Oil sinks {p}% as {oilbad}|{tk} insiders selling, be careful|{tk} overvalued, going lower|Why {C} stock crashed today|{C} sinks on report of accounting probe|{C2} walks away from {C} deal|{C} sued over {prod}|{C} stock takes a hit from {broker}|Short-seller takes aim at {C}
{C} -{p}% after earnings miss|{C} -{p}% as {C2} sells stake|{C} slips after {badcause}|{C} tumbles to 52-week low|Shares of {C} are down {p}% this month|{tk} death cross on the daily chart|{tk} lower highs, volume drying up|Worst day for {C} since {month}|{C} files for bankruptcy|{C} warns on {quarter} profit|{C} blames {badcause} for weak sales""")

FLAT_T = L.w("""{C} reports {quarter} results|{C} to report {quarter} earnings on {date}|{C} EPS in-line, revenue in-line|{C} declares ${dps} dividend|{C} declares quarterly dividend of ${dps} per share|{C} goes ex-dividend tomorrow|Edited transcript of {C} earnings call {date}|{C} (NYSE:{ticker}): what you should know before earnings|Is {C} stock a buy?|Is {C} (NASDAQ:{ticker}) fairly valued?|What does {C} do with its cash?|{tk} - {C} presents at {broker} conference - slideshow|{tk} - {C} 2019 {quarter} results - earnings call presentation|{C} names {person} as {role}|{C} appoints {person} to its board|{person} joins {C} as {role}|{C} prices {usd} of senior notes|{C} files for mixed shelf|{C} completes acquisition of {C2}|{C} and {C2} extend partnership in {service}|{C} opens office in {city}|{C} launches new {prod}|{C} to webcast its annual meeting|Here's what to watch in {month}|{tk} chart to watch this week|{tk} watching this level|Top stories this morning: {C}, {C2} and the {index}|Premarket movers: {tk} {tk2} {tk3}|The {index} in five charts|How {C} plans to spend {usd}|{country} central bank leaves rates unchanged|Fed minutes due at 2 p.m.|ECB keeps policy on hold|{country} inflation at {small}% in {month}, as expected|{index} little changed at midday|{C} stock flat ahead of earnings|{tk} holding {price}, waiting|{C}: {broker} keeps Hold|{broker} reiterates neutral on {C}|{tk}: {broker} starts at Neutral|Three things to know about {C}|Who owns {C}? A look at the shareholders|A look at {C}'s return on equity|{C} CEO {person} on the future of {prod}|Opinion: what {C} teaches investors|{C} stock: technical levels for {date}|Analyst ratings for the week: {tk} {tk2}|{C} options see heavy volume|{C} lists bonds in {city}|{C} shareholders approve merger with {C2}|{C} in talks to sell {division} unit, sources say|Stock futures flat before jobs report|{C} holds annual general meeting in {city}|{C} director sells {bignum} shares under plan|Mortgage applications data at 7 a.m.|Oil steady as traders wait for inventory data|Treasury yields little changed""")

GOODCAUSE = L.w("earnings beat|strong results|raised outlook|upbeat guidance|record sales|a new contract with {C2}|analyst upgrade|takeover report|dividend increase|positive trial data|strong demand for {prod}|cost cuts|better than expected {quarter} profit|drug approval|buyback news|a deal with {C2}|trade deal hopes|subscriber growth|a surprise profit|index inclusion")
BADCAUSE = L.w("earnings miss|weak results|lowered outlook|disappointing guidance|falling sales|the loss of a contract with {C2}|analyst downgrade|accounting probe|dividend cut|failed trial|weak demand for {prod}|rising costs|worse than expected {quarter} loss|drug rejection|share sale|a lawsuit from {C2}|trade war fears|subscriber losses|a surprise loss|CEO departure|a recall|supply problems|virus fears|short-seller report|store closures")
MACROGOOD = L.w("jobs data beat|inflation cools|the Fed signals rate cuts|trade talks advance|tariffs are lifted|banks report strong profits|GDP growth tops forecasts|stimulus is approved")
MACROBAD = L.w("jobs data miss|inflation heats up|the Fed signals higher rates|trade talks stall|new tariffs loom|virus cases climb|GDP shrinks|yields jump|recession fears grow")
OILGOOD = L.w("producers agree to cut output|stockpiles fall|tensions rise in the Gulf|demand recovers")
OILBAD = L.w("producers fail to agree|stockpiles swell|demand fears grow|supply rises")
INDEX = L.w("S&P 500|Dow|Nasdaq|FTSE 100|DAX|CAC 40|Nikkei 225|Hang Seng|STOXX 600|OMX Helsinki|Russell 2000|Sensex|TSX|ASX 200|Kospi|IBEX 35|Shanghai Composite")
SITE = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


class TweetSlots(ActSlots):
    def __init__(self, W, k):
        super().__init__(W, k, k["name"])
        self["C"], self["tk"] = (k["name"] if W.p(0.8) else k["full"]), "$" + k["ticker"]
        self.other = W.company()
        self["C2"] = self.other["name"]
        a, b = sorted(W.r.sample(range(4, 400), 2))
        self["tplow"], self["tp"], self["dps"] = str(a), str(b), f"{W.r.uniform(0.05, 2):.2f}"

    def __missing__(self, key):
        W, c, r = self.W, self.W.c, self.W.r
        if key in ("goodcause", "badcause", "macrogood", "macrobad", "oilgood", "oilbad"):
            return c(globals()[key.upper()]).format_map(self)
        simple = {
            "up": lambda: c(L.UP)[r.randrange(2)], "down": lambda: c(L.DOWN)[r.randrange(2)], "upg": lambda: c(L.UP)[0], "downg": lambda: c(L.DOWN)[0],
            "p": lambda: c((f"{r.uniform(0.5, 30):.1f}", str(r.randint(1, 45)))), "eps": lambda: f"{r.uniform(0.01, 0.9):.2f}", "dps": lambda: f"{r.uniform(0.05, 2):.2f}",
            "usd": W.usd, "small": lambda: f"{r.uniform(1, 15):.1f}" if W.p(0.8) else str(r.randint(2, 90)), "index": lambda: c(INDEX),
            "tk2": lambda: "$" + W.company()["ticker"], "tk3": lambda: "$" + W.company()["ticker"],
            "quarter": lambda: c(("Q1", "Q2", "Q3", "Q4", "first-quarter", "second-quarter", "third-quarter", "fourth-quarter", "full-year", "FY")),
        }
        return simple[key]() if key in simple else super().__missing__(key)


CHATTER = {1: L.w("""love this chart|bulls back in charge|added more {tk} today|this one has legs|{tk} to the moon|buy the dip in {tk}|{tk} is a steal at these levels|loading up on {tk} before earnings|who else is long {tk}? great numbers|{tk} ripping higher, shorts in trouble|nice green day for {tk}|{tk} cheap at {small}x earnings|don't fight this trend, {tk} going up|told you so, {tk} up {p}%|{tk} my best idea for the year|big call buyer in {tk}|undervalued: {tk}|{C} will surprise to the upside|I am buying {C} here|{tk} gap up, strong volume|sector leader {tk} keeps winning|relief rally in {tk}"""),
           -1: L.w("""hate this chart|bears back in charge|sold all my {tk} today|this one is broken|{tk} going to zero|sell the rip in {tk}|{tk} is a trap at these levels|getting out of {tk} before earnings|who is still long {tk}? ugly numbers|{tk} in free fall, longs in trouble|another red day for {tk}|{tk} expensive at {small}x earnings|don't catch this falling knife, {tk} going down|told you so, {tk} down {p}%|{tk} my worst trade of the year|big put buyer in {tk}|overvalued: {tk}|{C} will disappoint again|I am shorting {C} here|{tk} gap down, heavy volume|sector laggard {tk} keeps losing|dead cat bounce in {tk}"""),
           0: L.w("""what do you think of {tk}?|no position in {tk} yet|watching {tk} and {tk2} this week|{tk} earnings tomorrow, any guesses?|my watchlist: {tk} {tk2} {tk3}|{tk} in a range, waiting for a break|new video: how to read a balance sheet|does anyone have the {C} transcript?|{tk} options expire on {date}|reading the {C} annual report|{tk} volume average today|both bulls and bears have a case for {tk}|{C} conference call starts at 5 p.m.|list of stocks reporting today: {tk} {tk2} {tk3}|{C} at {tp}x sales, fair price|chart of the day: {tk}|weekly review: what moved the {index}""")}
MORE = {1: L.w("""{C} quarterly profit more than doubles|{C} posts surprise profit|{C} sees full-year EPS above consensus|{C} sales jump on {goodcause}|{C} lands deal with {C2}|{C} to expand in {country}|{C} debt rating raised by {broker}|{C} says demand is improving|{C} shares hit highest since {month}|{C} wins court fight with {C2}|{C} beats on both lines, stock {up}|{C}: strong start to the quarter, {broker} says|{broker} says buy {C} on weakness|{broker} sees {p}% upside in {C}|{C} added to best ideas list at {broker}|Activist takes stake in {C}, shares {up}|{C} gets unsolicited bid|{C} {up} as short interest shrinks|Jobless claims fall to lowest since {month}|{country} GDP grows faster than forecast|{country} trade surplus widens|Home sales rise to {years}-year high|{index} set for best month in {years} years|Yields rise as growth picks up|Bank shares lead {index} higher|Chip stocks rally|Airlines climb as oil drops|{C} reopens its plants|{C} lifts dividend for the {small}th year|{C} margins widen on {goodcause}"""),
        -1: L.w("""{C} quarterly profit more than halves|{C} posts surprise loss|{C} sees full-year EPS below consensus|{C} sales drop on {badcause}|{C} loses deal to {C2}|{C} to quit {country}|{C} debt rating cut by {broker}|{C} says demand is softening|{C} shares hit lowest since {month}|{C} loses court fight with {C2}|{C} misses on both lines, stock {down}|{C}: slow start to the quarter, {broker} says|{broker} says sell {C} on strength|{broker} sees {p}% downside in {C}|{C} removed from best ideas list at {broker}|Top holder dumps {C}, shares {down}|{C} rejects bid, shares {down}|{C} {down} as short interest grows|Jobless claims climb to highest since {month}|{country} GDP shrinks more than forecast|{country} trade deficit widens|Home sales fall to {years}-year low|{index} set for worst month in {years} years|Yields sink as growth fears mount|Bank shares drag {index} lower|Chip stocks slump|Airlines drop as virus spreads|{C} shuts its plants|{C} freezes hiring|{C} margins squeezed by {badcause}|{C} stock could fall further, {broker} warns|{C} under criminal probe|{C} delays annual report|{C} default risk rises"""),
        0: L.w("""{C} CFO to leave in {month}|{C} sets date for annual meeting|{C} to present at {broker} conference|{C} buys {C2} for {usd}|{C} to sell {division} unit to {C2}|{C} raises {usd} in bond sale|{C} prices IPO at ${small}|{C} files to go public|{C} changes name to {C2}|{C} moves listing to {city}|{C} and {C2} in joint venture|{C}: a closer look at the balance sheet|Should you own {C} in your retirement fund?|What is {C} worth?|How {C} makes money|{C} (NASDAQ:{ticker}) insiders own {p}% of the company|{index} futures little changed|{country} to hold elections in {month}|{country} finance minister meets {country2} envoy|Lawmakers question Fed chair|Fed's {person} speaks on {date}|{country} opens market to foreign banks|Week ahead: central banks, earnings and {country}|{C} reports results before the bell|{C} updates its website|5 stocks on the move: {tk} {tk2} {tk3}|{tk} - {C} earnings preview|{C} declares monthly distribution of ${eps}|{C} FFO in-line, revenue in-line|{C} to redeem {usd} of notes|{C} fund closing price on {date}|Net asset value(s) of {C}|{C}: director dealings|{C} issue of equity|{C} holding(s) in company|{C} trading statement due {date}|{C} to build plant in {city}|{C} tests {prod} in {city}|{C} and union start talks|{C} confirms talks with {C2}""")}
MOOD_CAUSE = {1: ("goodcause", "up", "+"), -1: ("badcause", "down", "-")}


def acted(W, k, m):
    """A headline made of an act in the present tense."""
    import acting
    slots = TweetSlots(W, k)
    form = W.c(acting.BY_SIGN[m])[2]
    head = W.c(("{C} ", "{C} ", "{tk} - {C} ", "{tk}: {C} ", "BREAKING: {C} ", "{C} CEO says company to ", "{C} to "))
    body = form[0] if head.endswith("to ") else form[1]
    return (head + body + ("" if W.p(0.7) or not m else " on {" + MOOD_CAUSE[m][0] + "}")).format_map(slots)


def tweet(W, k, mood=None):
    m = mood if mood is not None else W.c((1, 0, 0, 0, -1))
    x = W.r.random()
    if x < 0.25:
        t = cap(acted(W, k, m))
    else:
        t = cap(W.c({1: UP_T, 0: FLAT_T, -1: DOWN_T}[m] if x < 0.6 else MORE[m] if x < 0.88 else CHATTER[m]).format_map(TweetSlots(W, k)))
    t = t.replace("..", ".")
    if W.p(0.03):
        t = t.upper() if W.p(0.5) else "*" + t.upper()
    elif W.p(0.08) and "(" not in t and "$" not in t:
        t = t.title()
    elif W.p(0.25):
        t = t.replace("'", "\u2019")
    x = W.r.random()
    if x < 0.14 and not t.startswith("$"):
        t = f"${k['ticker']} - {t}"
    elif x < 0.22 and not t.startswith("$"):
        t = f"${k['ticker']}: {t}"
    elif x < 0.28:
        t += f" ${k['ticker']}" + (f" ${W.company()['ticker']}" if W.p(0.3) else "")
    elif x < 0.32:
        t += " " + W.c(("#stocks", "#markets", "#investing", "#economy", "#trading", "#earnings", "#stock #MarketUpdate"))
    if W.p(0.35):
        t += W.c((" ", "… ", ". ")) + "https://t.co/" + "".join(W.c(SITE) for _ in range(10))
    return t, m, {"kind": "tweet", "what": "", "dir": 0, "who": k["name"]}

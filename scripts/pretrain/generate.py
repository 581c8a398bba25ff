"""Writes the project's own training text: invented news, messages, headlines and arithmetic, much of it followed by questions that make the meaning plain.

Deterministic: document i of shard s is a pure function of (seed, s, i). No sentence is taken from any data set.

    python generate.py --out DIR --shard 0 --characters 6e6 --seed 1
"""
import argparse
import json
import pathlib
import random

import acting
import commodities
import lexicon as L
import news
import phrases as P
import tweets
from world import World, cap, spaced

END = "<|endoftext|>"
SENTIMENT_ASK = L.w("""What is the sentiment of this news?|What is the sentiment of this news? Answer with positive, neutral or negative.|Is this news positive, neutral or negative?|Sentiment of the sentence: positive, neutral or negative?|How would an investor judge this news: positive, neutral or negative?
Classify the sentiment of the following sentence as positive, neutral or negative.|Does this sentence say something good, bad or neither about the company? Answer positive, negative or neutral.|Sentiment?|What does this mean for the share price: positive, neutral or negative?|Say whether the text is positive, negative or neutral for the company.|Decide if the news is positive, negative or neutral.|Label the sentiment.|What is the sentiment of this sentence? Please choose an answer from negative, neutral, positive.""")
MOOD_ASK = L.w("""What is the sentiment of this tweet: bearish, bullish or neutral?|Is this tweet bullish, bearish or neutral?|Is the message bullish, bearish or neutral for the stock?|Bullish, Bearish or Neutral?|Classify the tweet as Bearish, Bullish or Neutral.|What is the mood of this message about the market?|How does the writer see the stock?|What is the sentiment of this tweet?""")
HEAD_ASK = {
    "price": L.w("Does the headline talk about the price of gold?|Is the headline about price?|Does this headline mention price?|Is the gold price a subject here?"),
    "up": L.w("Does the headline say that the price went up?|Is the direction up?|Does the headline talk about price going up?|Did the price rise?"),
    "constant": L.w("Does the headline say that the price stayed constant?|Is the price said to be stable?|Does the headline talk about price staying constant?|Is the price unchanged?"),
    "down": L.w("Does the headline say that the price went down?|Is the direction down?|Does the headline talk about price going down?|Did the price fall?"),
    "past_price": L.w("Does the headline talk about price in the past?|Is a past price mentioned?|Is this about a price movement that has happened?"),
    "future_price": L.w("Does the headline talk about price in the future?|Is a future price mentioned?|Is this a forecast of the price?"),
    "past_news": L.w("Does the headline talk about a general event (apart from prices) in the past?|Is there past news other than prices?|Does it report an event that is not about price?"),
    "future_news": L.w("Does the headline talk about a general event (apart from prices) in the future?|Is there news of the future other than prices?"),
    "comparison": L.w("Does the headline compare gold with another asset?|Is gold compared with any other asset?|Is another asset mentioned for comparison?"),
}
WORDS = {1: "positive", 0: "neutral", -1: "negative"}
MOODS = {1: "bullish", 0: "neutral", -1: "bearish"}


def ask(question, text, answer):
    return f"{question}\n{text}\nAnswer: {answer}"


def company_text(W, k, n=1):
    """One to n sentences on one company, in one style."""
    style = W.r.random()
    out = []
    for _ in range(n):
        t, s, f = news.sentence(W, k)
        out.append((spaced(t) if style < 0.5 else t, s, f))
    return out


def figure_questions(W, t, s, f):
    """(question, answer) pairs on one sentence."""
    q = [(W.c(SENTIMENT_ASK), WORDS[s])]
    if f["kind"] == "figure":
        what = f["what"]
        q.append((W.c((f"Did {what} rise, fall or stay the same?", f"In which direction did {what} move?", "Which way did the figure go?")), {1: W.c(("It rose.", "up")), -1: W.c(("It fell.", "down")), 0: W.c(("It stayed the same.", "unchanged"))}[f["dir"]]))
        if f["now"] in t:
            q.append((W.c((f"How much was {what}?", f"What was {what} in the period?", f"Give the new figure for {what}.")), f["now"]))
        if f["before"] in t and f["dir"]:
            q.append((W.c((f"How much was {what} before?", "What is the figure compared with?")), f["before"]))
            q.append((W.c(("Is the new figure larger than the old one?", f"Is {what} higher than before?")), "yes" if f["dir"] > 0 else "no"))
    if f["who"] in t:
        q.append((W.c(("Which company is the news about?", "Who is the news about?", "Name the company.")), f["who"]))
    q.append((W.c(("Is this good news for the company?", "Is the news good for shareholders?", "Would shareholders be pleased?")), "yes" if s > 0 else "no"))
    if s:
        q.append((W.c(("Good or bad news?", "Is the news good or bad for the company?")), "good" if s > 0 else "bad"))
    return q


def doc_questions(W):
    """One text with several questions, or several texts with one, in the plain prompt form or in looser forms."""
    kind = W.r.random()
    parts = []
    if kind < 0.46:
        make = lambda: company_text(W, W.company())[0]
        asks = figure_questions
    elif kind < 0.76:
        make = lambda: tweets.tweet(W, W.company())
        asks = lambda W, t, s, f: [(W.c(MOOD_ASK), MOODS[s] if W.p(0.6) else MOODS[s].capitalize()), (W.c(SENTIMENT_ASK), WORDS[s]), (W.c(("Is the writer hopeful for the stock?", "Good for the price?")), "yes" if s > 0 else "no")]
    else:
        make = lambda: commodities.headline(W)
        asks = lambda W, t, s, f: [(W.c(HEAD_ASK[x]), "yes" if f[x] else "no") for x in W.r.sample(commodities.FIELDS, 4)]
    lower = W.p(0.12)
    form = W.r.random()
    n = W.r.randint(2, 6)
    if form < 0.45:  # plain prompt, each its own document
        for _ in range(n):
            t, s, f = make()
            q, a = W.c(asks(W, t, s, f))
            parts.append(ask(q, t.lower() if lower else t, a))
        return END.join(parts)
    if form < 0.55:  # the same question over several texts, each its own document
        q = None
        while len(parts) < n:
            t, s, f = make()
            qa = asks(W, t, s, f)
            q = q or W.c(qa)[0]
            for question, a in qa:
                if question == q or (len(qa) > 1 and question in SENTIMENT_ASK and q in SENTIMENT_ASK) or (question in MOOD_ASK and q in MOOD_ASK):
                    parts.append(ask(q, t, a))
                    break
            else:
                n -= 1
        return END.join(parts) if parts else doc_wire(W)
    if form < 0.65:  # several texts under one question
        t, s, f = make()
        first = asks(W, t, s, f)
        i = W.r.randrange(min(2, len(first)))
        q = first[i][0] if i == 0 else None
        lines = []
        for _ in range(n):
            t, s, f = make()
            qa = asks(W, t, s, f)
            lines.append((q or qa[0][0]) + f"\n{t}\nAnswer: {qa[0][1]}" if not isinstance(f, dict) or "price" not in f else ask(qa[0][0], t, qa[0][1]))
        return ("\n\n".join(lines)).lower() if lower else "\n\n".join(lines)
    t, s, f = make()  # one text, several questions
    qa = asks(W, t, s, f)
    W.r.shuffle(qa)
    body = t + "\n" + "\n".join(W.c(("Question: {q}\nAnswer: {a}", "Q: {q}\nA: {a}", "{q} {a}")).format(q=q, a=a) for q, a in qa[:5])
    return body.lower() if lower else body


def doc_article(W):
    """A short story on one company whose sentences agree in mood more often than not, sometimes with a closing judgement."""
    k = W.company()
    mood = W.c((1, 0, -1))
    n = W.r.randint(3, 9)
    out, total = [], 0
    for i in range(n):
        for _ in range(6):
            t, s, f = news.sentence(W, k)
            if s == mood or (s == 0 and W.p(0.5)):
                break
        total += s
        out.append(t)
    close = W.c(("", "", {1: "All in all, the news was good for the company.", 0: "The news should not move the share price much.", -1: "All in all, the news was bad for the company."}[mood],
                 {1: "Investors welcomed the report, and the shares rose.", 0: "The shares were little changed.", -1: "Investors were disappointed, and the shares fell."}[mood]))
    head = W.c(("", "", f"{k['full']} ({k['ticker']})\n", f"{k['city'].upper()} - ", cap(tweets.tweet(W, k, mood)[0]) + "\n"))
    if W.p(0.4):
        return head + " ".join(spaced(t) for t in out + ([close] if close else []))
    return head + " ".join(out + ([close] if close else []))


def doc_wire(W):
    """A run of headlines or messages, one a line."""
    k = W.r.random()
    n = W.r.randint(3, 14)
    if k < 0.4:
        lines = [commodities.headline(W)[0] for _ in range(n)]
    elif k < 0.8:
        lines = [tweets.tweet(W, W.company())[0] for _ in range(n)]
    else:
        lines = [spaced(news.sentence(W, W.company())[0]) for _ in range(n)]
    return "\n".join(lines)


def doc_labelled(W):
    """Statements followed by their meaning in words."""
    out = []
    for _ in range(W.r.randint(2, 7)):
        x = W.r.random()
        if x < 0.5:
            t, s, f = company_text(W, W.company())[0]
            why = {1: W.c(("good news", "a positive sign", "positive for the owners", "a plus for the shares")), 0: W.c(("neither good nor bad", "neutral news", "a plain fact without a judgement")), -1: W.c(("bad news", "a negative sign", "negative for the owners", "a minus for the shares"))}[s]
            out.append(W.c((f"{t} This is {why}.", f"{t} => {WORDS[s]}", f"{cap(WORDS[s])}: {t}", f"{t}\t{WORDS[s]}", f"News: {t} Sentiment: {WORDS[s]}")))
        elif x < 0.8:
            t, s, f = tweets.tweet(W, W.company())
            out.append(W.c((f"{t} => {MOODS[s]}", f"{t} [{MOODS[s].capitalize()}]", f"{cap(MOODS[s])}: {t}", f"Tweet: {t} Sentiment: {MOODS[s].capitalize()}")))
        else:
            t, s, f = commodities.headline(W)
            d = "up" if f["up"] else "down" if f["down"] else "constant" if f["constant"] else "none"
            out.append(W.c((f"{t} => direction {d}", f"Headline: {t} Price: {'yes' if f['price'] else 'no'}. Direction: {d}. Comparison: {'yes' if f['comparison'] else 'no'}.",
                            f"{t} => {'future' if f['future_price'] or f['future_news'] else 'past'} {'price' if f['price'] else 'news'}")))
    text = "\n".join(out)
    return text.lower() if W.p(0.15) else text


def doc_numbers(W):
    """Comparisons, percentages, sums and small word problems."""
    r, c = W.r, W.c
    out = []
    for _ in range(r.randint(3, 8)):
        k = r.randrange(8)
        x, y = W.num(0.5, 2000), W.num(0.5, 2000)
        if k < 2:
            y = W.moved(x, c((1, -1)), r.randint(1, 4))
            X, Y = W.fmt(x), W.fmt(y)
            out.append(c((ask("Which is larger?", f"{X} or {Y}", X if x > y else Y), ask("Which is smaller?", f"{X} or {Y}", X if x < y else Y), f"{X} is {'more' if x > y else 'less'} than {Y}.",
                          f"From {Y} to {X} is {'a rise' if x > y else 'a fall'}.", f"From {X} to {Y}: {'up' if y > x else 'down'}.", ask("Is the first number larger than the second?", f"{X} and {Y}", "yes" if x > y else "no"))))
        elif k == 2:
            a, b = r.randint(1, 999), r.randint(1, 999)
            out.append(c((f"{a} + {b} = {a + b}", f"{max(a, b)} - {min(a, b)} = {abs(a - b)}", f"{a % 13} x {b % 13} = {(a % 13) * (b % 13)}")))
        elif k == 3:
            a, q = r.choice((20, 40, 50, 80, 100, 200, 400, 500, 1000)), r.choice((5, 10, 20, 25, 50, 75))
            out.append(c((f"{q}% of {a} is {a * q / 100:g}.", f"{a} raised by {q}% is {a * (100 + q) / 100:g}.", f"{a} cut by {q}% is {a * (100 - q) / 100:g}.")))
        elif k == 4:
            a, b, p = r.randint(3, 90), r.randint(2, 60), W.c(L.FIRST)
            thing = c(("apples", "shares", "books", "coins", "boxes", "pencils", "tickets", "cakes"))
            if W.p(0.5):
                out.append(f"{p} has {a} {thing} and buys {b} more. Now {p} has {a} + {b} = {a + b} {thing}.")
            else:
                out.append(f"{p} has {a + b} {thing} and sells {b}. Now {p} has {a + b} - {b} = {a} {thing}.")
        elif k == 5:
            a, b = r.randint(2, 40), r.randint(2, 12)
            out.append(f"{b} {c(('boxes', 'orders', 'teams', 'machines'))} with {a} each make {a} x {b} = {a * b}.")
        elif k == 6:
            a = r.randint(20, 400)
            b = a + r.choice((-1, 1)) * max(1, round(a * r.uniform(0.02, 0.5)))
            out.append(f"Sales were {a} million last year and are {b} million now: {'an increase' if b > a else 'a decrease'} of {abs(b - a)} million, or {abs(b - a) / a * 100:.0f}%.")
        else:
            e, g = round(r.uniform(0.05, 3), 2), round(r.uniform(0.05, 3), 2)
            if e != g:
                out.append(f"Earnings per share were ${g:.2f}; analysts expected ${e:.2f}. The company {'beat' if g > e else 'missed'} the estimate by ${abs(g - e):.2f}.")
    return "\n".join(out)


SUBJECTS = {"earnings": "earnings", "outlook": "outlook", "orders": "orders and contracts", "jobs": "jobs", "people": "people", "dividend": "dividends and buybacks", "deals": "mergers and deals", "market": "markets and products",
            "costs": "costs and debt", "law": "law and regulation", "rating": "ratings", "technology": "technology", "shares": "share price"}


def some(W):
    """A text of any kind with its sign and the word for it."""
    x = W.r.random()
    if x < 0.6:
        t, s, f = company_text(W, W.company())[0]
    elif x < 0.85:
        t, s, f = tweets.tweet(W, W.company())
    else:
        t, s, f = commodities.headline(W)
        f = {"kind": "headline"}
    return t, s, f


def doc_words(W):
    """Words and what they mean: direction, praise and blame, opposites, a glossary."""
    r, c = W.r, W.c
    out = []
    terms = [g.strip().split(": ", 1) for g in P.GLOSSARY.split("|")]
    for _ in range(r.randint(4, 14)):
        k = r.randrange(7)
        if k == 0:
            d = c((1, -1, 0))
            v = W.move(d)
            word = {1: "up", -1: "down", 0: "unchanged"}[d]
            out.append(c((f"When a price {v[0]}, it is {word}.", f"\"{cap(v[1])}\" means that the figure went {word}." if d else f"\"{cap(v[1])}\" means that nothing moved.", ask("Up, down or unchanged?", v[1], word), f"{v[1]}: {word}")))
        elif k < 3:
            d = c((1, -1, 0))
            word = c({1: P.GOOD_WORDS, -1: P.BAD_WORDS, 0: P.NEUTRAL_WORDS}[d])
            out.append(c((f"{word}: {WORDS[d]}", f"The word \"{word}\" is {WORDS[d]}.", ask("Is this word positive, neutral or negative in business news?", word, WORDS[d]))))
        elif k == 3:
            a, b = c(P.ANTONYMS).split("/")
            if W.p(0.5):
                a, b = b, a
            out.append(c((f"The opposite of {a} is {b}.", f"{a} and {b} are opposites.", ask("What is the opposite?", a, b))))
        elif k == 4:
            t, d = c(terms)
            out.append(c((f"{cap(t)}: {d}.", f"What is meant by {t}? It is {d}.", ask("Which word is meant?", cap(d), t), ask("Explain the word.", t, d))))
        elif k == 5:
            d = c((1, -1))
            np = c(P.GOOD_NP if d > 0 else P.BAD_NP).format_map(acting.ActSlots(W, W.company()))
            out.append(c((f"{cap(np)}: {'good' if d > 0 else 'bad'} for a company.", ask("Good or bad for a company?", cap(np), "good" if d > 0 else "bad"))))
        else:
            up = W.p(0.5)
            metric, pol = c(L.METRIC)
            out.append(f"If {metric} {W.move(1 if up else -1)[0]}, that is {'good' if (pol > 0) == up else 'bad'} news.")
    r.shuffle(out)
    return "\n".join(out)


def doc_claims(W):
    """A text and claims about it: true or false."""
    r, c = W.r, W.c
    blocks = []
    for _ in range(r.randint(1, 4)):
        k = W.company()
        t, s, f = news.compare(W, k) if W.p(0.5) else acting.double(W, k) if W.p(0.3) else news.sentence(W, k)
        claims = [(f"The news is {WORDS[x]}.", x == s) for x in (1, 0, -1)]
        if f["kind"] == "figure":
            claims += [(f"{cap(f['what'])} {W.move(d)[1]}.", d == f["dir"]) for d in (1, -1)]
            if f["dir"]:
                claims += [(f"{f['now']} is {'more' if d > 0 else 'less'} than {f['before']}.", d == f["dir"]) for d in (1, -1)]
        if f["who"] in t:
            other = W.company()["name"]
            claims += [(f"The text is about {f['who']}.", True), (f"The text is about {other}.", False)]
        r.shuffle(claims)
        form = r.random()
        t = spaced(t) if W.p(0.4) else t
        if form < 0.5:
            q, a = claims[0]
            blocks.append(ask(c(("True or false?", "Is the claim true?", "Does the claim follow from the text?")) + f" {q}", t, ("true" if a else "false") if W.p(0.4) else ("yes" if a else "no")))
        else:
            blocks.append(t + "\n" + "\n".join(f"- {q} {'True' if a else 'False'}." for q, a in claims[:4]))
    return c(("\n\n", END)).join(blocks)


def doc_pairs(W):
    """Two or more texts side by side: which is better news, which matches the word, sort them."""
    r, c = W.r, W.c
    out = []
    for _ in range(r.randint(1, 3)):
        items = [some(W) for _ in range(r.randint(2, 4))]
        form = r.random()
        letters = "ABCD"
        listing = "\n".join(f"{letters[i]}. {t}" for i, (t, s, f) in enumerate(items))
        best = max(s for _, s, _ in items)
        if form < 0.5 and sum(s == best for _, s, _ in items) == 1:
            i = [s for _, s, _ in items].index(best)
            out.append(ask(c(("Which is the best news?", "Which text is the most positive?", "Where would an owner be most pleased?")), listing, letters[i]))
        elif form < 0.75:
            out.append(listing + "\n" + ", ".join(f"{letters[i]} is {WORDS[s]}" for i, (t, s, f) in enumerate(items)) + ".")
        else:
            a, b = items[0], items[1]
            out.append(ask(c(("Do both texts have the same sentiment?", "Same mood?")), a[0] + "\n" + b[0], "yes" if a[1] == b[1] else "no"))
    return c(("\n\n", END)).join(out)


def doc_subjects(W):
    """What a text is about."""
    out = []
    fixed = W.c(("What is the text about?", "Which subject does the news belong to?", "Topic of the news?", "Subject?"))
    for _ in range(W.r.randint(2, 6)):
        k = W.company()
        if W.p(0.5):
            t, s, f = acting.acting(W, k)
            sub = f["what"]
            t = spaced(t) if W.p(0.4) else t
        else:
            sub, s, v = W.c(acting.ACTS)
            t = (W.c(("{C} ", "{tk} - {C} ", "{tk}: {C} ")) + v[1]).format_map(tweets.TweetSlots(W, k))
        q = fixed if W.p(0.7) else fixed + " Choose from " + ", ".join(W.r.sample([SUBJECTS[x] for x in SUBJECTS if x != sub], 3) + [SUBJECTS[sub]]) + "."
        out.append(ask(q, t, SUBJECTS[sub]))
    return W.c(("\n\n", END)).join(out)


def doc_headline_card(W):
    """A commodity headline with all nine facts."""
    t, s, f = commodities.headline(W)
    names = {"price": "price", "up": "direction up", "constant": "direction constant", "down": "direction down", "past_price": "past price", "future_price": "future price", "past_news": "past news", "future_news": "future news", "comparison": "asset comparison"}
    form = W.r.random()
    if form < 0.35:
        return t + "\n" + "\n".join(f"{cap(names[x])}: {'yes' if f[x] else 'no'}" for x in W.r.sample(commodities.FIELDS, W.r.randint(4, 9)))
    if form < 0.8:
        fields = W.r.sample(commodities.FIELDS, W.r.randint(3, 9))
        return END.join(ask(W.c(HEAD_ASK[x]), t, "yes" if f[x] else "no") for x in fields)
    x = W.c(commodities.FIELDS)
    q = W.c(HEAD_ASK[x])
    rows = [commodities.headline(W) for _ in range(W.r.randint(3, 7))]
    return END.join(ask(q, t, "yes" if f[x] else "no") for t, s, f in rows)


KINDS = ((doc_questions, 0.34), (doc_article, 0.12), (doc_wire, 0.10), (doc_labelled, 0.11), (doc_numbers, 0.05), (doc_words, 0.06), (doc_claims, 0.06), (doc_pairs, 0.04), (doc_subjects, 0.04), (doc_headline_card, 0.08))


def document(seed, shard, i):
    W = World(random.Random(f"{seed}/{shard}/{i}"))
    x, acc = W.r.random(), 0.0
    for make, share in KINDS:
        acc += share
        if x < acc:
            break
    text = make(W)
    return text.lower() if W.p(0.08) else text


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--out", required=True)
    ap.add_argument("--shard", type=int, default=0)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--characters", type=float, default=6e6)
    ap.add_argument("--name", default="generated")
    a = ap.parse_args()
    path = pathlib.Path(a.out) / f"{a.name}-{a.shard:03d}.jsonl"
    total = i = 0
    with open(str(path) + ".tmp", "w", encoding="utf-8") as f:
        while total < a.characters:
            t = document(a.seed, a.shard, i)
            f.write(json.dumps({"text": t}, ensure_ascii=False) + "\n")
            total += len(t)
            i += 1
    pathlib.Path(str(path) + ".tmp").rename(path)
    print(path.name, i, total)


if __name__ == "__main__":
    main()

"""What is wrong with an answer that no known mistake explains: one weight, one result, one place, one case by hand."""

import contextlib
import inspect
import itertools
from collections.abc import Callable, Iterator

import numpy as np

from ..schedule import Schedule
from .numbers import SYMBOLS, Failed, agree, capital, is_object, is_quantity, numbers, same, tell, told
from .relations import INSTEAD, close, estimates, form, one, quantities, related

NET: tuple = (Exception,)  # errors of ours that a learner never sees; the tests take it away


class Isolation:
    """The wrong answers of one attempt to an exercise, and ways to say what they share; the first to fit wins."""

    def __init__(self, ex, attempt: Callable, probes: list, answers: list, right: list):
        self.ex, self.attempt, self.all, self.answers = ex, attempt, probes, answers
        self.names = list(inspect.signature(ex.reference).parameters)[: len(probes[0])]
        self.symbols = [SYMBOLS.get(name, name) for name in self.names]
        self.bad = [i for i, pair in enumerate(zip(answers, right, strict=True)) if not ex.agree(*([x] for x in pair))]
        self.right = right
        self.but = "right in some cases, but " if len(self.bad) < len(probes) else ""

    def explain(self) -> tuple[str, str]:
        """The sentence, and its kind: "isolated", "by hand" or "raised"."""
        try:
            return self.found()
        except NET:  # an answer so odd that no way of comparing fits
            return f"your answer to {told(self.ex.reference, self.all[0])} is not the right one.", "by hand"

    def found(self) -> tuple[str, str]:
        failed = next((i for i in self.bad if isinstance(self.answers[i], Failed)), None)
        if failed is not None and failed == self.bad[0]:
            return self.raised(failed), "raised"
        self.bad = [i for i in self.bad if not isinstance(self.answers[i], Failed)]
        first, several = self.bad[0], isinstance(self.right[0], tuple)
        if differs := form(self.answers[first], self.right[first], self.ex.returns):
            return f"{differs} (For {told(self.ex.reference, self.all[first])}.)", "isolated"
        results = len(self.right[0]) if several else 1
        names = self.ex.returns or (("answer",) if results == 1 else tuple(f"result {k + 1}" for k in range(results)))
        column = lambda k: [[x[i][k] if several else x[i] for i in self.bad] for x in (self.answers, self.right)]  # noqa: E731
        if results > 1 and self.ex.agree([tuple(a[::-1]) for a in self.some(self.answers)], self.some(self.right)):
            return f"the results are right, but in another order: asked is {', then '.join(names)}.", "isolated"
        wrong = [k for k in range(results) if not self.ex.agree(*column(k))]
        self.pick = (lambda answer: answer[wrong[0]]) if several else (lambda answer: answer)
        triples = zip(*(map(np.asarray, x) for x in column(wrong[0])), self.some(self.all), strict=True)
        off = [(a, b, probe) for a, b, probe in triples if not self.ex.agree([a], [b])]
        self.mine, self.good, self.probes = map(list, zip(*off, strict=True))
        self.name, lead = names[wrong[0]], ""
        if len(wrong) < results:
            told_of = [k for k in range(results) if k not in wrong and any(np.any(right[k]) for right in self.right)]
            fine = [names[k] for k in told_of]  # there is nothing to praise in what is always 0
            praised = f"your {', '.join(fine)} {'is' if len(fine) == 1 else 'are'}"
            lead = f"{praised if 0 < len(fine) < 4 else 'all else is'} right; what is wrong is the {self.name}: "
        shape, asked = self.mine[0].shape, self.good[0].shape
        if several and asked and shape != asked:
            return f"{lead}its shape is {shape}, and {asked} is right.", "isolated"
        ways = self.weights, self.near, self.taken_apart, self.ignored, self.as_if, self.relation, self.place, self.edge
        for way in ways:
            with contextlib.suppress(*NET):
                if sentence := way():
                    return lead + sentence, "isolated"
        return lead + self.but + self.by_hand(), "isolated" if lead else "by hand"

    def some(self, of: list) -> list:
        return [of[i] for i in self.bad]

    def raised(self, i: int) -> str:
        failed = self.answers[i]
        if not failed.place:
            return f"for {told(self.ex.reference, self.all[i])} your function returns None: is a `return` missing?"
        text, hint = failed.told()
        return f"{self.but}{failed.place} raises {text}. Handed in was {told(self.ex.reference, self.all[i])}.{hint}"

    def weights(self) -> str:
        """Compare the factors of arguments that enter linearly, one by one."""
        linear = [self.names.index(name) for name in self.ex.linear]
        found = []
        for probe, answer in zip(self.probes if linear else (), self.mine, strict=False):
            ours, yours = (self.factors(f, probe, linear, answer) for f in (self.ex.reference, self.attempt))
            if ours and yours:
                terms = [f * np.asarray(numbers(probe[i]), float) for f, i in zip(yours[1:], linear, strict=True)]
                if np.allclose(yours[0] + sum(terms), answer, rtol=1e-3, atol=1e-5):  # else it is not linear in them
                    found.append((probe, [one(f) for f in yours], [one(f) for f in ours]))
        if not found or not any(np.any(f) for f in found[0][1][1:] + found[0][2][1:]):
            return ""
        probe, yours, ours = found[0]
        off = [j for j, pair in enumerate(zip(yours, ours, strict=True)) if not close(*pair)]
        if not off:
            return ""
        at = told(self.ex.reference, probe, but=self.ex.linear)
        lengths = [f" (T = {value.T})" for value in probe if isinstance(value, Schedule)]  # often not the lesson's
        at, symbols = f"at {at}{''.join(lengths)}, " if at else "", ["", *(self.symbols[i] for i in linear)]
        if off[0] == 0 and not np.any(ours[0]):
            return f"{at}if {' and '.join(symbols[1:])} are 0 your {self.name} is {tell(yours[0])}, where 0 is right."
        if len(symbols) == 3 and all(all(map(close, y[1:], o[:0:-1])) for _, y, o in found):
            swapped = f"{tell(yours[1])} and {tell(yours[2])}"
            return f"{at}the weights of {symbols[1]} and {symbols[2]} are exchanged: {swapped}."
        told_ = []
        for j in off:
            factors = [(y[j], o[j], quantities(self.ex.reference, p, self.ex.linear)) for p, y, o in found]
            if any(np.size(mine) != np.size(right) for mine, right, _ in factors):
                return ""
            relation = related(factors)
            what = f"your weight of {symbols[j]}" if j else "what does not depend on " + " and ".join(symbols[1:])
            relation = f" ({relation})" if relation else ""
            told_.append(f"{what} is {tell(yours[j])}, the right one is {tell(ours[j])}{relation}")
        rest = " and ".join(symbols[j] for j in range(1, len(ours)) if j not in off)
        return f"{at}{'; '.join(told_)}." + (f" That of {rest} is right." if rest else "")

    def factors(self, function, probe, linear, answer) -> list | None:
        """What is left where all linear arguments are 0, then the factor of each; None where the function fails."""

        def at(which):
            given = [p * 0 + (i == which) if i in linear else p for i, p in enumerate(probe)]
            return np.broadcast_to(np.asarray(self.pick(self.ex.ask(function, tuple(given))), float), answer.shape)

        try:
            offset = at(None)
            found = [offset, *(at(i) - offset for i in linear)]
        except Exception:
            return None
        return found if all(np.isfinite(f).all() for f in found) else None

    def taken_apart(self) -> str:
        """Compare what the exercise itself takes its answers apart into."""
        off, both = [], (self.attempt, self.ex.reference)
        for part, of in self.ex.parts.items():
            try:
                yours, ours = (numbers(of(f) if callable(of) else self.ex.ask(f, of)) for f in both)
            except Exception:  # of the learner's function
                return ""
            if not agree(yours, ours, max(self.ex.tolerance, 1e-5)):
                off.append(f"{part} is {tell(yours)}, and {tell(ours)} is right")
        rest = " Other cases agree." if len(off) < len(self.ex.parts) else ""
        return f"{'; '.join(off[:2])}.{rest}" if off else ""

    def near(self) -> str:
        """Are all answers an estimate of the right ones?"""
        told = "All your answers are close. An experiment is a good ruler; now find the formula that it measures."
        return f"{self.by_hand()} {told}" if estimates(self.mine, self.good) else ""

    def variations(self, i: int) -> Iterator:
        """Sensible pairs of probes that differ in argument i only."""
        for probe, other in itertools.permutations(self.ex.probes, 2):
            changed = (*probe[:i], other[i], *probe[i + 1 :])
            fits = np.shape(probe[i]) == np.shape(other[i]) and not is_object(probe[i]) and self.ex.sensible(*changed)
            if fits and not same(probe[i], other[i]):
                yield probe, changed

    def ignored(self) -> str:
        """Is there an argument that changes the right answer and not the learner's?"""
        for i, symbol in enumerate(self.symbols):
            moved = []
            for pair in itertools.islice(self.variations(i), 12):
                try:
                    both = self.attempt, self.ex.reference
                    yours, ours = ([self.pick(self.ex.ask(f, probe)) for probe in pair] for f in both)
                    if not np.isfinite(np.asarray(yours, float)).all():
                        return ""
                except Exception:
                    continue
                if not self.ex.agree(ours[:1], ours[1:]):
                    moved.append(not self.ex.agree(yours[:1], yours[1:]))
                if any(moved):
                    break
            if moved and not any(moved):
                return f"your {self.name} does not depend on {symbol}, and it must."
        return ""

    def as_if(self) -> str:
        """Would the answer be right for another value of one argument, or for two of them exchanged?"""

        def right_for(change) -> bool:
            try:
                other = [self.pick(self.ex.ask(self.ex.reference, change(list(probe)))) for probe in self.probes]
                return all(np.isfinite(each).all() for each in other) and self.ex.agree(self.mine, other)
            except Exception:
                return False

        for i, j in itertools.combinations(range(len(self.symbols)), 2):
            if right_for(lambda p, i=i, j=j: (*p[:i], p[j], *p[i + 1 : j], p[i], *p[j + 1 :])):
                return f"your {self.name} would be right if {self.symbols[i]} and {self.symbols[j]} were exchanged."
        for i, symbol in enumerate(self.symbols):
            for text, of in INSTEAD.items() if is_quantity(self.probes[0][i]) else ():
                if right_for(lambda p, i=i, of=of: (*p[:i], of(p[i]), *p[i + 1 :])):
                    return f"your {self.name} is what would be right for {text.format(symbol)} in place of {symbol}."
        return ""

    def relation(self) -> str:
        """Is the answer a simple function of the right one, or more by the same everywhere?"""
        if any(m.shape != g.shape or not np.isfinite(m).all() for m, g in zip(self.mine, self.good, strict=True)):
            return ""
        known = (quantities(self.ex.reference, probe, self.ex.linear) for probe in self.probes)
        if relation := related(list(zip(self.mine, self.good, known, strict=True))):
            return f"{relation.replace('yours', f'your {self.name}')}. {capital(self.by_hand())}".replace("?.", "?")
        more = np.concatenate([np.ravel(m.astype(float) - g) for m, g in zip(self.mine, self.good, strict=True)])
        if len(more) > 1 and close(more, more[0] + 0 * more):
            by = f"{tell(abs(more[0]))} {'more' if more[0] > 0 else 'less'}"
            return f"your {self.name} is everywhere {by} than the right one."
        return ""

    def place(self) -> str:
        """The first place of an array that differs, or the order of a sequence."""
        a, g = self.mine[0].astype(float), self.good[0].astype(float)
        if a.shape != g.shape or a.size < 2:
            return ""
        early, late = "one place too early", "one place too late"
        for turned, text in ((a[::-1], "the other way round"), (a[:-1], early), (a[1:], late)):
            target = g if len(turned) == len(g) else g[1:] if text == early else g[:-1]
            if len(a) > 2 and close(turned, target):
                return f"your {self.name} holds the right numbers {text}."
        return self.first_place(0)

    def edge(self) -> str:
        """The value (or the length) of an argument that all wrong cases have and no right one."""
        for i, symbol in enumerate(self.symbols):
            values = [probe[i] if np.ndim(probe[i]) == 0 else np.shape(probe[i]) for probe in self.all]
            bad, fine = self.some(values), [v for k, v in enumerate(values) if k not in self.bad]
            alike = not is_object(bad[0]) and all(same(value, bad[0]) for value in bad)
            if not fine or not alike or any(same(value, bad[0]) for value in fine):
                continue
            what = f"{bad[0][0]} numbers in {symbol}" if isinstance(bad[0], tuple) else f"{symbol} = {tell(bad[0])}"
            return f"right, but not for {what}: {self.by_hand()}"
        return ""

    def first_place(self, i: int) -> str:
        """The first number of an array that differs."""
        a, g = self.mine[i].astype(float), self.good[i].astype(float)
        off = ~np.isclose(a, g, rtol=max(self.ex.tolerance, 1e-5), atol=self.ex.tiny or self.ex.tolerance)
        first = tuple(int(i) for i in np.argwhere(off)[0])
        before = "right up to there, " if any(first) and a.ndim == 1 else ""
        what = f"your {self.name}[{', '.join(map(str, first))}] is {tell(a[first])}, and {tell(g[first])} is right."
        return f"for {told(self.ex.reference, self.probes[i])}: {before}{what}"

    def by_hand(self) -> str:
        """The simplest probe in one line."""
        sizes = [sum(np.prod(np.shape(v)) for v in probe if not is_object(v)) for probe in self.probes]
        i = int(np.argmin(sizes))
        if self.mine[i].shape == self.good[i].shape and self.good[i].size > 6:
            return self.first_place(i)
        what = f"your {self.name} is" if self.ex.measure or isinstance(self.right[0], tuple) else "you return"
        what = f"{what} {tell(self.mine[i])}, and {tell(self.good[i])} is right."
        why = " NaN is what 0/0 and the root of a negative number give." * bool(np.isnan(self.mine[i]).any())
        why += " They differ in later digits: did you round yours?" * (tell(self.mine[i]) == tell(self.good[i]))
        return f"for {told(self.ex.reference, self.probes[i])} {what}{why}"

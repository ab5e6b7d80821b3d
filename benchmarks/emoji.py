"""Does the network draw what the words say? `python benchmarks/emoji.py --judge FILE [--weights FILE] [--scales 1 3]`.

A judge that was trained on real pictures looks for the asked words in samples. `--train-judge` makes it first and tells
how often it is right. The rates to compare with are those of real drawings that the judge has not seen ("real"), and
those of samples that were asked for other words ("chance"). Each scale has two lines: mean and spread over the seeds.
"""

import argparse
from functools import cache

import numpy as np
import torch

from diffusion_course import metrics
from diffusion_course.beyond.emoji import COLOURS, colours, emoji
from diffusion_course.run import checkpoints, paint
from emoji_judge import has_words, held_back, make_judge, train_judge


def asked_words(ids, judge):
    """The ids among a prompt's that the judge can look for."""
    return [word for word in ids.tolist() if word in judge.column]


def rate(judge, pictures, asked):
    """The share of asked words that are found; `asked` has a list of ids for each of the pictures."""
    found = judge.found(pictures).numpy()
    hits = [found[i, judge.column[word]] for i, words in enumerate(asked) for word in words]
    return float(np.mean(hits))


def samples(model, rows, scale, steps, seed):
    """One picture for each row of word ids; `scale` STUDENT: as a student draws."""
    noise = torch.randn(len(rows), 3, 32, 32, generator=torch.Generator().manual_seed(seed))
    parts = zip(torch.as_tensor(rows).split(64), noise.split(64), strict=True)
    how = (None, paint.STUDENT_STEPS) if scale is STUDENT else (scale, steps)
    last = [list(paint.guesses(model, cond, part, *how))[-1] for cond, part in parts]
    return np.concatenate(last)


def named(data, judge, count, seed, among=None):
    """Prompts of `count` names, each once: (row of ids, asked ids); a name counts if the judge knows a word of it.

    `among` (n,) bool says which of the pictures' names to take.
    """
    rng = np.random.default_rng(seed)
    prompts = []
    for concept in rng.permutation(np.unique(data.concept if among is None else data.concept[among])):
        known = [word for word in data.names[concept].split() if word in data.vocabulary.place]
        row = data.vocabulary.ids(" ".join(known)) if known else np.array([-1])
        if words := asked_words(row, judge):
            prompts.append((row, words))
    return prompts[:count]


def colour_found(pictures, names):
    """Whether most of what is drawn has the asked colour, for pictures (n, 3, 32, 32) and a colour's name each."""
    bytes_ = np.rint((np.clip(pictures, -1, 1).transpose(0, 2, 3, 1) + 1) * 127.5).astype(np.uint8)
    return colours(bytes_).argmax(axis=1) == np.array([COLOURS.index(name) for name in names])


STUDENT = None  # in the place of a guidance scale
KINDS = ("common", "rare", "held-out")  # names: of common things, of others, and of drawings never trained on


def kinds(train):
    """Data and a mask of it for each of `KINDS`."""
    return dict(zip(KINDS, ((train, train.common), (train, ~train.common), (emoji("names"), None)), strict=True))


@cache
def copy_distance(train):
    """What 5 of 100 held-out drawings are below, in distance to the nearest training picture: nearer is a copy."""
    return np.quantile(np.asarray(metrics.nearest_distance(emoji("names").x0, train.x0)), 0.05)


def row_of_numbers(model, judge, train, scale, steps, seed, count):
    """All measures of one seed, by name."""
    numbers, every = {}, {}
    for kind, (data, among) in kinds(train).items():
        rows, asked = zip(*named(data, judge, count, seed, among), strict=True)
        every[kind] = samples(model, np.stack(rows), scale, steps, seed)
        numbers[kind] = rate(judge, every[kind], asked)
        numbers[f"{kind} chance"] = rate(judge, every[kind], [*asked[1:], asked[0]])
    pairs = [pair for pair in train.pairs for _ in range(max(1, count // 25))]
    rows = np.stack([train.vocabulary.ids(pair) for pair in pairs])
    things = [[train.vocabulary.place[pair.split()[1]]] for pair in pairs]
    x = samples(model, rows, scale, steps, seed)
    can = [words[0] in judge.column for words in things]
    thing = [rate(judge, x[i : i + 1], [words]) for i, words in enumerate(things) if can[i]]
    colour = colour_found(x, [pair.split()[0] for pair in pairs])
    numbers |= {"pairs thing": np.mean(thing), "pairs colour": colour.mean()}
    numbers["pairs both"] = np.mean([t and c for t, c in zip(thing, colour[can], strict=True)])
    near = np.asarray(metrics.nearest_distance(every["common"], train.x0))
    numbers |= {"nearest": near.mean(), "copies": (near < copy_distance(train)).mean()}
    pick = np.random.default_rng(seed).choice(len(train.words), 2 * count, replace=False)
    x = samples(model, train.words[pick], scale, steps, seed)
    numbers["frechet"] = metrics.frechet(metrics.features(judge, x), metrics.features(judge, train.x0))
    return numbers


def floors(judge, train, count):
    """The same numbers of real pictures: drawings that the judge has not seen, and those of held-out names."""
    back, names = held_back(train), emoji("names")
    truth = judge.says[train.concept[back]].bool()  # by its name
    said = truth | has_words(train.words[back], judge.config["words"]).bool()  # or by a keyword
    found = judge.found(train.x0[back])
    print(f"judge: {len(judge.column)} words; found in real drawings that it has not seen: "
          f"{found[truth].float().mean():.3f} of all words, {found[~said].float().mean():.4f} falsely")  # fmt: skip
    rates = {}
    for kind, (data, among) in kinds(train).items():
        unseen = back & among if data is train else np.ones(len(data.images), bool)
        in_name = [[data.vocabulary.place.get(word) for word in data.names[c].split()] for c in data.concept[unseen]]
        rates[kind] = rate(judge, data.x0[unseen], [[w for w in words if w in judge.column] for words in in_name])
    places = {train.vocabulary.place[pair.split()[1]] for pair in train.pairs}
    columns = [judge.column[place] for place in places if place in judge.column]
    rates["pairs thing"] = found[:, columns][truth[:, columns]].float().mean().item()
    print("real:", "; ".join(f"{kind} {value:.3f}" for kind, value in rates.items()))
    real, noise = metrics.features(judge, train.x0), torch.Generator().manual_seed(0)
    some = names.x0[np.random.default_rng(0).permutation(len(names.x0))[: 2 * count]]
    static = torch.randn(some.shape, generator=noise).clamp(-1, 1)
    print(f"real: nearest {float(metrics.nearest_distance(names.x0, train.x0).mean()):.3f}; copies 0.050; frechet "
          f"{metrics.frechet(metrics.features(judge, some), real):.2f} (noise "
          f"{metrics.frechet(metrics.features(judge, static), real):.1f})")  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--judge", required=True, help="weights of the judge (.safetensors)")
    parser.add_argument("--train-judge", action="store_true", help="train it first and write it there")
    parser.add_argument("--weights", help="weights of the network; default: those that ship")
    parser.add_argument("--scales", type=float, nargs="*", default=[0.0, 1.0, 2.0, 3.0, 5.0])
    parser.add_argument("--student", action="store_true", help="measure the few-step student too")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--count", type=int, default=100, help="names to ask for, of each kind")
    args = parser.parse_args()
    train = emoji("train")
    if args.train_judge:
        judge = make_judge(train)
        for loss in train_judge(judge, train):
            print(f"judge: loss {loss:.5f}", flush=True)
        checkpoints.save_model(args.judge, judge)
    judge = checkpoints.load_model(args.judge)
    floors(judge, train, args.count)
    model = checkpoints.load_model(args.weights) if args.weights else paint.pretrained("emoji")
    rows = [(scale, f"{scale:g}", model) for scale in args.scales]
    rows += [(STUDENT, "4 steps", paint.pretrained("emoji-student"))] if args.student else []
    for scale, label, network in rows:
        table = [row_of_numbers(network, judge, train, scale, args.steps, s, args.count) for s in range(args.seeds)]
        names = list(table[0])
        if label == rows[0][1]:
            print("scale   " + " ".join(f"{name:>15}" for name in names))
        values = np.array([[row[name] for name in names] for row in table])
        for left, line in ((label, values.mean(0)), ("  ±", values.std(0))):
            print(f"{left:7} " + " ".join(f"{value:15.3f}" for value in line), flush=True)


if __name__ == "__main__":
    main()

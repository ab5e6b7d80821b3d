"""Does the network draw what the words say? `python benchmarks/emoji.py --judge FILE [--weights FILE] [--scales 1 3]`.

A judge that was trained on real pictures looks for the asked words in samples. `--train-judge` makes it first and tells
how often it is right. The rates to compare with are those of real drawings that the judge has not seen ("real"), and
those of samples that were asked for other words ("chance"). A row is a seed; the last two are mean and spread.
"""

import argparse
import itertools

import numpy as np
import torch

from diffusion_course import metrics
from diffusion_course.beyond.emoji import COLOURS, colours, emoji
from diffusion_course.run import checkpoints, paint
from diffusion_course.run.judge import has_words, held_back, make_judge, train_judge


def asked_words(ids, judge):
    """The ids among a prompt's that the judge can look for."""
    return [word for word in ids.tolist() if word in judge.column]


def rate(judge, pictures, asked):
    """The share of asked words that are found; `asked` has a list of ids for each of the pictures."""
    found = judge.found(pictures).numpy()
    hits = [found[i, judge.column[word]] for i, words in enumerate(asked) for word in words]
    return float(np.mean(hits))


def samples(model, rows, scale, steps, seed):
    """One picture for each row of word ids."""
    noise = torch.randn(len(rows), 3, 32, 32, generator=torch.Generator().manual_seed(seed))
    parts = zip(torch.as_tensor(rows).split(64), noise.split(64), strict=True)
    last = [list(paint.guesses(model, cond, part, scale, steps))[-1] for cond, part in parts]
    return np.concatenate(last)


def named(data, judge, count, seed):
    """Prompts of `count` names, each once: (row of ids, asked ids); a name counts if the judge knows a word of it."""
    rng = np.random.default_rng(seed)
    prompts = []
    for concept in rng.permutation(np.unique(data.concept)):
        known = [word for word in data.names[concept].split() if word in data.vocabulary.place]
        row = data.vocabulary.ids(" ".join(known)) if known else np.array([-1])
        if words := asked_words(row, judge):
            prompts.append((row, words))
    return prompts[:count]


def colour_found(pictures, names):
    """Whether most of what is drawn has the asked colour, for pictures (n, 3, 32, 32) and a colour's name each."""
    bytes_ = np.rint((np.clip(pictures, -1, 1).transpose(0, 2, 3, 1) + 1) * 127.5).astype(np.uint8)
    return colours(bytes_).argmax(axis=1) == np.array([COLOURS.index(name) for name in names])


def row_of_numbers(model, judge, train, scale, steps, seed, count):
    """All measures of one seed, by name."""
    numbers, every = {}, {}
    for split in ("train", "names"):
        rows, asked = zip(*named(emoji(split), judge, count, seed), strict=True)
        every[split] = samples(model, np.stack(rows), scale, steps, seed)
        numbers[f"{split} found"] = rate(judge, every[split], asked)
        numbers[f"{split} chance"] = rate(judge, every[split], [*asked[1:], asked[0]])
    pairs = [pair for pair in train.pairs for _ in range(4)]
    rows = np.stack([train.vocabulary.ids(pair) for pair in pairs])
    things = [[train.vocabulary.place[pair.split()[1]]] for pair in pairs]
    x = samples(model, rows, scale, steps, seed)
    thing = [rate(judge, x[i : i + 1], [words]) for i, words in enumerate(things) if words[0] in judge.column]
    colour = colour_found(x, [pair.split()[0] for pair in pairs])
    numbers |= {"pairs thing": np.mean(thing), "pairs colour": colour.mean()}
    numbers["pairs both"] = np.mean([t and c for t, c in zip(thing, colour, strict=True)])
    numbers["nearest"] = float(metrics.nearest_distance(every["train"], train.x0).mean())
    pick = np.random.default_rng(seed).choice(len(train.words), 4 * count, replace=False)
    real = metrics.features(judge, train.x0)
    numbers["frechet"] = metrics.frechet(
        metrics.features(judge, samples(model, train.words[pick], scale, steps, seed)), real
    )
    return numbers


def floors(judge, train):
    """The same numbers of real pictures: drawings that the judge has not seen, and those of held-out names."""
    back, names = held_back(train), emoji("names")
    truth = judge.says[train.concept[back]].bool()  # by its name
    said = truth | has_words(train.words[back], judge.config["words"]).bool()  # or by a keyword
    found = judge.found(train.x0[back])
    in_name = [train.names[c].split() for c in train.concept[back]]
    rows = [[train.vocabulary.place[w] for w in words if w in train.vocabulary.place] for words in in_name]
    asked = [[word for word in row if word in judge.column] for row in rows]
    things = {pair.split()[1] for pair in train.pairs} & set(train.vocabulary.words)
    columns = [judge.column[w] for w in (train.vocabulary.place[t] for t in things) if w in judge.column]
    thing = found[:, columns][truth[:, columns]].float().mean().item()
    asked_names = [[w for w in (train.vocabulary.place[t] for t in train.names[c].split()) if w in judge.column]
                   for c in names.concept]  # fmt: skip
    real = metrics.features(judge, train.x0)
    print(f"judge: {len(judge.column)} words; found in real drawings that it has not seen: "
          f"{found[truth].float().mean():.3f} of all words, {found[~said].float().mean():.4f} falsely")  # fmt: skip
    print(f"real: train found {rate(judge, train.x0[back], asked):.3f}; names found "
          f"{rate(judge, names.x0, asked_names):.3f}; pairs thing {thing:.3f}")  # fmt: skip
    nearest = metrics.nearest_distance(names.x0, train.x0)
    noise = torch.randn(len(names.x0), 3, 32, 32, generator=torch.Generator().manual_seed(0)).clamp(-1, 1)
    print(f"real: nearest {float(nearest.mean()):.3f}; frechet "
          f"{metrics.frechet(metrics.features(judge, names.x0), real):.2f} (noise "
          f"{metrics.frechet(metrics.features(judge, noise), real):.1f})")  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--judge", required=True, help="weights of the judge (.safetensors)")
    parser.add_argument("--train-judge", action="store_true", help="train it first and write it there")
    parser.add_argument("--weights", help="weights of the network; default: those that ship")
    parser.add_argument("--scales", type=float, nargs="+", default=[0.0, 1.0, 2.0, 3.0, 5.0])
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
    floors(judge, train)
    model = checkpoints.load_model(args.weights) if args.weights else paint.pretrained()
    for scale in args.scales:
        table = [row_of_numbers(model, judge, train, scale, args.steps, s, args.count) for s in range(args.seeds)]
        names = list(table[0])
        if scale == args.scales[0]:
            print("scale " + " ".join(f"{name:>13}" for name in names))
        values = np.array([[row[name] for name in names] for row in table])
        for label, line in itertools.chain([(f"{scale:g}", values.mean(0))], [("  ±", values.std(0))]):
            print(f"{label:5} " + " ".join(f"{value:13.3f}" for value in line), flush=True)


if __name__ == "__main__":
    main()

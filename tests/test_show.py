"""Shown code is the code that runs, line by line, whatever the page is."""

import html
import inspect
import re

import pytest

from diffusion_course import forward, schedule
from diffusion_course.lab.show import show


@pytest.mark.parametrize("function", [forward.add_noise, schedule.Schedule, show])
def test_show_gives_the_source_that_runs(function):
    source = inspect.getsource(function)
    bundle = show(function)._repr_mimebundle_()
    assert bundle["text/plain"] == source
    lines = re.findall(
        r'<span style="--in:(\d+)">(.*?)</span>(?=<span style="--in|</pre>)', bundle["text/html"], re.DOTALL
    )
    texts = [html.unescape(re.sub(r"<[^>]+>", "", line)).replace("\u200b", "") for _, line in lines]
    assert texts == source.rstrip("\n").split("\n")
    assert [int(indent) for indent, _ in lines] == [len(text) - len(text.lstrip()) for text in texts]
    assert "--jp-mirror-editor-keyword-color" in bundle["text/html"]

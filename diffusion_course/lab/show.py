"""The package's own code on a lesson's page: what you read is what runs."""

import html
import inspect
from collections.abc import Mapping
from typing import Any

from pygments.lexers import PythonLexer
from pygments.token import Token

# What a kind of token looks like: JupyterLab's own colour, which follows its theme; elsewhere one for light and dark.
LOOKS = {
    Token.Keyword: ("keyword", "#22896e"),
    Token.Operator.Word: ("keyword", "#22896e"),
    Token.Literal.String: ("string", "#c2553f"),
    Token.Literal.Number: ("number", "#2f7fc1"),
    Token.Comment: ("comment", "#6f7f80"),
    Token.Name.Function: ("def", "#2f7fc1"),
    Token.Name.Class: ("def", "#2f7fc1"),
    Token.Name.Builtin: ("builtin", "#8a6fc0"),
    Token.Name.Decorator: ("meta", "#8a6fc0"),
}
# Long lines go on below, two letters further in than they began: --in says how far.
STYLE = (
    ".dc-source{white-space:pre-wrap;overflow-wrap:anywhere;margin:0;padding:4px 0;"
    "font:13px/1.5 var(--jp-code-font-family,ui-monospace,Menlo,Consolas,monospace)}"
    ".dc-source>span{display:block;padding-left:calc(1ch*var(--in) + 2ch);text-indent:calc(-1ch*var(--in) - 2ch)}"
)


class Source:
    """Source code that shows itself with colours in a notebook, and as plain text elsewhere."""

    def __init__(self, text: str) -> None:
        self.text = text

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        lines = [""]
        for kind, text in PythonLexer(stripnl=False).get_tokens(self.text.rstrip("\n")):
            first, *rest = text.split("\n")
            lines[-1] += _coloured(kind, first)
            lines += [_coloured(kind, part) for part in rest]
        spans = [
            f'<span style="--in:{len(plain) - len(plain.lstrip())}">{line or "&#8203;"}</span>'
            for plain, line in zip(self.text.rstrip("\n").split("\n"), lines, strict=False)
        ]
        return {
            "text/html": f'<style>{STYLE}</style><pre class="dc-source">{"".join(spans)}</pre>',
            "text/plain": self.text,
        }


def show(*functions: Any) -> Source:
    """The package's own code of one or more functions or classes, to end a cell with.

    >>> from diffusion_course.forward import noise_step
    >>> show(noise_step).text[:14]
    'def noise_step'
    """
    return Source("\n\n".join(inspect.getsource(function) for function in functions))


def show_edits(code: str, edited: Mapping[str, Any]) -> Source:
    """Source `code` of a function, and under it, by name, the lines that each function of `edited` has instead.

    >>> from diffusion_course.forward import noise_step
    >>> code = inspect.getsource(noise_step).replace("return", "return 2 *")
    >>> show_edits(code, {"a": noise_step}).text.splitlines()[-1][:10]
    'a:  return'
    """
    lines = code.splitlines()
    others = {
        name: [line.strip() for line in inspect.getsource(other).splitlines()[1:] if line not in lines]
        for name, other in edited.items()
    }
    return Source("\n".join([*lines, "", *(f"{name}:  {line}" for name, own in others.items() for line in own)]))


def _coloured(kind: Any, text: str) -> str:
    look = next((LOOKS[one] for one in reversed(kind.split()) if one in LOOKS), None)
    text = html.escape(text, quote=False)
    if look is None or not text.strip():
        return text
    name, colour = look
    return f'<span style="color:var(--jp-mirror-editor-{name}-color,{colour})">{text}</span>'

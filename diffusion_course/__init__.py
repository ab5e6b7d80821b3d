"""The diffusion course: how diffusion models really work, one stage a file.

The route of the data is the plan of the package; each file holds one stage of it::

    data ──► schedule ──► forward ────────────► models, unet ──► training ────► samplers ──► metrics, plots
    x0       alpha_bar    xt = √ᾱ x0 + √(1−ᾱ)ε  eps_hat          mean (ε − ε̂)²  xT → … → x0  distance, picture

Beside the route stand `scalar` (the whole of it in plain Python floats, the specification of the rest),
`denoisers` (exact answers, no training), `check` (exercises that name your mistake) and `widgets`.

Time runs from t = 0 (clean) to t = T (static) everywhere; ``alpha_bar[0] == 1``.

>>> from diffusion_course import schedule
>>> schedule.linear(T=1000).alpha_bar[0]
np.float64(1.0)
"""

__version__ = "0.1.0"

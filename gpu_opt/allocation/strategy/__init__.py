"""How plans and bounds are found at scale; ``models/strategy.md`` is the explanation.

One module per step. Prices: `prices` and `pricing` (what a project would take at given prices, and the bound
that follows), `ascent` (better ones), `relaxation` with `columns` and `rows`, and `sifting` (the linear
program that gives them), `focus` (arcs worth looking at), `lumps` and `blocks` (what teams gain at most).
Plans: `between` (rounding together), `coarse` (many projects at once), `parts` (a few). Who does what when:
`proving`, `improving`, `crew`.
"""

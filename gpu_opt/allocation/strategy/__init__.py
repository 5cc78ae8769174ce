"""How plans and bounds are found at scale; ``models/strategy.md`` is the explanation.

One module per step: `prices` and `pricing` (what a project would take at given prices, and the bound that
follows), `ascent` (better prices), `focus` (the arcs worth looking at), `core` (the program with
integrality only where it is needed), `blocks` (a team decides again; a team's own bound).
"""

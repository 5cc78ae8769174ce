"""Solving a GNU MathProg model with GLPK."""

from __future__ import annotations

from pathlib import Path

import swiglpk as glpk

MODELS = Path(__file__).parents[2] / "models"


def solve_model(model: Path, data: Path | None = None) -> float:
    """The optimum of a model: with the data of `data`, else with its own."""
    glpk.glp_term_out(glpk.GLP_OFF)
    translator = glpk.glp_mpl_alloc_wksp()
    problem = glpk.glp_create_prob()
    try:
        assert glpk.glp_mpl_read_model(translator, str(model), int(data is not None)) == 0
        if data is not None:
            assert glpk.glp_mpl_read_data(translator, str(data)) == 0
        assert glpk.glp_mpl_generate(translator, None) == 0
        glpk.glp_mpl_build_prob(translator, problem)
        options = glpk.glp_iocp()
        glpk.glp_init_iocp(options)
        options.presolve = glpk.GLP_ON
        assert glpk.glp_intopt(problem, options) == 0
        assert glpk.glp_mip_status(problem) == glpk.GLP_OPT
        return float(glpk.glp_mip_obj_val(problem))
    finally:
        glpk.glp_delete_prob(problem)
        glpk.glp_mpl_free_wksp(translator)

"""Results as plots: pure functions from a result to a figure of plotly, imported when one is made."""
